//! Copies the registers and the stack of a thread that sleeps, or of the calling one.
//!
//! A sleeping thread is only looked at: where it sleeps stands in `/proc`, and its stack is read as a debugger would, so
//! that an address that is not there is an error and not a crash. Room for the copy is made beforehand, in a [`Snapshot`].

#![allow(unsafe_code, reason = "reading registers, and memory that may not be there")]

use crate::clock::{self, Nanos};
use std::{arch::asm, fs, io};

/// How much of a stack is copied.
pub(crate) const STACK_BYTES: usize = 64 * 1024;

const PAGE: u64 = 4096;

/// What unwinding starts from. The frame pointer and the return address of a sleeping thread are not told by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registers {
    pub(crate) pc: u64,
    pub(crate) sp: u64,
    pub(crate) fp: Option<u64>,
    /// The link register, where the processor has one.
    pub(crate) lr: Option<u64>,
}

/// Registers, and the stack from the stack pointer up: memory made beforehand, to be filled again and again.
#[derive(Debug)]
pub(crate) struct Snapshot {
    registers: Registers,
    bytes: Box<[u8]>,
    filled: usize,
    at: Nanos,
}

/// Why a thread was not captured. Each says it in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It has to be interrupted, or waited for.
    #[error("the thread runs")]
    Runs,
    #[error("the thread has ended")]
    Gone,
    #[error("the kernel does not tell where the thread sleeps (/proc/self/task/*/syscall: {0})")]
    Hidden(String),
    #[error("the thread's stack cannot be read (process_vm_readv: {0})")]
    Unreadable(String),
    #[error("the thread woke up while its stack was copied")]
    Moved,
    /// A handler is still at work for a capture that was given up: ask again.
    #[error("another capture is not over")]
    Busy,
    #[error("the thread runs, and {0}")]
    NotInterruptible(String),
}

impl Snapshot {
    /// Room for `bytes` of stack.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            registers: Registers { pc: 0, sp: 0, fp: None, lr: None },
            bytes: vec![0; bytes].into_boxed_slice(),
            filled: 0,
            at: clock::now(),
        }
    }

    pub(crate) fn registers(&self) -> Registers {
        self.registers
    }

    /// When it was taken.
    pub(crate) fn at(&self) -> Nanos {
        self.at
    }

    /// The stack, from the stack pointer up.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// The word of the stack at `address`, where the copy has it.
    pub(crate) fn word(&self, address: u64) -> Option<u64> {
        let offset = usize::try_from(address.checked_sub(self.registers.sp)?).ok()?;
        let word = self.bytes().get(offset..offset.checked_add(8)?)?;
        Some(u64::from_ne_bytes(word.try_into().ok()?))
    }

    /// Where the copy ends, as an address of the stack.
    pub(crate) fn end(&self) -> u64 {
        self.registers.sp.saturating_add(self.filled as u64)
    }

    /// Takes over what was captured elsewhere.
    pub(crate) fn fill(&mut self, registers: Registers, stack: &[u8]) {
        let filled = stack.len().min(self.bytes.len());
        self.bytes[..filled].copy_from_slice(&stack[..filled]);
        (self.registers, self.filled, self.at) = (registers, filled, clock::now());
    }

    fn copy(&mut self, registers: Registers) -> Result<(), Refused> {
        self.filled = 0;
        let copied =
            read_memory(registers.sp, &mut self.bytes).map_err(|error| Refused::Unreadable(error.to_string()))?;
        (self.registers, self.filled, self.at) = (registers, copied, clock::now());
        Ok(())
    }
}

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
    into.filled = 0;
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

/// Copies memory of this process from `address` on, up to the first page that cannot be read, and says how much. It allocates
/// nothing and takes no lock, and so it may be called in a signal handler; it changes `errno`.
pub(crate) fn read_memory(address: u64, into: &mut [u8]) -> io::Result<usize> {
    const PIECES: usize = 32;
    let mut copied = 0;
    while copied < into.len() {
        // A transfer stops before the first piece that cannot be read whole: hence pieces that end where pages do.
        let mut pieces = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; PIECES];
        let mut planned = 0;
        for piece in &mut pieces {
            let from = address.saturating_add((copied + planned) as u64);
            let len = ((PAGE - from % PAGE) as usize).min(into.len() - copied - planned);
            *piece = libc::iovec { iov_base: from as *mut libc::c_void, iov_len: len };
            planned += len;
        }
        let local = libc::iovec { iov_base: into[copied..].as_mut_ptr().cast(), iov_len: planned };
        // SAFETY: the kernel writes at most `planned` bytes to `local`, which is that much of `into`; it checks the addresses
        // that it reads from, whatever they are.
        let read =
            unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, pieces.as_ptr(), PIECES as u64, 0) };
        match usize::try_from(read) {
            Ok(read) => copied += read,
            Err(_) if copied == 0 => return Err(io::Error::last_os_error()),
            Err(_) => break,
        }
        if (read as usize) < planned {
            break;
        }
    }
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_up_to_where_it_ends() {
        // SAFETY: three fresh pages, of which the last is taken away again; nobody else knows them.
        let start = unsafe {
            let start = libc::mmap(
                std::ptr::null_mut(),
                3 * PAGE as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(start, libc::MAP_FAILED);
            std::ptr::write_bytes(start.cast::<u8>(), 7, 2 * PAGE as usize);
            assert_eq!(libc::mprotect(start.byte_add(2 * PAGE as usize), PAGE as usize, libc::PROT_NONE), 0);
            start as u64
        };
        let mut bytes = vec![0; 5 * PAGE as usize];
        assert_eq!(read_memory(start + 100, &mut bytes).unwrap(), 2 * PAGE as usize - 100);
        assert!(bytes[..2 * PAGE as usize - 100].iter().all(|byte| *byte == 7));
        assert!(read_memory(start + 2 * PAGE, &mut bytes).is_err());
        assert!(read_memory(u64::MAX - 10, &mut bytes).is_err());
    }

    #[test]
    fn more_than_one_transfer_is_read_whole() {
        let from: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
        let mut into = vec![0; from.len()];
        assert_eq!(read_memory(from.as_ptr() as u64, &mut into).unwrap(), from.len());
        assert_eq!(into, from);
    }

    #[test]
    fn a_thread_that_is_not_there_is_refused() {
        assert_eq!(asleep(u32::MAX, &mut Snapshot::new(STACK_BYTES)), Err(Refused::Gone));
    }

    #[test]
    fn a_word_outside_of_the_copy_is_none() {
        let mut snapshot = Snapshot::new(16);
        snapshot.fill(Registers { pc: 1, sp: 1000, fp: None, lr: None }, &[1; 24]);
        assert_eq!(snapshot.word(1000), Some(0x0101_0101_0101_0101));
        assert!(snapshot.word(1008).is_some());
        assert_eq!((snapshot.word(1009), snapshot.word(999), snapshot.word(u64::MAX)), (None, None, None));
        assert_eq!(snapshot.end(), 1016);
    }
}
