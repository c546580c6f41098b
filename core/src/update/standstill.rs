//! The process as a whole, when it does not run.

use super::Stamp;

/// A span of time in which no thread of the process ran, although some wanted to: it was stopped, or its machine was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Standstill {
    /// When it was last seen to run.
    pub from: Stamp,
    /// When it was seen to run again.
    pub to: Stamp,
}
