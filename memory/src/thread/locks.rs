//! Threads that sleep for a lock which is no task's to wait for: of the standard library, or of `parking_lot`. Their stacks tell it by
//! the names of functions; which lock it is, the address that the kernel was given. `parking_lot` sleeps on a word of the thread's own,
//! so that of its locks nothing tells which.

use super::Stack;
use crate::{Sleeps, SleepsFor, bytes::KernelThread};
use nix::libc;

/// The functions in which threads sleep for locks of the standard library, by how their names begin and end: where they stand has changed
/// from version to version.
const STD: &[(&str, SleepsFor)] = &[
    ("Mutex::lock_contended", SleepsFor::Mutex),
    ("RwLock::read_contended", SleepsFor::Read),
    ("RwLock::write_contended", SleepsFor::Write),
];
/// The same of `parking_lot`.
const PARKING_LOT: &[&str] = &["RawMutex::lock_slow", "RawRwLock::lock_shared_slow", "RawRwLock::lock_exclusive_slow"];
/// So many frames are between the kernel and such a function at most.
const NEAR: usize = 8;

/// What a thread sleeps for, if it is such a lock.
pub(super) fn sleeps(thread: &KernelThread, stack: &Stack) -> Option<Sleeps> {
    let is_futex = thread.syscall == u64::try_from(libc::SYS_futex).ok();
    if !is_futex || !matches!(thread.state, 'S' | '?') {
        return None;
    }
    stack.frames.iter().take(NEAR).find_map(|frame| {
        // `<std::…::Mutex>::lock_contended` in one form of symbols, without the brackets in the other.
        let name = frame.function.replace(['<', '>'], "");
        let of_std = || STD.iter().find(|(function, _)| name.starts_with("std::sys::") && name.ends_with(function));
        if let Some((_, lock)) = of_std() {
            // What could be another frame's says nothing of which lock it is.
            let at = thread.argument.filter(|at| *at != 0 && !stack.approximate);
            return Some(Sleeps { lock: *lock, at });
        }
        let of_parking_lot =
            name.starts_with("parking_lot::") && PARKING_LOT.iter().any(|function| name.ends_with(function));
        of_parking_lot.then_some(Sleeps { lock: SleepsFor::ParkingLot, at: None })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StackFrame;
    use std::sync::Arc;

    fn stack(functions: &[&str]) -> Stack {
        let frame = |function: &&str| StackFrame {
            function: Arc::from(*function),
            module: Arc::from(""),
            place: None,
            address: 0,
            inlined: false,
        };
        Stack { frames: functions.iter().map(frame).collect(), ..Stack::none("") }
    }

    #[test]
    fn which_lock_a_thread_sleeps_for() {
        let futex = u64::try_from(libc::SYS_futex).ok();
        let thread = KernelThread { state: 'S', syscall: futex, argument: Some(0x7f00), ..KernelThread::default() };
        let lock = [
            "syscall",
            "std::sys::pal::unix::futex::futex_wait",
            "<std::sys::sync::mutex::futex::Mutex>::lock_contended",
        ];
        let at = Some(0x7f00);
        assert_eq!(sleeps(&thread, &stack(&lock)), Some(Sleeps { lock: SleepsFor::Mutex, at }));
        let approximate = Stack { approximate: true, ..stack(&lock) };
        assert_eq!(sleeps(&thread, &approximate), Some(Sleeps { lock: SleepsFor::Mutex, at: None }));
        let write = ["syscall", "std::sys::sync::rwlock::futex::RwLock::write_contended"];
        assert_eq!(sleeps(&thread, &stack(&write)), Some(Sleeps { lock: SleepsFor::Write, at }));
        let parked = ["syscall", "parking_lot_core::parking_lot::park", "parking_lot::raw_mutex::RawMutex::lock_slow"];
        assert_eq!(sleeps(&thread, &stack(&parked)), Some(Sleeps { lock: SleepsFor::ParkingLot, at: None }));
        // A thread that waits for a turn, or that another unparks; and one that runs.
        assert_eq!(sleeps(&thread, &stack(&["syscall", "std::thread::park"])), None);
        assert_eq!(sleeps(&KernelThread { state: 'R', ..thread.clone() }, &stack(&lock)), None);
        assert_eq!(sleeps(&KernelThread { syscall: Some(9_999), ..thread }, &stack(&lock)), None);
    }
}
