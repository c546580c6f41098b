//! Copies the registers and the stack of a thread that sleeps, or of the calling one.
//!
//! A sleeping thread is only looked at: where it sleeps stands in `/proc`, and its stack is read as a debugger would, so
//! that an address that is not there is an error and not a crash. Memory for the copy is made beforehand.

#![allow(unsafe_code, reason = "reading registers")]

use crate::capture::buffer::{Refused, Snapshot};
use holdup_stack::copy::Registers;
use std::{arch::asm, fs};

/// Captures a thread that sleeps in the kernel, without disturbing it.
pub(crate) fn asleep(tid: u32, into: &mut Snapshot) -> Result<(), Refused> {
    // A thread that wakes up meanwhile leaves a copy that mixes two moments; the kernel counts how often a thread got a
    // CPU, so that one which woke and slept again in the same place is noticed too.
    for _ in 0..3 {
        let before = (place(tid)?, slices(tid));
        into.copy(before.0)?;
        if (place(tid)?, slices(tid)) == before {
            return Ok(());
        }
    }
    into.clear();
    Err(Refused::Moved)
}

/// Captures the calling thread, from its caller on.
#[inline(never)]
pub(crate) fn here(into: &mut Snapshot) -> Result<(), Refused> {
    let (pc, sp, fp): (u64, u64, u64);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: registers are read, nothing is written, and the stack is left alone.
    unsafe {
        asm!("lea {0}, [rip]", "mov {1}, rsp", "mov {2}, rbp", out(reg) pc, out(reg) sp, out(reg) fp,
            options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: registers are read, nothing is written, and the stack is left alone.
    unsafe {
        asm!("adr {0}, .", "mov {1}, sp", "mov {2}, x29", out(reg) pc, out(reg) sp, out(reg) fp,
            options(nomem, nostack, preserves_flags));
    }
    into.copy(Registers { pc, sp, fp: Some(fp), lr: None })
}

/// Where a thread sleeps, as the kernel tells.
fn place(tid: u32) -> Result<Registers, Refused> {
    let text =
        fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH) => Refused::Gone,
            _ => Refused::Hidden(error.to_string()),
        })?;
    if text.starts_with("running") {
        return Err(Refused::Runs);
    }
    // The number of the call and its six arguments, or -1 alone; then the stack pointer and the program counter.
    let mut words = text.split_ascii_whitespace().rev();
    let mut word = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    match (word(), word()) {
        (Some(pc), Some(sp)) if pc != 0 && sp != 0 => Ok(Registers { pc, sp, fp: None, lr: None }),
        _ => Err(Refused::Hidden("it shows no addresses".into())),
    }
}

/// How often a thread got a CPU, and for how long; `None` where the kernel does not count.
fn slices(tid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::buffer::STACK_BYTES;

    #[test]
    fn a_thread_that_is_not_there_is_refused() {
        assert_eq!(asleep(u32::MAX, &mut Snapshot::new(STACK_BYTES)), Err(Refused::Gone));
    }
}
