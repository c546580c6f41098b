//! The service's own spans around a task's last poll.

use crate::{
    collect::{spans, task::slot::Slot},
    slots::{
        id::{self, Kind, Ours},
        lifetime::Clones,
    },
    view::SpansView,
};

/// Which of a task's contexts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contexts {
    All,
    /// Those that changed since they were asked for last.
    Changed,
}

/// The service's own spans around a task's last poll; `None` where there is nothing to tell.
pub(crate) fn context(index: u32, slot: &Slot, which: Contexts) -> Option<SpansView> {
    let seen = slot.lifetime.look()?;
    let task = id::encode(Ours { kind: Kind::Task, index, stamp: seen.stamp(Clones::Alike) });
    let asked = match which {
        Contexts::All => slot.context.get() != 0,
        Contexts::Changed => slot.context_changed.get() != 0,
    };
    asked.then_some(())?;
    if which == Contexts::Changed {
        slot.context_changed.set(0);
    }
    let span = slot.extra.lock().context.clone();
    let view = SpansView { task, spans: span.as_deref().map(spans::view).unwrap_or_default() };
    slot.lifetime.still(seen, Clones::Alike).then_some(view)
}
