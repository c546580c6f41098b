//! Registers and stack of a thread that runs, for which it is stopped: on demand alone.
//!
//! It is seized, interrupted, copied, and let go, by a thread that is made for it. Whatever happens on the way, the kernel lets go of
//! what a thread has seized when that thread ends, or this process does: nothing stays stopped. A thread that fell asleep meanwhile may
//! see its system call interrupted.

use super::stack::MOST_BYTES;
use crate::bytes::{Bytes, Region, Registers, find};
use nix::{
    sys::{
        ptrace,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use std::time::{Duration, Instant};

/// One that has not stopped by then sleeps where nothing can stop it.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was copied of a thread.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) registers: Registers,
    pub(crate) stack: Vec<u8>,
    /// For how long it was stopped, at most.
    pub(crate) stopped: Duration,
}

/// Stops a thread for as long as it takes to copy its registers and its stack.
pub(crate) fn copied(thread: u32, regions: &[Region], bytes: &dyn Bytes) -> Result<Copied, String> {
    std::thread::scope(|scope| {
        let seizes = std::thread::Builder::new().name("holdup-stop".into());
        let seizes = seizes.spawn_scoped(scope, || seized(Pid::from_raw(thread.cast_signed()), regions, bytes));
        let seizes = seizes.map_err(|error| format!("no thread could be made for it: {error}"))?;
        seizes.join().unwrap_or_else(|_| Err("copying it failed".into()))
    })
}

fn seized(thread: Pid, regions: &[Region], bytes: &dyn Bytes) -> Result<Copied, String> {
    // Asked for beforehand, so that it takes no time while the thread is stopped.
    let mut stack = vec![0; MOST_BYTES as usize];
    ptrace::seize(thread, ptrace::Options::empty()).map_err(|error| format!("it could not be seized: {error}"))?;
    let began = Instant::now();
    ptrace::interrupt(thread).map_err(|error| format!("it could not be interrupted: {error}"))?;
    wait(thread, began)?;
    let registers = ptrace::getregs(thread).map(|registers| known(&registers));
    if let Ok(registers) = &registers {
        let region = find(regions, registers.sp).filter(|region| region.may.read());
        let len = region.map_or(0, |region| (region.range.end - registers.sp).min(MOST_BYTES));
        stack.truncate(len as usize);
        if !bytes.read(registers.sp, &mut stack) {
            stack.clear();
        }
    }
    ptrace::detach(thread, None).map_err(|error| format!("it could not be let go: {error}"))?;
    let stopped = began.elapsed();
    let registers = registers.map_err(|error| format!("its registers could not be read: {error}"))?;
    if stack.is_empty() {
        return Err("its stack pointer leads to memory that cannot be read".into());
    }
    Ok(Copied { registers, stack, stopped })
}

/// Waits until the thread has stopped.
fn wait(thread: Pid, since: Instant) -> Result<(), String> {
    loop {
        match waitpid(thread, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) {
            Ok(WaitStatus::StillAlive) if since.elapsed() < PATIENCE => std::thread::yield_now(),
            Ok(WaitStatus::StillAlive) => return Err("it did not stop".into()),
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => return Err("it has ended".into()),
            // A signal that comes at the same moment is passed on; the interruption follows.
            Ok(WaitStatus::Stopped(_, signal)) => {
                ptrace::cont(thread, signal).map_err(|error| format!("it could not go on: {error}"))?;
            }
            Ok(_) => return Ok(()),
            Err(error) => return Err(format!("it could not be waited for: {error}")),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn known(registers: &nix::libc::user_regs_struct) -> Registers {
    Registers { pc: registers.rip, sp: registers.rsp, fp: Some(registers.rbp), lr: None, tp: Some(registers.fs_base) }
}

#[cfg(target_arch = "aarch64")]
fn known(registers: &nix::libc::user_regs_struct) -> Registers {
    let [.., fp, lr] = registers.regs;
    Registers { pc: registers.pc, sp: registers.sp, fp: Some(fp), lr: Some(lr), tp: None }
}
