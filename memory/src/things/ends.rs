//! The ends of channels: who has them, weighed against how many there are. As with permits, a claim alone is no proof.

use super::{Read, Things, Told};
use crate::{Basis, ClaimKind, Holder, Thing, ThingKind, Waiter, Who, tokio::channel::State};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Ordering;

impl Things {
    /// A channel with those who have its ends, as far as they add up.
    pub(super) fn channel(&self, at: u64, state: &State, ends: Vec<Holder>, scene: &Told<'_>) -> Thing {
        let mut thing = Thing { channel: Some(state.channel), ..self.bare(at, state.kind) };
        thing.queue.extend(state.receiver.filter(|waker| *waker != 0).map(|waker| Waiter {
            who: scene.who(waker),
            wanted: 0,
            missing: 0,
        }));
        thing.holders = ends;
        for what in [ClaimKind::Sender, ClaimKind::Receiver] {
            let claimed = thing.holders.iter().filter(|end| end.what == what).count() as u64;
            let Some(exist) = exist(state, what) else { continue };
            if what == ClaimKind::Sender {
                thing.unseen = exist.saturating_sub(claimed);
            }
            // More ends than there are: some are left over, and nothing says which, but for the one who was seen to receive.
            let who = match (what, claimed.cmp(&exist)) {
                (_, Ordering::Less) => continue,
                (_, Ordering::Equal) => None,
                (ClaimKind::Receiver, Ordering::Greater) => match receives(&thing) {
                    Some(who) => Some(who),
                    None => continue,
                },
                (_, Ordering::Greater) => {
                    thing.holders.retain(|end| end.what != what);
                    continue;
                }
            };
            if is_open(state, what) && !Self::may_be_elsewhere(at, what, scene) {
                let is_it = |end: &&mut Holder| end.what == what && who.is_none_or(|who| end.who == who);
                thing.holders.iter_mut().filter(is_it).for_each(|end| end.basis = Basis::Proven);
            }
        }
        thing
    }

    /// The channels of which all ends that send were seen.
    pub(super) fn senders(read: &Read, ends: &FxHashMap<u64, Vec<Holder>>, scene: &Told<'_>) -> FxHashSet<u64> {
        let all_are_seen = |(at, state): (&u64, &State)| {
            let seen = ends.get(at).map_or(0, |ends| ends.iter().filter(|end| end.what == ClaimKind::Sender).count());
            let all = exist(state, ClaimKind::Sender) == Some(seen as u64);
            (all && !Self::may_be_elsewhere(*at, ClaimKind::Sender, scene)).then_some(*at)
        };
        read.channels.iter().filter_map(all_are_seen).collect()
    }

    /// Whether something that was not read could have an end of this channel.
    fn may_be_elsewhere(at: u64, what: ClaimKind, scene: &Told<'_>) -> bool {
        let known = scene.read.channel_types.get(&at);
        let Some((copy, ty)) = known.and_then(|(copy, ty)| Some((scene.copies.get(usize::from(*copy))?, *ty))) else {
            return true;
        };
        let path = copy.debug.ty(ty).path();
        let elsewhere = scene.elsewhere || !scene.hidden.is_empty();
        (what == ClaimKind::Sender && copy.debug.index().may_keep_sender(&path))
            || (elsewhere && copy.debug.outside().contains(path.as_str()))
            || scene.hidden.iter().any(|hidden| hidden.reach.has(&path))
    }
}

/// The only one of those with an end that receives who was seen to do so.
fn receives(channel: &Thing) -> Option<Who> {
    let who = channel.queue.first().map(|waiter| waiter.who).filter(|who| *who != Who::Unknown)?;
    let mut ends = channel.holders.iter().filter(|end| end.what == ClaimKind::Receiver && end.who == who);
    (ends.next().is_some() && ends.next().is_none()).then_some(who)
}

/// Whether an end of this kind is still one: it is dropped where the channel is over. Of ends that receive that is known of an mpsc channel
/// alone.
fn is_open(state: &State, what: ClaimKind) -> bool {
    let has_value = state.kind == ThingKind::Oneshot && state.channel.messages == Some(1);
    let is_told = what == ClaimKind::Sender || state.kind == ThingKind::Mpsc;
    is_told && !has_value && state.channel.closed != Some(true)
}

/// How many ends of a channel there are, those included that could become one.
fn exist(state: &State, what: ClaimKind) -> Option<u64> {
    match (state.kind, what) {
        (ThingKind::Mpsc | ThingKind::Notify | ThingKind::Barrier, ClaimKind::Sender) => {
            state.channel.senders?.checked_add(state.weak)
        }
        (ThingKind::Mpsc | ThingKind::Oneshot, _) => Some(1),
        (_, ClaimKind::Sender) => state.channel.senders,
        (_, ClaimKind::Receiver) => state.channel.receivers,
        (_, ClaimKind::Permits(_)) => None,
    }
}
