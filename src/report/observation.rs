//! What came of watching a target for a while, whoever watched it.

use crate::{
    session::Session,
    update::{DecodeIssues, Dropped, Stamp, look::Values},
};
use std::time::Duration;

/// What came of it.
pub struct Observation {
    /// The target as it was at the end, and every finding of the window.
    pub session: Session,
    /// The target's clock at the first complete update.
    pub start: Stamp,
    /// The target's clock at the last update.
    pub end_at: Stamp,
    /// What frames hold of one task of each chain, where that was asked for.
    pub values: Vec<Values>,
    /// How long we watched, by our own clock.
    pub elapsed: Duration,
    /// Why it ended.
    pub end: End,
    /// What the sessions of the window held together.
    pub totals: Totals,
}

/// What is counted over all sessions of the window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Attachments, one unless the target was lost in between.
    pub sessions: u64,
    /// Distinct tasks.
    pub tasks: usize,
    /// Events that the target dropped.
    pub dropped: Dropped,
    /// What could not be used of its messages.
    pub issues: DecodeIssues,
    /// The worst lag.
    pub worst_lag: Duration,
    /// The latest that the link delivered something.
    pub worst_behind: Duration,
    /// How often it was asked to catch up.
    pub catch_ups: u64,
}

/// Why the window ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was over.
    Elapsed,
    /// Somebody asked us to stop.
    Interrupted,
    /// It was over while there was no connection.
    Lost {
        /// Why there was none.
        reason: String,
    },
    /// It was over, and the target, though connected, had said nothing for most of it.
    Silent {
        /// For how long.
        silent: Duration,
    },
}
