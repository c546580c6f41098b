//! Where a session's source stands, and what it tells beside the model.

use crate::update::{Begin, Connection, TaskDetails, Temporality, look::Values};

/// How far a large message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// Bytes that are here.
    pub received: u64,
    /// Bytes that there will be.
    pub total: u64,
}

/// Where the source stands.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Status {
    /// Where the connection stands.
    pub connection: Connection,
    /// Who began to tell last.
    pub begun: Option<Begin>,
    /// What speaks beside it: the memory of the same process.
    pub beside: Option<Begin>,
    /// Why the service is not heard any more, whose memory speaks alone.
    pub service_lost: Option<String>,
    /// Whether the target sends updates; `None` where it does not tell.
    pub temporality: Option<Temporality>,
    /// How far a large message has come, while one is under way.
    pub progress: Option<Progress>,
    /// The latest details of the task that is watched.
    pub details: Option<TaskDetails>,
    /// Why there are none.
    pub details_missing: Option<String>,
    /// What the frames of a task have, where that is asked for: the latest, and no other's.
    pub values: Option<Values>,
    /// How often the target was asked to catch up.
    pub catch_ups: u64,
    /// What a command did not do.
    pub trouble: Option<String>,
}

impl Status {
    /// Nothing was heard yet.
    pub(super) fn new() -> Self {
        Self {
            connection: Connection::Connecting { attempt: 1 },
            begun: None,
            beside: None,
            service_lost: None,
            temporality: None,
            progress: None,
            details: None,
            details_missing: None,
            values: None,
            catch_ups: 0,
            trouble: None,
        }
    }
}
