//! Everything that somebody waits for or holds: found by what frames refer to, read where it stands.

mod ends;
mod of_std;

use crate::{
    Basis, ClaimKind, Holder, Thing, ThingKind, Waiter, Who,
    bytes::Bytes,
    debug::{TypeId, Types, names},
    future::{
        class::{Referred, word_within},
        frames::Frames,
        raw::{By, Hint, Part, RawOn, Walked},
    },
    holders::{self, Assigned, Claimed, Droppable, Given, Site},
    reach::Reach,
    resolve::Wakers,
    round::Found,
    sleepers::{Sleeper, Sleepers, Strangers},
    tokio::{
        channel::{Channels, State},
        copy::Copy,
        io,
        semaphore::{Layout, Semaphore},
    },
    words,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::BTreeMap, sync::Arc};

/// More than this many places are not remembered.
const MOST: usize = 2_000_000;
const MOST_NAMES: usize = 3;

/// What is known of the thing at an address.
#[derive(Debug, Clone)]
struct Hinted {
    copy: u16,
    kind: Referred,
    ty: TypeId,
    base: u64,
    names: Vec<Arc<str>>,
}

/// Where in a lock's type its semaphore is, and where its count of permits.
#[derive(Debug, Clone, Copy)]
struct Within {
    semaphore: u64,
    most: Option<u64>,
}

/// What frames were seen to refer to.
#[derive(Default)]
pub(crate) struct Things {
    /// By the address of the semaphore for locks, by its own for channels.
    hinted: FxHashMap<u64, Hinted>,
    /// What has notifications in it that are waited for: by address, of which copy and type.
    inside_of: BTreeMap<u64, (u16, TypeId, Referred)>,
    within: FxHashMap<(u16, TypeId), Option<Within>>,
    channels: Vec<Channels>,
    layouts: Vec<Option<Layout>>,
    records: Vec<Option<io::Layout>>,
    droppable: Droppable,
}

/// Who takes part in a round.
pub(crate) struct Party<'a> {
    pub(crate) who: Who,
    pub(crate) copy: u16,
    pub(crate) found: &'a Found,
}

/// What was read of all things.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) semaphores: FxHashMap<u64, Semaphore>,
    pub(crate) channels: FxHashMap<u64, State>,
    /// Of which copy and type each channel is.
    channel_types: FxHashMap<u64, (u16, TypeId)>,
    /// The words of locks of the standard library.
    pub(crate) words: FxHashMap<u64, words::State>,
    /// Threads that sleep for such a lock, each with the lock.
    pub(crate) sleepers: Vec<(Sleeper, u64)>,
    /// Tokio's records of descriptors that are waited for by polling them.
    pub(crate) records: FxHashMap<u64, io::Wakers>,
    /// The nodes that are linked in a queue, by the semaphore's address and their own.
    pub(crate) linked: FxHashSet<(u64, u64)>,
}

impl Things {
    pub(crate) fn new(copies: &[Copy]) -> Self {
        Self {
            channels: copies.iter().map(|_| Channels::default()).collect(),
            layouts: copies.iter().map(|copy| Layout::new(&*copy.debug, copy.debug.index())).collect(),
            records: copies.iter().map(|copy| io::Layout::new(&*copy.debug, copy.debug.index())).collect(),
            ..Self::default()
        }
    }

    /// Remembers what a frame refers to.
    pub(crate) fn hint(&mut self, copy: u16, hint: Hint, copies: &[Copy]) {
        let semaphore = match hint.kind {
            Referred::Mutex
            | Referred::RwLock
            | Referred::Semaphore
            | Referred::OnceCell
            | Referred::StdMutex
            | Referred::StdRwLock => match self.within(copy, hint.ty, copies) {
                Some(within) => hint.base.wrapping_add(within.semaphore),
                None => return,
            },
            Referred::Watch => {
                if self.inside_of.len() < MOST {
                    self.inside_of.insert(hint.base, (copy, hint.ty, hint.kind));
                }
                hint.base
            }
            _ => hint.base,
        };
        if self.hinted.len() >= MOST && !self.hinted.contains_key(&semaphore) {
            return;
        }
        let new = || Hinted { copy, kind: hint.kind, ty: hint.ty, base: hint.base, names: Vec::new() };
        let hinted = self.hinted.entry(semaphore).or_insert_with(new);
        // A cell around a semaphore refers to it as well: the cell says more.
        let other = hinted.ty != hint.ty
            && copies.get(usize::from(copy)).is_none_or(|copy| {
                let (old, new) = (copy.debug.ty(hinted.ty), copy.debug.ty(hint.ty));
                old.name != new.name || old.space != new.space
            });
        if other && hint.kind != Referred::Semaphore {
            *hinted = new();
        }
        let told = hint.name.is_empty() || hinted.names.len() >= MOST_NAMES || hinted.names.contains(&hint.name);
        if !told && !hint.name.starts_with("self of tokio::") {
            hinted.names.push(hint.name);
        }
    }

    fn within(&mut self, copy: u16, ty: TypeId, copies: &[Copy]) -> Option<Within> {
        let debug = &copies.get(usize::from(copy))?.debug;
        *self.within.entry((copy, ty)).or_insert_with(|| {
            if let Some((_, word)) = word_within(&**debug, ty) {
                return Some(Within { semaphore: word, most: None });
            }
            let semaphore = debug.find(ty, &|ty| ty.is("tokio::sync::batch_semaphore", "Semaphore"), 5)?.0;
            Some(Within { semaphore, most: debug.path(ty, &["mr"]).map(|found| found.0) })
        })
    }

    /// The channel in which this address stands, and its own.
    pub(crate) fn around(&self, at: u64, copies: &[Copy]) -> Option<(Referred, u64)> {
        let (base, hinted) = self.inside_of.range(..=at).next_back()?;
        let size = copies.get(usize::from(hinted.0))?.debug.ty(hinted.1).size;
        (at < base.saturating_add(size)).then_some((hinted.2, *base))
    }

    /// Reads what is waited for and claimed.
    pub(crate) fn read(
        &mut self,
        parties: &[Party<'_>],
        sleepers: &Sleepers,
        copies: &[Copy],
        bytes: &dyn Bytes,
    ) -> Read {
        let mut read = self.words(parties, sleepers, bytes);
        for copy in 0..copies.len() {
            let mine = || parties.iter().filter(|party| usize::from(party.copy) == copy);
            let mut channels: FxHashMap<u64, TypeId> = FxHashMap::default();
            let mut semaphores: Vec<u64> = Vec::new();
            let mut records: Vec<u64> = Vec::new();
            for party in mine() {
                for wait in &party.found.waits {
                    match wait.on {
                        RawOn::Acquire { semaphore, .. } => semaphores.push(semaphore),
                        RawOn::Oneshot { at, ty }
                        | RawOn::Message { at, ty }
                        | RawOn::Broadcast { at, ty }
                        | RawOn::Closed { at, ty } => {
                            channels.insert(at, ty);
                        }
                        RawOn::Io { record, .. } if wait.waker.is_none() => records.push(record),
                        _ => {}
                    }
                }
                for claim in party.found.claims() {
                    match claim.part {
                        Part::Channel(ty) => drop(channels.insert(claim.of, ty)),
                        Part::Semaphore => semaphores.push(claim.of),
                        Part::Word(_) => {}
                    }
                }
            }
            let (Some(types), Some(reader), Some(layout)) =
                (copies.get(copy), self.channels.get_mut(copy), self.layouts.get(copy))
            else {
                continue;
            };
            // What is waited for in a channel's room leads to the channel.
            for at in &semaphores {
                if let Some(hinted) = self.hinted.get(at).filter(|hinted| hinted.kind == Referred::Chan) {
                    channels.insert(hinted.base, hinted.ty);
                }
            }
            let wanted: Vec<(u64, TypeId)> = channels.into_iter().collect();
            for ((at, ty), state) in wanted.iter().zip(reader.read(&wanted, &*types.debug, bytes)) {
                let Some(state) = state else { continue };
                if let Some((semaphore, _)) = state.room {
                    let names = self.hinted.get(at).map(|hinted| hinted.names.clone()).unwrap_or_default();
                    let room = Hinted { copy: copy as u16, kind: Referred::Chan, ty: *ty, base: *at, names };
                    self.hinted.insert(semaphore, room);
                }
                read.channels.insert(*at, state);
                read.channel_types.insert(*at, (copy as u16, *ty));
            }
            if let Some(layout) = self.records.get(copy).copied().flatten() {
                records.sort_unstable();
                records.dedup();
                for (at, wakers) in records.iter().zip(layout.read(&records, bytes)) {
                    read.records.extend(wakers.map(|wakers| (*at, wakers)));
                }
            }
            semaphores.sort_unstable();
            semaphores.dedup();
            if let Some(layout) = layout {
                for (at, semaphore) in semaphores.iter().zip(layout.read(&semaphores, bytes)) {
                    let Some(semaphore) = semaphore else { continue };
                    read.linked.extend(semaphore.queue.iter().map(|queued| (*at, queued.node)));
                    read.semaphores.insert(*at, semaphore);
                }
            }
        }
        read
    }

    /// Of these semaphores and channels those that are as they were.
    pub(crate) fn same(&mut self, at: &[u64], read: &Read, copies: &[Copy], bytes: &dyn Bytes) -> FxHashSet<u64> {
        let known = at.iter().filter_map(|at| Some((*at, read.words.get(at)?.word)));
        let words = words::read(&known.collect(), bytes);
        let mut same: FxHashSet<u64> =
            words.into_iter().filter(|(at, again)| read.words.get(at) == Some(again)).map(|(at, _)| at).collect();
        for (copy, known) in copies.iter().enumerate() {
            let of_copy = |at: &u64| read.channel_types.get(at).filter(|(of, _)| usize::from(*of) == copy);
            let wanted: Vec<(u64, TypeId)> = at.iter().filter_map(|at| Some((*at, of_copy(at)?.1))).collect();
            if let Some(channels) = self.channels.get_mut(copy) {
                for ((at, _), again) in wanted.iter().zip(channels.read(&wanted, &*known.debug, bytes)) {
                    if again.is_some() && again.as_ref() == read.channels.get(at) {
                        same.insert(*at);
                    }
                }
            }
            let Some(layout) = self.layouts.get(copy).copied().flatten() else { continue };
            let known = |at: &u64| {
                read.semaphores.contains_key(at)
                    && self.hinted.get(at).is_none_or(|hinted| usize::from(hinted.copy) == copy)
            };
            let mine: Vec<u64> = at.iter().copied().filter(known).collect();
            for (at, again) in mine.iter().zip(layout.read(&mine, bytes)) {
                if again.is_some() && again.as_ref() == read.semaphores.get(at) {
                    same.insert(*at);
                }
            }
        }
        same
    }

    /// Whom the wakers lead to that channels and descriptors keep which this walk waits for.
    pub(crate) fn receivers(&mut self, copy: u16, walked: &Walked, copies: &[Copy], bytes: &dyn Bytes) -> Vec<u64> {
        let (Some(known), Some(channels)) = (copies.get(usize::from(copy)), self.channels.get_mut(usize::from(copy)))
        else {
            return Vec::new();
        };
        let waits = walked.waits.iter().filter_map(|wait| match wait.on {
            RawOn::Oneshot { at, ty } | RawOn::Message { at, ty } => Some((at, ty)),
            _ => None,
        });
        let wanted: Vec<(u64, TypeId)> = waits.collect();
        let states = channels.read(&wanted, &*known.debug, bytes);
        let mut wakers: Vec<u64> = states.into_iter().filter_map(|state| state?.receiver).collect();
        let polled = walked.waits.iter().filter_map(|wait| match wait.on {
            RawOn::Io { record, .. } if wait.waker.is_none() => Some(record),
            _ => None,
        });
        let polled: Vec<u64> = polled.collect();
        if let Some(layout) = self.records.get(usize::from(copy)).copied().flatten() {
            let kept = layout.read(&polled, bytes).into_iter().flatten();
            wakers.extend(kept.flat_map(|kept| [kept.reader, kept.writer]).flatten());
        }
        wakers
    }

    /// All things, with their queues and their holders.
    pub(crate) fn tell(&mut self, scene: &mut Told<'_>) -> Vec<Thing> {
        let owners = owners(scene);
        let mut claims: FxHashMap<u64, Vec<Claimed>> = FxHashMap::default();
        let mut ends: FxHashMap<u64, Vec<Holder>> = FxHashMap::default();
        for party in scene.parties {
            for claim in party.found.claims() {
                if owners.get(&claim.at).is_some_and(|owner| *owner != Some(party.who)) {
                    continue;
                }
                let ClaimKind::Permits(permits) = claim.what else {
                    ends.entry(claim.of).or_default().push(Holder {
                        who: party.who,
                        what: claim.what,
                        basis: Basis::Likely,
                        place: scene.place(party.found, claim.frame),
                        local: Arc::clone(&claim.local),
                    });
                    continue;
                };
                claims.entry(claim.of).or_default().push(Claimed {
                    who: party.who,
                    permits,
                    place: scene.place(party.found, claim.frame),
                    function: scene.function(party.found, claim.frame),
                    local: Arc::clone(&claim.local),
                    basis: claim.basis,
                    site: site(party.copy, claim.site),
                });
            }
        }
        let mut told = Vec::new();
        scene.senders = Self::senders(scene.read, &ends, scene);
        for (at, semaphore) in &scene.read.semaphores {
            let claims = claims.remove(at).unwrap_or_default();
            let mut thing = self.semaphore(*at, semaphore, scene);
            let mut assigned = Vec::new();
            for queued in &semaphore.queue {
                let who = scene.who(queued.waker);
                let permits = queued.wanted.saturating_sub(queued.missing);
                assigned.push(Assigned { who, permits, basis: Basis::Proven, given: Given::Part });
            }
            assigned.extend(scene.given.get(at).into_iter().flatten());
            let others = self.hidden(*at, scene);
            holders::name(&mut thing, &claims, &assigned, others, &mut self.droppable);
            told.push(thing);
        }
        self.tell_words(scene, &mut claims, &mut told);
        for (at, state) in &scene.read.channels {
            told.push(self.channel(*at, state, ends.remove(at).unwrap_or_default(), scene));
        }
        self.notified(scene, &mut told);
        told.sort_by_key(|thing| (thing.at, thing.kind));
        told
    }

    /// What is waited for by a notification, by name: who would give it is never known, and who waits says so itself.
    fn notified(&self, scene: &Told<'_>, told: &mut Vec<Thing>) {
        let known: FxHashSet<u64> = told.iter().map(|thing| thing.at).collect();
        let mut new: FxHashMap<u64, ThingKind> = FxHashMap::default();
        for wait in scene.parties.iter().flat_map(|party| &party.found.waits) {
            let RawOn::Notified { notify, .. } = wait.on else { continue };
            let (at, kind) = match (wait.by, self.around(notify, scene.copies)) {
                (Some(By::Barrier(barrier)), _) => (barrier, ThingKind::Barrier),
                (Some(By::Closed(Referred::Watch, at)), _) => (at, ThingKind::Watch),
                (Some(By::Closed(Referred::Broadcast, at)), _) => (at, ThingKind::Broadcast),
                (Some(By::Closed(_, at)), _) => (at, ThingKind::Mpsc),
                (None, Some((Referred::Watch, watch))) => (watch, ThingKind::Watch),
                _ => (notify, ThingKind::Notify),
            };
            if !known.contains(&at) {
                new.insert(at, kind);
            }
        }
        told.extend(new.into_iter().map(|(at, kind)| self.bare(at, kind)));
    }

    /// A thing of which only the kind and the names are known.
    fn bare(&self, at: u64, kind: ThingKind) -> Thing {
        Thing {
            at,
            kind,
            ty: Arc::from(""),
            names: self.hinted.get(&at).map(|hinted| hinted.names.clone()).unwrap_or_default(),
            of: None,
            free: None,
            total: None,
            held: None,
            channel: None,
            holders: Vec::new(),
            unseen: 0,
            perhaps: Vec::new(),
            doubt: Arc::from(""),
            queue: Vec::new(),
            steady: false,
        }
    }

    fn semaphore(&self, at: u64, semaphore: &Semaphore, scene: &Told<'_>) -> Thing {
        let hinted = self.hinted.get(&at);
        let debug = hinted.and_then(|hinted| scene.copies.get(usize::from(hinted.copy))).map(|copy| &copy.debug);
        let kind = match hinted.map(|hinted| hinted.kind) {
            Some(Referred::Mutex) => ThingKind::Mutex,
            Some(Referred::RwLock) => ThingKind::RwLock,
            Some(Referred::Semaphore) => ThingKind::Semaphore,
            Some(Referred::OnceCell) => ThingKind::OnceCell,
            Some(Referred::Chan) => ThingKind::Room,
            _ => ThingKind::Unknown,
        };
        let channel = hinted.and_then(|hinted| scene.read.channels.get(&hinted.base)).map(|state| state.channel);
        let total = match kind {
            ThingKind::Mutex => Some(1),
            // A cell that was set, or is closed, gives no permits any more.
            ThingKind::OnceCell => (!semaphore.closed).then_some(1),
            ThingKind::RwLock => hinted.and_then(|hinted| {
                let most = self.within.get(&(hinted.copy, hinted.ty)).copied().flatten()?.most?;
                let mut bytes = [0; 4];
                let read = scene.bytes.read(hinted.base.wrapping_add(most), &mut bytes);
                read.then(|| u64::from(u32::from_le_bytes(bytes)))
            }),
            ThingKind::Room => channel.and_then(|channel| channel.bound),
            _ => None,
        };
        let queue = semaphore.queue.iter().map(|queued| Waiter {
            who: scene.who(queued.waker),
            wanted: u32::try_from(queued.wanted).unwrap_or(u32::MAX),
            missing: u32::try_from(queued.missing).unwrap_or(u32::MAX),
        });
        let ty = hinted.zip(debug).map(|(hinted, debug)| type_name(debug, hinted.ty, kind)).unwrap_or_default();
        Thing {
            at,
            kind,
            ty,
            names: hinted.map(|hinted| hinted.names.clone()).unwrap_or_default(),
            of: hinted.filter(|_| kind == ThingKind::Room).map(|hinted| hinted.base),
            free: Some(semaphore.free),
            total,
            held: None,
            channel: channel.filter(|_| kind == ThingKind::Room),
            holders: Vec::new(),
            unseen: 0,
            perhaps: Vec::new(),
            doubt: Arc::from(""),
            queue: queue.collect(),
            steady: false,
        }
    }
}

/// What things are told from.
pub(crate) struct Told<'a> {
    pub(crate) parties: &'a [Party<'a>],
    pub(crate) read: &'a Read,
    pub(crate) copies: &'a [Copy],
    pub(crate) bytes: &'a dyn Bytes,
    pub(crate) frames: &'a Frames,
    /// Whom a waker at an address leads to.
    pub(crate) wakers: &'a Wakers<'a>,
    /// Permits that were given to those who are no longer in a queue, and have not been polled since.
    pub(crate) given: &'a FxHashMap<u64, Vec<Assigned>>,
    /// What was not read.
    pub(crate) hidden: &'a [Hidden],
    /// Whether there may be code in the middle of something that is no task's.
    pub(crate) elsewhere: bool,
    /// Threads that are none of tokio's.
    pub(crate) strangers: Strangers,
    /// Channels of which all ends that send were seen.
    pub(crate) senders: FxHashSet<u64>,
}

/// Something that was not read.
#[derive(Debug)]
pub(crate) struct Hidden {
    /// Which locks it could have.
    pub(crate) reach: Arc<Reach>,
    /// What it is, in words that say that it could have a lock.
    pub(crate) who: String,
    /// Whom it is of, where each of them is on a thread that sleeps for a lock; else nobody.
    pub(crate) asleep: Vec<Who>,
}

/// Places that are reached from more than one task, and which of them has what stands there: whoever polls it. Of two who merely keep
/// it nobody does: what one of them let go of, another has now.
fn owners(scene: &Told<'_>) -> FxHashMap<u64, Option<Who>> {
    let mut first: FxHashMap<u64, (Who, bool)> = FxHashMap::default();
    let mut owners: FxHashMap<u64, Option<Who>> = FxHashMap::default();
    for party in scene.parties {
        for claim in party.found.claims() {
            let polls = scene.reach(party.found, claim.frame) == Some(crate::Reach::Polled);
            let Some((who, polled)) = first.insert(claim.at, (party.who, polls)) else { continue };
            if who == party.who {
                continue;
            }
            let owner = match (polled, polls) {
                (true, false) => {
                    first.insert(claim.at, (who, true));
                    Some(who)
                }
                (false, true) => Some(party.who),
                _ => None,
            };
            owners.insert(claim.at, owner);
        }
    }
    owners
}

fn site(copy: u16, (text, at): (u32, u64)) -> Site {
    (copy, text, at)
}

fn type_name(debug: &crate::debug::Debug, ty: TypeId, kind: ThingKind) -> Arc<str> {
    let short = names::short(&debug.ty(ty).path());
    match kind {
        ThingKind::Room => {
            let of = short.strip_prefix("Chan<").and_then(|rest| rest.rsplit_once(", ")).map_or("", |(of, _)| of);
            format!("mpsc::channel<{of}>").into()
        }
        _ => short.into(),
    }
}
