//! Locks of the standard library among the things, and who that was not read could have a lock.

use super::{Hidden, Party, Read, Things, Told, type_name};
use crate::{
    Place, Thing, ThingKind, Who,
    bytes::Bytes,
    future::{
        class::{Referred, Word},
        raw::Part,
    },
    holders::{self, Claimed, Others},
    round::Found,
    sleepers::{Sleeper, Sleepers},
    words,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Things {
    /// The locks of the standard library that somebody has, or a thread sleeps for.
    pub(super) fn words(&self, parties: &[Party<'_>], sleepers: &Sleepers, bytes: &dyn Bytes) -> Read {
        let claims = parties.iter().flat_map(|party| party.found.claims());
        let mut known: FxHashMap<u64, Word> = FxHashMap::default();
        known.extend(
            claims.filter_map(|claim| if let Part::Word(word) = claim.part { Some((claim.of, word)) } else { None }),
        );
        let is_known = |at: u64| known.contains_key(&at) || self.hinted.contains_key(&at);
        let of = |sleeper: &Sleeper| words::slept_on(sleeper, is_known).map(|lock| (*sleeper, lock));
        let sleepers: Vec<(Sleeper, u64)> = sleepers.all.iter().filter_map(of).collect();
        known.extend(sleepers.iter().map(|(sleeper, lock)| (*lock, words::word(sleeper.lock))));
        Read { words: words::read(&known, bytes), sleepers, ..Read::default() }
    }

    /// Tells of these locks, with who has them and which threads wait.
    pub(super) fn tell_words(
        &mut self,
        scene: &Told<'_>,
        claims: &mut FxHashMap<u64, Vec<Claimed>>,
        told: &mut Vec<Thing>,
    ) {
        for (at, state) in &scene.read.words {
            let mut thing = self.bare(*at, ThingKind::StdMutex);
            state.tell(&mut thing, &scene.read.sleepers);
            let hinted = self.hinted.get(at);
            let debug = hinted.and_then(|hinted| Some((hinted, &scene.copies.get(usize::from(hinted.copy))?.debug)));
            thing.ty = debug.map(|(hinted, debug)| type_name(debug, hinted.ty, thing.kind)).unwrap_or_default();
            let mut others = self.hidden(*at, scene);
            let claims = claims.remove(at).unwrap_or_default();
            let path = debug.map(|(hinted, debug)| debug.ty(hinted.ty).path());
            let functions = claims.iter().map(|claim| &*claim.function);
            if scene.strangers.may_have(functions.chain(path.as_deref())) {
                others = Others::unknown("a thread that is none of tokio's could have it");
            }
            holders::name(&mut thing, &claims, &[], others, &mut self.droppable);
            told.push(thing);
        }
    }

    /// What that was not read could have this lock.
    pub(super) fn hidden(&self, at: u64, scene: &Told<'_>) -> Others {
        let known = self.hinted.get(&at).and_then(|hinted| Some((hinted, scene.copies.get(usize::from(hinted.copy))?)));
        let Some((hinted, copy)) = known else { return Others::unknown("its type is not known") };
        let path = copy.debug.ty(hinted.ty).path();
        if hinted.kind == Referred::Chan {
            // Who has no sender reserves no room.
            let unseen = || Others::unknown("room in a channel can be reserved by a sender that was not read");
            return if scene.senders.contains(&hinted.base) { Others::default() } else { unseen() };
        }
        if copy.debug.index().may_keep(&path) {
            return Others::unknown(
                "a collection, a channel or a structure of this program can have a guard of such a lock",
            );
        }
        // What anything that runs can reach: a static's, or that of a thread of the program's own.
        let anybody = copy.debug.outside().contains(path.as_str());
        let (free, asleep): (Vec<&Hidden>, Vec<&Hidden>) =
            scene.hidden.iter().partition(|hidden| hidden.asleep.is_empty());
        if anybody && (scene.elsewhere || !free.is_empty()) {
            return Others::unknown(
                "code that runs can reach such a lock by a static or a thread of the program's own",
            );
        }
        if let Some(hidden) = free.into_iter().find(|hidden| hidden.reach.has(&path)) {
            return Others::unknown(&hidden.who);
        }
        let could: Vec<&Hidden> = asleep.into_iter().filter(|it| anybody || it.reach.has(&path)).collect();
        let unread = could.first().map(|hidden| hidden.who.as_str().into());
        Others { unread, asleep: could.into_iter().flat_map(|hidden| hidden.asleep.iter().copied()).collect() }
    }
}

impl Told<'_> {
    pub(crate) fn who(&self, waker: u64) -> Who {
        self.wakers.who(waker).unwrap_or(Who::Unknown)
    }

    pub(super) fn reach(&self, found: &Found, frame: u16) -> Option<crate::Reach> {
        Some(self.frames.steps(found.chain?)?.get(usize::from(frame))?.reach)
    }

    /// What the frame of this number is.
    pub(super) fn function(&self, found: &Found, frame: u16) -> Arc<str> {
        let steps = found.chain.and_then(|chain| self.frames.steps(chain));
        let text = steps.and_then(|steps| self.frames.get(steps.get(usize::from(frame))?.text));
        text.map(|text| Arc::clone(&text.name)).unwrap_or_default()
    }

    /// Where the frame of this number sleeps.
    pub(super) fn place(&self, found: &Found, frame: u16) -> Option<Place> {
        let steps = self.frames.steps(found.chain?)?;
        self.frames.get(steps.get(usize::from(frame))?.text)?.place.clone()
    }
}
