//! The ends of channels, and handles to what has none.

use super::Plans;
use crate::{
    ClaimKind,
    debug::{TypeId, Types},
    future::{
        class::Class,
        plan::{End, Leaf, LeafKind, Shared},
    },
};

impl Plans {
    /// An end of a channel, or a handle.
    pub(super) fn end(&self, class: Class, id: TypeId, leaf: &mut dyn FnMut(&str, LeafKind) -> Leaf) -> Option<End> {
        let end = match class {
            Class::OneshotReceiver => {
                let shared = self.shared(id, "inner")?;
                let leaf = leaf("a oneshot", LeafKind::Oneshot(shared));
                End { shared, what: ClaimKind::Receiver, leaf: Some(leaf) }
            }
            Class::MpscReceiver => {
                let shared = self.shared(id, "inner")?;
                let leaf = leaf("a message", LeafKind::Message(shared));
                End { shared, what: ClaimKind::Receiver, leaf: Some(leaf) }
            }
            Class::OneshotSender => {
                let shared = self.shared(id, "inner")?;
                let closes = self.closed(shared).zip(self.waker_behind(id, &[&["inner"]]));
                let leaf = closes.map(|(what, waker)| Leaf { waker: Some(waker), ..leaf("its receiver", what) });
                End { shared, what: ClaimKind::Sender, leaf }
            }
            Class::MpscSender => End { shared: self.shared(id, "inner")?, what: ClaimKind::Sender, leaf: None },
            Class::WatchSender | Class::BroadcastSender => {
                End { shared: self.shared(id, "shared")?, what: ClaimKind::Sender, leaf: None }
            }
            Class::WatchReceiver | Class::BroadcastReceiver => {
                End { shared: self.shared(id, "shared")?, what: ClaimKind::Receiver, leaf: None }
            }
            Class::Handle => {
                let (pointer, to) = self.types.pointer(id)?;
                let data = self.types.ty(to).member("data")?.at;
                let shared = Shared { pointer, data, ty: to };
                End { shared, what: ClaimKind::Sender, leaf: None }
            }
            _ => return None,
        };
        Some(end)
    }

    /// What a oneshot's sender waits for.
    fn closed(&self, shared: Shared) -> Option<LeafKind> {
        let (state, _) = self.types.path(shared.ty, &["state"])?;
        Some(LeafKind::Closed { shared, state })
    }
}
