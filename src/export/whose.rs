//! Who a target is, as far as it says.

use crate::update::{Begin, Process, Protocol};

/// Who a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    /// What it calls itself, empty where it does not say.
    pub(super) service: String,
    /// What tells of it.
    pub(super) instrument: &'static str,
    /// Its version of tokio, empty where it does not say.
    pub(super) tokio: String,
    /// What tells this run of it from others, empty where it does not say.
    pub(super) boot: String,
    /// Its process, as it sees itself.
    pub(super) pid: Option<u32>,
    /// Since when its counters count, since 1970.
    pub(super) since: u64,
}

impl Whose {
    /// Of what begins to be told at this time since 1970.
    pub(super) fn of(begin: &Begin, now: u64) -> Self {
        let process = begin.process.as_ref();
        let word = |of: fn(&Process) -> &String| process.map(of).cloned().unwrap_or_default();
        let instrument = match begin.protocol {
            Protocol::Agent => "agent",
            Protocol::Console => "console-subscriber",
            Protocol::Memory => "memory",
        };
        // A clock that is ahead of this one does not make a process start after it was seen.
        let since = process.and_then(|process| process.started).map_or(now, |started| started.nanos().min(now));
        Self {
            service: word(|process| &process.name),
            instrument,
            tokio: word(|process| &process.tokio_version),
            boot: word(|process| &process.boot_id),
            pid: process.map(|process| process.pid).filter(|pid| *pid > 0),
            since,
        }
    }
}
