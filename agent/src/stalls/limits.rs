//! What cannot be learned of stalls in this process, found out once and without a stall.

use crate::{
    collect::threads,
    stalls::{Stacks, kernel},
};

/// What is missing and why, each a sentence for the user.
pub(crate) fn limitations(stacks: Stacks) -> Vec<String> {
    let mut found = Vec::new();
    if cfg!(not(target_os = "linux")) {
        found.push("what a stalled thread is doing is known on Linux alone".into());
    } else if let Err(error) = std::fs::read("/proc/thread-self/syscall") {
        found.push(format!("the kernel hides which system call a stalled thread sleeps in, and where (/proc/self/task/*/syscall: {error})"));
    }
    if cfg!(target_os = "linux") && kernel::cpu(threads::current_tid()).is_none() {
        found.push(
            "the kernel hides how long threads were on a processor (clock_gettime): whether a stalled one runs or waits for a processor is not known, nor \
             what the agent itself takes of one"
                .into(),
        );
    }
    match stacks {
        Stacks::Off => found.push("stacks of stalled threads are switched off".into()),
        Stacks::Asleep => found.push("stacks of stalled threads that run are switched off".into()),
        Stacks::All => {}
    }
    if stacks != Stacks::Off {
        found.extend(of_stacks());
    }
    found
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn of_stacks() -> Option<String> {
    use crate::capture::{buffer, sleeping};
    sleeping::here(&mut buffer::Snapshot::new(256)).err().map(|refused| format!("no stacks: {refused}"))
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn of_stacks() -> Option<String> {
    Some("stacks need Linux on x86-64 or aarch64".into())
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
