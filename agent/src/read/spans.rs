//! The service's own spans around a task's last poll.

use crate::{
    collect::{spans, task::slot::Slot},
    slots::{
        id::{self, Kind, Ours},
        lifetime::Clones,
        round::Round,
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
pub(crate) fn context(round: &Round, index: u32, slot: &Slot, which: Contexts) -> Option<SpansView> {
    // Stays when the slot is read again: what was noted as told may have been another task's news, whose slot it is by then.
    let mut has_changed = false;
    round.read(slot, |seen| {
        let is_asked = match which {
            Contexts::All => slot.context.get() != 0,
            Contexts::Changed => {
                has_changed |= slot.context_changed.get() != 0;
                has_changed
            }
        };
        is_asked.then_some(())?;
        if which == Contexts::Changed {
            slot.context_changed.set(0);
        }
        let span = slot.extra.lock().context.clone();
        let task = id::encode(Ours { kind: Kind::Task, index, stamp: seen.stamp(Clones::Alike) });
        Some(SpansView { task, spans: span.as_deref().map(spans::view).unwrap_or_default() })
    })
}
