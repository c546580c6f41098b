//! Numbers that one thread writes and others read. Nothing here orders two of them: a newborn's are published with its lifetime, and a reader that looked at
//! it twice has one user's (I4 of [`super`]).

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// 64 bits. Each value by itself is whole; order between several is whatever the reader arranges.
#[derive(Debug, Default)]
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Writes `value` where 0 stands; returns what stands there then.
    #[inline]
    pub(crate) fn claim(&self, value: u64) -> u64 {
        match self.0.compare_exchange(0, value, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => value,
            Err(standing) => standing,
        }
    }

    /// Adds, where this thread is the only one that writes (I6 of [`super`]).
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.set(self.get().wrapping_add(more));
    }

    /// Sets bits, whoever else writes.
    pub(crate) fn set_bits(&self, bits: u64) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    /// Adds, whoever else writes.
    #[inline]
    pub(crate) fn add_shared(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

/// 32 bits.
#[derive(Debug, Default)]
pub(crate) struct Half(AtomicU32);

impl Half {
    #[inline]
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, value: u32) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Sets bits, whoever else writes others.
    pub(crate) fn set_bits(&self, bits: u32) {
        self.0.fetch_or(bits, Ordering::Relaxed);
    }

    /// Clears bits, whoever else writes others.
    pub(crate) fn clear_bits(&self, bits: u32) {
        self.0.fetch_and(!bits, Ordering::Relaxed);
    }
}
