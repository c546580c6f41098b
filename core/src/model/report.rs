//! What an agent alone tells.

pub use crate::update::{Holder, LockStats, Loss, Panic, RuntimeStats, Span, TaskFacts, Waiting, WorkerStats};
