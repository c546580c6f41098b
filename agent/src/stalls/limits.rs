//! What cannot be learned of stalls in this process, found out once and without a stall.

use crate::stalls::Stacks;

/// What is missing and why, each a sentence for the user.
pub(crate) fn limitations(stacks: Stacks) -> Vec<String> {
    let mut found = Vec::new();
    if cfg!(not(target_os = "linux")) {
        found.push("what a stalled thread is doing is known on Linux alone".into());
    } else if let Err(error) = std::fs::read("/proc/thread-self/syscall") {
        found.push(format!("the kernel hides which system call a stalled thread sleeps in, and where (/proc/self/task/*/syscall: {error})"));
    }
    match stacks {
        Stacks::Off => found.push("stacks of stalled threads are switched off".into()),
        Stacks::Asleep => found.push("stacks of stalled threads that run are switched off".into()),
        Stacks::All => {}
    }
    if stacks != Stacks::Off {
        found.extend(of_stacks(stacks));
    }
    found
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn of_stacks(stacks: Stacks) -> Vec<String> {
    use crate::capture::{buffer, running, sleeping};
    let readable = sleeping::here(&mut buffer::Snapshot::new(256)).err().map(|refused| format!("no stacks: {refused}"));
    let old = stacks == Stacks::All && !running::is_safe();
    let old =
        old.then(|| "stacks of sleeping threads only: this kernel is too old to interrupt a running one safely".into());
    readable.into_iter().chain(old).collect()
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn of_stacks(_: Stacks) -> Vec<String> {
    vec!["stacks need Linux on x86-64 or aarch64".into()]
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_off_is_said() {
        assert!(limitations(Stacks::Off).contains(&"stacks of stalled threads are switched off".into()));
        assert!(!limitations(Stacks::All).iter().any(|limitation| limitation.contains("switched off")));
    }
}
