//! What few tasks have, kept apart so that the others need no room for it.

/// A number of 64 bits that hardly ever needs more than 32. Its lower half stands in the row, its upper half in [`Rare`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    /// Polls.
    Polls,
    /// Wakes.
    Wakes,
    /// Wakes by the task itself.
    SelfWakes,
    /// Clones of its waker.
    WakerClones,
    /// Drops of its waker.
    WakerDrops,
    /// Tokio's number for the task, zero where it is not told.
    TokioId,
}

impl Number {
    /// Every one, in the order of their places.
    pub(super) const ALL: [Self; 6] =
        [Self::Polls, Self::Wakes, Self::SelfWakes, Self::WakerClones, Self::WakerDrops, Self::TokioId];
}

/// What a task has that had long polls, whose future was boxed, or one of whose numbers passed four thousand million.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Rare {
    /// The upper halves of its numbers.
    pub high: [u32; Number::ALL.len()],
    /// The size before the runtime boxed the future; 0 where it did not.
    pub original_size: u32,
    /// Polls over [`LONG_POLL`](super::LONG_POLL), a lower bound.
    pub long_polls: u32,
    /// Nanoseconds spent in them, a lower bound.
    pub long_busy: u64,
}
