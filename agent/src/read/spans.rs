//! The service's own spans around a task's last poll.

use crate::{
    collect::{spans, task::slot::Slot},
    read::view::SpansView,
    slots::{
        id::{self, Kind, Ours},
        lifetime::Clones,
    },
};

/// Which of a task's contexts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contexts {
    All,
    /// Those that were not told yet, which they are by this.
    Untold,
}

/// The service's own spans around a task's last poll; `None` where there is nothing to tell.
pub(crate) fn context(index: u32, slot: &Slot, which: Contexts) -> Option<SpansView> {
    let seen = slot.life.look()?;
    let task = id::encode(Ours { kind: Kind::Task, index, stamp: seen.stamp(Clones::Alike) });
    let asked = match which {
        Contexts::All => slot.context.get() != 0,
        Contexts::Untold => slot.untold_context.get() != 0,
    };
    asked.then_some(())?;
    if which == Contexts::Untold {
        slot.untold_context.set(0);
    }
    let span = slot.extra.lock().context.clone();
    let view = SpansView { task, spans: span.as_deref().map(spans::view).unwrap_or_default() };
    slot.life.still(seen, Clones::Alike).then_some(view)
}
