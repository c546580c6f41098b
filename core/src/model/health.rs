//! How far the target's account can be trusted: what it lost, how late it is, by its own fault or by the link's, and whether it
//! sent its state at all.

use crate::update::{Consistency, DecodeIssues, Dropped, Part, Stamp, Update};
use std::time::Duration;

/// An update with fewer events than this has told all there was. Stock console-subscriber takes at most 127 events out
/// of its channel each time it wakes (tokio's coop budget ends the loop), so an update at that limit may leave more behind.
const DRAINED_BELOW: usize = 120;

/// The state of the target's own instrumentation.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Health {
    /// Events that the target says it dropped since we attached.
    pub dropped: Dropped,
    /// When it last said so.
    pub dropped_at: Option<Stamp>,
    /// What of its messages could not be used.
    pub issues: DecodeIssues,
    /// Updates taken in.
    pub updates: u64,
    /// All that happened in the target before this instant has been told.
    pub told_until: Option<Stamp>,
    /// How late the newest announcement of the latest update was; zero while the target keeps up.
    pub lag: Duration,
    /// The worst lag since the target last kept up for a while; zero while it keeps up.
    pub worst_lag: Duration,
    /// When an announcement was last late.
    pub lagged_at: Option<Stamp>,
    /// How late the latest update came over the link; zero while that is little.
    pub behind: Duration,
    /// How often the target tells, where that is less often than it is set to, to spare its processors.
    pub told_every: Option<Duration>,
    /// Live tasks that statistics came for and that were never announced.
    pub unannounced_tasks: u64,
    /// Operations of tasks that were never announced.
    pub unannounced_in_ops: u64,
    latest: Tally,
}

/// What the pages of one update held together.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
struct Tally {
    events: usize,
    newest: Option<Stamp>,
}

/// An announcement is late when it is older than the update before by this much: below that it may be a matter of the
/// order in which threads ran.
const LATE: Duration = Duration::from_millis(500);

/// An update that comes this late is worth a word: what is shown is then visibly not what is.
const BEHIND: Duration = Duration::from_secs(2);

/// The word stands until updates are less late than this, so that it does not come and go.
const CAUGHT_UP: Duration = Duration::from_secs(1);

/// A target that was last late longer ago than this keeps up.
const KEEPS_UP: Duration = Duration::from_secs(5);

impl Health {
    /// Whether nothing is known to be missing.
    pub fn is_whole(&self) -> bool {
        self.dropped.total() == 0 && self.lagged_at.is_none() && self.unannounced_tasks == 0
    }

    /// Counts what one page holds.
    pub(super) fn page(&mut self, update: &Update, now: Stamp) {
        self.issues.add(update.issues);
        self.dropped.tasks = self.dropped.tasks.saturating_add(update.dropped.tasks);
        self.dropped.resources = self.dropped.resources.saturating_add(update.dropped.resources);
        self.dropped.ops = self.dropped.ops.saturating_add(update.dropped.ops);
        if update.dropped.total() > 0 {
            self.dropped_at = Some(now);
        }
        if update.part == Part::Last {
            self.told_every = update.told_every;
        }
        self.latest.events += update.poll_ops.len();
        let least = if self.behind.is_zero() { BEHIND } else { CAUGHT_UP };
        self.behind = if update.late >= least { update.late } else { Duration::ZERO };
    }

    /// Counts one more event of the update, one that brought something new. When somebody attaches, console-subscriber sends
    /// everything twice; the second time is no event.
    pub(super) fn event(&mut self) {
        self.latest.events += 1;
    }

    /// Notes when something that is reported for the first time was made.
    pub(super) fn announced(&mut self, created: Option<Stamp>) {
        self.latest.newest = self.latest.newest.max(created);
    }

    /// Judges an update that is complete. Events come in the order in which they happened, so an announcement says that
    /// all that came before it has been told. The first update tells of the past, so it says nothing about lateness. An agent has no
    /// queue to be behind with.
    pub(super) fn complete(&mut self, previous: Option<Stamp>, now: Stamp, consistency: Consistency) {
        let Tally { events, newest } = std::mem::take(&mut self.latest);
        self.updates += 1;
        let Some(previous) = previous else { return };
        if consistency == Consistency::OneInstant {
            self.told_until = self.told_until.max(Some(previous));
            return;
        }
        let told = if events < DRAINED_BELOW { Some(previous) } else { newest.map(|newest| newest.min(previous)) };
        self.told_until = self.told_until.max(told);
        let late = match newest {
            Some(newest) if events >= DRAINED_BELOW => previous.since(newest),
            _ => Duration::ZERO,
        };
        self.lag = if late >= LATE { late } else { Duration::ZERO };
        if !self.lag.is_zero() {
            self.lagged_at = Some(previous);
        }
        let keeps_up = self.lagged_at.is_none_or(|at| now.since(at) > KEEPS_UP);
        self.worst_lag = if keeps_up { Duration::ZERO } else { self.worst_lag.max(self.lag) };
    }
}
