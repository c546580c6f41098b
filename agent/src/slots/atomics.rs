//! The atomics that the lock-free parts are made of, in one place, so that a test can put loom's in their stead.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
