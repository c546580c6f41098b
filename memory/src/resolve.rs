//! What a leaf says that it waits for, held against the other end: a wait is proven where the waker in the queue, the timer or the
//! channel leads to the one who waits.

use crate::{
    Basis, Interest, Reach, Wait, WaitOn, Who,
    future::{
        class::Referred,
        frames::Frames,
        raw::{By, RawOn, RawWait},
    },
    holders::{Assigned, Given},
    round::{Found, Known, Tasks},
    things::Read,
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// What waits are held against.
pub(crate) struct Ends<'a> {
    pub(crate) tasks: &'a Tasks,
    pub(crate) read: &'a Read,
    pub(crate) wakers: &'a Wakers<'a>,
    /// Tokio's records of descriptors, by address: the descriptor.
    pub(crate) records: &'a FxHashMap<u64, i32>,
    /// The channel in which a notification stands.
    pub(crate) notifies: &'a dyn Fn(u64) -> Option<(Referred, u64)>,
}

/// Whom wakers lead to, by what they keep.
pub(crate) struct Wakers<'a> {
    pub(crate) tasks: &'a Tasks,
    /// Those of threads that run a future themselves.
    pub(crate) roots: FxHashMap<u64, Who>,
}

impl Wakers<'_> {
    pub(crate) fn who(&self, waker: u64) -> Option<Who> {
        self.roots.get(&waker).copied().or_else(|| self.tasks.who(waker))
    }
}

/// Who waits, and where their header is, if they have one: most wakers lead there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Me {
    pub(crate) who: Who,
    pub(crate) header: Option<u64>,
}

/// Whether somebody sleeps who may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    Asleep,
    Awake,
}

impl Sleep {
    pub(crate) fn of(known: &Known) -> Self {
        let state = known.state;
        if state.notified() || state.running() || state.complete() { Self::Awake } else { Self::Asleep }
    }
}

/// What a task waits for, and the permits that it was given and has not taken up.
pub(crate) fn waits(
    me: Me,
    found: &Found,
    state: Sleep,
    frames: &Frames,
    ends: &Ends<'_>,
) -> (Vec<Wait>, Vec<(u64, Assigned)>) {
    let mut waits = Vec::new();
    let mut given = Vec::new();
    for raw in &found.waits {
        let Some((what, basis)) = resolve(me, raw, ends) else { continue };
        if let (WaitOn::Permits { of, wanted, missing: 0 }, RawOn::Acquire { queued: true, .. }) = (&what, &raw.on) {
            // Of what is kept and not polled nothing says that it was not dropped.
            let basis =
                if matches!(raw.reach, Reach::Polled | Reach::Disabled) { Basis::Proven } else { Basis::Likely };
            given.push((*of, Assigned { who: me.who, permits: u64::from(*wanted), basis, given: Given::Whole }));
        }
        // Inside of a future that is written by hand only what the other end says is believed.
        if raw.reach == Reach::Maybe && basis != Basis::Proven {
            continue;
        }
        waits.push(Wait { frame: raw.frame, what, basis });
        if let RawOn::JoinAny { members, .. } = &raw.on {
            waits.extend(joined(members, raw.frame, basis, ends));
        }
    }
    let chain = found.chain.and_then(|chain| frames.steps(chain));
    if let Some(steps) = chain.filter(|steps| waits.is_empty() && state == Sleep::Asleep && !steps.is_empty()) {
        waits.push(Wait { frame: (steps.len() - 1) as u16, what: WaitOn::Other, basis: Basis::Likely });
    }
    (waits, given)
}

/// The tasks of a set, if all of them are known: the end of any of them is waited for.
fn joined(members: &[u64], frame: u16, basis: Basis, ends: &Ends<'_>) -> Vec<Wait> {
    let one = |header: &u64| {
        let task = ends.tasks.get(*header).filter(|known| !known.state.complete())?.number;
        Some(Wait { frame, what: WaitOn::JoinOneOf(task), basis })
    };
    members.iter().map(one).collect::<Option<Vec<Wait>>>().unwrap_or_default()
}

fn resolve(me: Me, raw: &RawWait, ends: &Ends<'_>) -> Option<(WaitOn, Basis)> {
    let leads_here = |waker: Option<u64>| {
        waker.is_some_and(|waker| Some(waker) == me.header || ends.wakers.who(waker) == Some(me.who))
    };
    let proven = |waker| if leads_here(waker) { Basis::Proven } else { Basis::Likely };
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Some(match &raw.on {
        RawOn::Acquire { semaphore, wanted, missing, queued, node } => {
            let known = ends.read.semaphores.get(semaphore);
            let linked = ends.read.linked.contains(&(*semaphore, *node));
            let what = WaitOn::Permits { of: *semaphore, wanted: number(*wanted), missing: number(*missing) };
            let basis = match known {
                _ if missing > wanted => return None,
                // It has not been in the queue: it asks for the first time, or is out of budget.
                _ if !queued => Basis::Likely,
                // What was dropped keeps these bytes: permits that are missing are those of who stands in the queue.
                Some(semaphore) if *missing > 0 && !linked && semaphore.whole => return None,
                Some(_) if *missing == 0 && linked => return None,
                Some(_) if *missing > 0 => proven(raw.waker),
                _ => Basis::Likely,
            };
            (what, basis)
        }
        RawOn::Notified { notify, .. } => {
            let what = match (raw.by, (ends.notifies)(*notify)) {
                (Some(By::Barrier(barrier)), _) => WaitOn::Barrier(barrier),
                (Some(By::Closed(_, channel)), _) => WaitOn::Closed(channel),
                (None, Some((Referred::Watch, at))) => WaitOn::Watch(at),
                _ => WaitOn::Notified(*notify),
            };
            (what, proven(raw.waker))
        }
        RawOn::Sleep { seconds, nanos } => {
            let due = Duration::new(u64::try_from(*seconds).unwrap_or(0), *nanos);
            (WaitOn::Timer(due), proven(raw.waker))
        }
        RawOn::Join { header } => {
            let joined = ends.tasks.get(*header);
            let what = WaitOn::Join { task: joined.map(|known| known.number), at: *header };
            (what, proven(joined.map(|known| known.join_waker)))
        }
        RawOn::JoinAny { length, .. } => (WaitOn::JoinAny(*length), proven(raw.waker)),
        RawOn::LocalSet { at } => (WaitOn::LocalSet(*at), proven(raw.waker)),
        // A sender is mostly kept and not waited with: only its waker says that it is.
        RawOn::Closed { at, .. } => leads_here(raw.waker).then_some((WaitOn::Closed(*at), Basis::Proven))?,
        RawOn::Oneshot { at, .. } => {
            (WaitOn::Oneshot(*at), proven(ends.read.channels.get(at).and_then(|state| state.receiver)))
        }
        RawOn::Message { at, .. } => {
            (WaitOn::Message(*at), proven(ends.read.channels.get(at).and_then(|state| state.receiver)))
        }
        RawOn::Broadcast { at, .. } => (WaitOn::Broadcast(*at), proven(raw.waker)),
        RawOn::Io { record, fd, interest } => {
            let fd = ends.records.get(record).copied().or(*fd);
            // What is polled says by whose waker it keeps for what it is polled.
            let kept = ends.read.records.get(record).copied().unwrap_or_default();
            let (reads, writes) = (leads_here(kept.reader), leads_here(kept.writer));
            let interest = match (reads, writes) {
                (true, false) => Interest::Read,
                (false, true) => Interest::Write,
                _ => *interest,
            };
            let basis = if reads || writes { Basis::Proven } else { proven(raw.waker) };
            (WaitOn::Io { of: *record, fd, interest }, basis)
        }
    })
}
