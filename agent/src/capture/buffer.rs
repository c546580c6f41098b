//! Memory that a stack is copied into, made beforehand, and why nothing may be in it.

use crate::clock::{self, Nanos};
use holdup_stack::{
    copy::{Registers, StackCopy},
    memory::read_own,
};

/// How much of a stack is copied.
pub(crate) const STACK_BYTES: usize = 64 * 1024;

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
    /// No thread of this process can be interrupted.
    #[error("the thread runs, and {0}")]
    Never(String),
}

impl Snapshot {
    /// Memory for `bytes` of stack.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            registers: Registers { pc: 0, sp: 0, fp: None, lr: None },
            bytes: vec![0; bytes].into_boxed_slice(),
            filled: 0,
            at: clock::now(),
        }
    }

    /// What was copied.
    pub(crate) fn copied(&self) -> StackCopy<'_> {
        StackCopy { registers: self.registers, bytes: &self.bytes[..self.filled] }
    }

    /// When it was taken.
    pub(crate) fn at(&self) -> Nanos {
        self.at
    }

    /// Holds nothing from here on.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Takes over what was captured elsewhere.
    pub(crate) fn fill(&mut self, registers: Registers, stack: &[u8]) {
        let filled = stack.len().min(self.bytes.len());
        self.bytes[..filled].copy_from_slice(&stack[..filled]);
        (self.registers, self.filled, self.at) = (registers, filled, clock::now());
    }

    /// Copies the stack that begins where the registers say.
    pub(crate) fn copy(&mut self, registers: Registers) -> Result<(), Refused> {
        self.filled = 0;
        let copied = read_own(registers.sp, &mut self.bytes).map_err(|error| Refused::Unreadable(error.to_string()))?;
        (self.registers, self.filled, self.at) = (registers, copied, clock::now());
        Ok(())
    }
}
