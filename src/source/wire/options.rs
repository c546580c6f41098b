//! What a user can change about a link.

use super::{Backoff, Credentials};
use crate::source::memory::MemoryOptions;
use std::time::Duration;

/// How a link behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The largest single message that is accepted, in bytes. A message is never held whole, so that this bounds time
    /// and not memory: 512 MiB unless changed, the first state of about two million tasks.
    pub max_message: usize,
    /// Whether the target may be made to collect more.
    pub catch_up: CatchUp,
    /// How long a target may take to accept a connection, its name's resolution included: 5 seconds unless changed.
    pub connect_timeout: Duration,
    /// How long a target may take to answer a request, once connected: 5 seconds unless changed.
    pub answer_timeout: Duration,
    /// The time between two tries.
    pub backoff: Backoff,
    /// Who this client is, and whom it believes.
    pub credentials: Credentials,
    /// How memory is read, where it is.
    pub memory: MemoryOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_message: 512 * 1024 * 1024,
            catch_up: CatchUp::Allowed,
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(5),
            backoff: Backoff::default(),
            credentials: Credentials::default(),
            memory: MemoryOptions::default(),
        }
    }
}

/// Whether [`Command::CatchUp`](crate::update::Command::CatchUp) does anything.
///
/// A stock `console-subscriber` takes at most 127 events from its queue each time that it wakes, and it wakes for every
/// command. `Resume` is a command that changes nothing while the target is live, so that sending it makes a target
/// that lags take another 127. It is sent only while the target is known to be live, at most twenty times a second, and
/// costs the target a scan of its tasks each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// It does.
    #[default]
    Allowed,
    /// It does nothing.
    Forbidden,
}
