//! Reading what is collected. Everything here may be called from any thread at any time, and makes no thread of the service
//! wait; [`Changes`] has one reader.

use super::view::{Change, Counts, Histograms, LockView, Losses, OpView, ResourceView, SpansView, TaskView};

/// Every task that lives, and those that ended and are still kept.
pub(crate) fn tasks(_each: &mut dyn FnMut(TaskView)) {}

/// Every resource that lives, and those that ended and are still kept.
pub(crate) fn resources(_each: &mut dyn FnMut(ResourceView)) {}

/// Every operation that lives, and those that ended and are still kept.
pub(crate) fn ops(_each: &mut dyn FnMut(OpView)) {}

/// Every lock that lives.
pub(crate) fn locks(_each: &mut dyn FnMut(LockView)) {}

/// The service's own spans around every task that lives and was polled inside of some.
pub(crate) fn spans(_each: &mut dyn FnMut(SpansView)) {}

/// One task.
pub(crate) fn task(_id: u64) -> Option<TaskView> {
    None
}

/// One resource.
pub(crate) fn resource(_id: u64) -> Option<ResourceView> {
    None
}

/// One operation.
pub(crate) fn op(_id: u64) -> Option<OpView> {
    None
}

/// One lock, by its resource's id.
pub(crate) fn lock(_resource: u64) -> Option<LockView> {
    None
}

/// The histograms of one task.
pub(crate) fn histograms(_task: u64) -> Option<Histograms> {
    None
}

/// How many live now.
pub(crate) fn counts() -> Counts {
    Counts::default()
}

/// What could not be kept.
pub(crate) fn losses() -> Losses {
    Losses::default()
}

/// What has changed since it was asked for last. There is one in the process: what it has told, it does not tell again.
///
/// Ask once in each interval while somebody watches. A client that joins gets the whole state by [`tasks`] and its like
/// *after* the last round of changes: nothing is then missed, and what is told twice is the same.
#[derive(Debug)]
pub(crate) struct Changes(());

impl Changes {
    /// The one of this process; `None` when it is taken.
    pub(crate) fn take() -> Option<Self> {
        Some(Self(()))
    }

    /// Begins a round: what was written before this call is told in this round.
    pub(crate) fn begin(&mut self) {}

    /// Tasks that changed before the round began.
    pub(crate) fn tasks(&mut self, _each: &mut dyn FnMut(Change<TaskView>)) {}

    /// Resources that changed before the round began.
    pub(crate) fn resources(&mut self, _each: &mut dyn FnMut(Change<ResourceView>)) {}

    /// Operations that changed before the round began.
    pub(crate) fn ops(&mut self, _each: &mut dyn FnMut(Change<OpView>)) {}

    /// Locks that changed before the round began.
    pub(crate) fn locks(&mut self, _each: &mut dyn FnMut(Change<LockView>)) {}

    /// Tasks whose place in the service's own spans changed before the round began; no spans when it left them.
    pub(crate) fn spans(&mut self, _each: &mut dyn FnMut(SpansView)) {}

    /// Whether somebody watches: while nobody does, what ends unread is no loss.
    pub(crate) fn set_watched(&mut self, _watched: Watched) {}
}

/// Whether somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    No,
    Yes,
}
