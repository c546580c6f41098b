//! Contexts: the service's own spans around a task's last poll.

use super::Slot;
use crate::collect::{
    id::{self, Kind, Ours},
    life::Clones,
    spans,
    view::SpansView,
};

impl Slot {
    /// Another context than after the poll before.
    #[cold]
    pub(super) fn set_context(&self, innermost: u64) {
        self.context.set(innermost);
        self.extra.lock().context = spans::context(innermost);
        self.has_extra.set(1);
        self.untold_context.set(1);
    }
}

/// Which of a task's contexts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum Contexts {
    All,
    /// Those that were not told yet, which they are by this.
    Untold,
}

/// The service's own spans around a task's last poll; `None` where there is nothing to tell.
pub(in crate::collect) fn context(index: u32, slot: &Slot, which: Contexts) -> Option<SpansView> {
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
