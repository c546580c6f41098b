//! Registers and stack of a thread that runs, for which it is stopped: on demand alone.
//!
//! It is seized, interrupted, copied, and let go, by a thread that is made for it. Whatever happens on the way, the kernel lets go of
//! what a thread has seized when that thread ends, or this process does: nothing stays stopped. A thread that fell asleep meanwhile may
//! see its system call interrupted.

use super::stack::MOST_BYTES;
use crate::bytes::{Region, Registers, find};
use nix::{
    sys::{
        ptrace,
        uio::{RemoteIoVec, process_vm_readv},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use std::{
    io::IoSliceMut,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// One that has not stopped by then is left.
const PATIENCE: Duration = Duration::from_millis(500);
/// So many threads may still wait for such a one, before no other is begun with.
const MOST_LEFT: u32 = 8;
static LEFT: AtomicU32 = AtomicU32::new(0);

/// What was copied of a thread.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) registers: Registers,
    pub(crate) stack: Vec<u8>,
    /// For how long it was stopped, at most: on a busy machine it stops when it is its turn to run, which is within this time.
    pub(crate) stopped: Duration,
}

/// Stops a thread for as long as it takes to copy its registers and its stack.
pub(crate) fn copied(thread: u32, regions: &Arc<[Region]>) -> Result<Copied, String> {
    if LEFT.load(Ordering::Relaxed) >= MOST_LEFT {
        return Err("too many threads were asked that could not be stopped".into());
    }
    let (tell, told) = mpsc::sync_channel(1);
    let regions = Arc::clone(regions);
    LEFT.fetch_add(1, Ordering::Relaxed);
    let seizes = std::thread::Builder::new().name("holdup-stop".into()).spawn(move || {
        // If nobody waits for it any more, it lets go all the same, as soon as the thread stops.
        let _ = tell.send(seized(Pid::from_raw(thread.cast_signed()), &regions));
        LEFT.fetch_sub(1, Ordering::Relaxed);
    });
    if let Err(error) = seizes {
        LEFT.fetch_sub(1, Ordering::Relaxed);
        return Err(format!("no thread could be made for it: {error}"));
    }
    told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        Err("it did not stop in time: it got no processor, or sleeps where nothing can wake it".into())
    })
}

fn seized(thread: Pid, regions: &[Region]) -> Result<Copied, String> {
    // Asked for beforehand, so that it takes no time while the thread is stopped.
    let mut stack = vec![0; MOST_BYTES as usize];
    ptrace::seize(thread, ptrace::Options::empty()).map_err(|error| format!("it could not be seized: {error}"))?;
    let began = Instant::now();
    ptrace::interrupt(thread).map_err(|error| format!("it could not be interrupted: {error}"))?;
    wait(thread)?;
    let registers = ptrace::getregs(thread).map(|registers| known(&registers));
    if let Ok(registers) = &registers {
        let region = find(regions, registers.sp).filter(|region| region.may.read());
        let len = region.map_or(0, |region| (region.range.end - registers.sp).min(MOST_BYTES));
        stack.truncate(len as usize);
        let remote = [RemoteIoVec { base: usize::try_from(registers.sp).unwrap_or(0), len: stack.len() }];
        let read = process_vm_readv(thread, &mut [IoSliceMut::new(&mut stack)], &remote).unwrap_or(0);
        stack.truncate(read);
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
fn wait(thread: Pid) -> Result<(), String> {
    loop {
        match waitpid(thread, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => return Err("it has ended".into()),
            // A signal that comes at the same moment is passed on; the interruption follows.
            Ok(WaitStatus::Stopped(_, signal)) => {
                ptrace::cont(thread, signal).map_err(|error| format!("it could not go on: {error}"))?;
            }
            Ok(_) => return Ok(()),
            Err(nix::errno::Errno::EINTR) => {}
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
