//! What the instrumentation keeps, and what it lets through.

use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use crate::Filter;

/// What of it is kept for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeps {
    /// How long what has ended is kept for clients that connect later.
    pub(crate) retention: Duration,
    /// What the service's subscriber lets through.
    pub(crate) filter: Filter,
}

impl Keeps {
    /// The filter for all layers.
    pub(crate) fn level(self) -> LevelFilter {
        match self.filter {
            Filter::OfEachLayer => LevelFilter::TRACE,
            Filter::OneForAll => LevelFilter::INFO,
        }
    }
}
