//! What the agent does without, each with why: the service goes on whatever that is. Whoever started the agent is told, the service's log,
//! and every client.

use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Something that an agent mostly has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// A setting as the environment has it: which one.
    Setting(&'static str),
    /// All of it.
    Agent,
    /// The address on which clients find it.
    Address,
    /// The file that says which one that is.
    AddressFile,
    /// The thread that serves.
    Server,
    /// The thread that tells who looks.
    Audit,
    Watchdog,
    /// Those of threads that run.
    Stacks,
    Alarms,
    StateSignal,
    /// What it tells Prometheus.
    Metrics,
    /// The past that it keeps.
    History,
    /// The file that it is written to.
    #[cfg(feature = "history")]
    HistoryFile,
}

/// What is missing now.
#[derive(Debug, Default)]
pub(crate) struct Missing(Mutex<BTreeMap<Part, String>>);

impl Missing {
    /// Something is not there, for this reason.
    pub(crate) fn note(&self, part: Part, why: &dyn std::fmt::Display) {
        self.0.lock().insert(part, why.to_string());
    }

    /// It is there after all.
    pub(crate) fn found(&self, part: Part) {
        self.0.lock().remove(&part);
    }

    /// Each in words.
    pub(crate) fn in_words(&self) -> Vec<String> {
        self.0.lock().values().cloned().collect()
    }
}
