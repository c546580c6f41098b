//! Things that memory tells of as rows: locks with holders and waiters, and the rest as resources. What is *proven* counts as exact,
//! what is *likely* is said so. Since when somebody holds or waits is known from one look to the next alone, and only of one that did
//! not move in between: each time is a lower bound.

use crate::{
    model::{Basis, Hold, LockKind, Model, Op, TaskState},
    update::{
        Access, Across, Attribute, Fact, Field, FieldName, Frame, Holder, LockStats, NewResource, OpId, ResourceId,
        ResourceStats, SourcePlace, Stack, Stamp, TaskId, Thread, Value, Waiting,
        look::{self, Certainty, ClaimKind, State, Thing, ThingId, ThingKind, WaitOn, Waiter, Who},
    },
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A thing that so many looks in a row did not tell of is gone.
const ABSENT_MOST: u16 = 20;

/// Where the numbers begin that stand for the waits of tasks in queues, of which memory knows no operations.
const WAITS: u64 = 1 << 62;

impl Model {
    /// The lock that a task waits for, since when it was seen to, and how, if memory proves that this is all that could ever wake
    /// it: it sleeps, everything that it awaits was gone into, and it stands in the queue of that lock.
    pub fn proven_wait(&self, id: TaskId) -> Option<(ResourceId, Stamp, &'static str)> {
        let task = self.tasks.get(id).filter(|task| task.state() == TaskState::Idle)?;
        let look = task.look().filter(|look| look.state == State::Idle && look.unread.is_empty())?;
        let [wait] = &*look.waits else { return None };
        let WaitOn::Permits { of, missing: 1.., .. } = wait.on else { return None };
        let whole = self.chain_of(&task).is_some_and(|chain| chain.is_whole());
        if !whole || wait.certainty != Certainty::Proven {
            return None;
        }
        let id_of_lock = self.row_of_thing(of)?;
        let (resource, _) = self.lock(id_of_lock)?;
        let waiter = resource.told_lock()?.1.waiters.iter().find(|waiter| waiter.task == Some(id))?;
        let method = match (self.names.text(resource.concrete_type), waiter.access) {
            ("Mutex", _) => "Mutex::lock",
            (_, Access::Shared) => "RwLock::read",
            (_, Access::Exclusive) => "RwLock::write",
        };
        Some((id_of_lock, waiter.since?, method))
    }

    /// The locks that a task waits for, as its operations say, or its memory.
    pub fn locks_awaited(&self, id: TaskId) -> Vec<ResourceId> {
        let told = self.waits_of(id).filter_map(|op| op.resource);
        let look = self.tasks.get(id).and_then(|task| task.look().cloned());
        let waits = look.iter().flat_map(|look| &look.waits);
        let seen = waits.filter_map(|wait| match wait.on {
            WaitOn::Permits { of, missing: 1.., .. } => self.row_of_thing(of),
            _ => None,
        });
        let mut locks: Vec<ResourceId> = told.chain(seen).filter(|&lock| self.lock(lock).is_some()).collect();
        locks.sort_unstable();
        locks.dedup();
        locks
    }

    /// Takes in things beside another source: those that are known to be locks of it tell who holds these and who waits, and those
    /// that it does not tell of become rows.
    pub(super) fn take_things_beside(&mut self, things: &[Thing], now: Stamp) {
        for parted in self.join_things(things, now) {
            if !self.told.has(Fact::Holders) {
                self.untell_lock(parted);
            }
        }
        let joined: Vec<(ResourceId, ThingId)> = self.memory.joins.locks().collect();
        for (lock, thing) in joined {
            let of_agent = self.told.has(Fact::Holders);
            match things.binary_search_by_key(&thing, |thing| thing.id).ok().and_then(|at| things.get(at)) {
                Some(thing) if of_agent => {
                    self.compare_holders(lock, thing, now);
                    self.name_unknown_holders(lock, thing, now);
                }
                Some(thing) if self.knows_better(lock, thing, now) => {
                    self.take_lock(lock, thing, now);
                    // How many read it is told, and need not be seen by frames.
                    self.keep_reported_state(lock);
                }
                // Where memory knows nobody who holds it, the other source may.
                _ if !of_agent && self.lock(lock).is_some_and(|(_, lock)| lock.told.is_some()) => {
                    self.untell_lock(lock);
                }
                _ => {}
            }
        }
        let own = things.iter().filter(|thing| self.memory.joins.is_unheard(thing.id)).cloned().collect::<Vec<_>>();
        self.take_things(&own, now);
    }

    /// Whether memory knows who holds a lock that the other source tells of: surely, or where that one knows nobody.
    fn knows_better(&self, id: ResourceId, thing: &Thing, now: Stamp) -> bool {
        let found = self.holders(id, thing, now);
        let is_sure = || found.iter().all(|(_, basis)| *basis == Basis::Exact);
        let knows_nobody = || self.lock(id).is_none_or(|(_, lock)| lock.told.is_some() || lock.holds.is_empty());
        !found.is_empty() && (is_sure() || knows_nobody())
    }

    /// Names those who hold a lock since before the agent looked.
    fn name_unknown_holders(&mut self, id: ResourceId, thing: &Thing, now: Stamp) {
        let Some((_, lock)) = self.lock(id) else { return };
        let unknown = lock.told.as_ref().map_or(0, |told| told.unknown_holders);
        let is_known = |task: Option<TaskId>| lock.holds.iter().any(|hold| Some(hold.acquire.task) == task);
        let mut found = self.holders(id, thing, now);
        found.retain(|(holder, _)| !is_known(holder.task));
        if unknown == 0 || found.len() as u64 != unknown {
            return;
        }
        self.name_holders(id, found, now);
    }

    pub(super) fn take_things(&mut self, things: &[Thing], now: Stamp) {
        for looks in self.memory.rows.values_mut() {
            *looks = looks.saturating_add(1);
        }
        for thing in things {
            let id = ResourceId(thing.id.0);
            let concrete_type = thing.kind.name();
            let known = self.resources.get(id).map(|resource| self.names.text(resource.concrete_type) == concrete_type);
            if known == Some(false) {
                self.remove_resource(id);
            }
            if known != Some(true) {
                self.announce_resource(announced(thing), now);
            }
            if self.resources.get(id).is_none() {
                continue;
            }
            self.report_resource(id, ResourceStats { attributes: attributes(thing), ..ResourceStats::default() }, now);
            self.memory.rows.insert(id, 0);
            if LockKind::from_type(concrete_type).is_some() {
                self.take_lock(id, thing, now);
            }
        }
        let absent: Vec<(ResourceId, u16)> =
            self.memory.rows.iter().filter(|(_, looks)| **looks > 0).map(|(&id, &looks)| (id, looks)).collect();
        for (id, looks) in absent {
            if looks > ABSENT_MOST {
                self.memory.rows.remove(&id);
                self.remove_resource(id);
            } else {
                // Nobody holds it and nobody waits.
                self.tell_lock(LockStats::new(id), &[], now);
            }
        }
    }

    fn take_lock(&mut self, id: ResourceId, thing: &Thing, now: Stamp) {
        let (held, bases): (Vec<Holder>, Vec<Basis>) = self.holders(id, thing, now).into_iter().unzip();
        let Some((_, before)) = self.lock(id) else { return };
        let is_nobody = |holder: &&look::Holder| holder.who == Who::Unknown && !collects(thing, holder);
        let unknown_holders = thing.unseen + thing.holders.iter().filter(is_nobody).count() as u64;
        let is_new = |holder: &&Holder| thing.steady && holder.across == Across::Await && holder.since == now;
        let asleep = held.iter().filter(is_new).count() as u64;
        let told = LockStats {
            waiters: self.waiting_in(id, thing, now),
            // What instrumentation counts, it goes on counting.
            acquisitions: before.acquisitions,
            contended: before.contended,
            hold_times: before.hold_times.buckets.iter().copied().map(u64::from).collect(),
            longest_hold: before.hold_times.longest,
            across_count: before.across.count.saturating_add(asleep),
            across_longest: before.across.longest,
            holders: held,
            unknown_holders,
            ..LockStats::new(id)
        };
        self.tell_lock(told, &bases, now);
    }

    /// Who holds a lock, and how each is known.
    fn holders(&self, id: ResourceId, thing: &Thing, now: Stamp) -> Vec<(Holder, Basis)> {
        let Some((_, before)) = self.lock(id) else { return Vec::new() };
        let known = thing.holders.iter().filter(|holder| !collects(thing, holder)).filter_map(|holder| {
            let (task, thread) = match holder.who {
                Who::Task(number) => (Some(self.task_of_number(number)), None),
                Who::Root(thread) => (None, Some(self.thread_named(thread))),
                Who::Unknown => return None,
            };
            let tid = |thread: &Thread| thread.tid;
            let is_it = |hold: &&Hold| {
                hold.acquire.task == task.unwrap_or(TaskId::NONE)
                    && hold.thread.as_ref().map(tid) == thread.as_ref().map(tid)
            };
            let was = before.holds.iter().find(is_it).filter(|_| self.stays(holder.who));
            // One who was proven to have it, and has not been polled since, has not given it back.
            let still = was.is_some_and(|hold| hold.basis == Basis::Exact);
            let sure = still || holder.certainty == Certainty::Proven && thing.steady;
            let told = Holder {
                task,
                thread,
                access: access(thing, holder.what),
                since: was.map_or(now, |hold| hold.acquire.at),
                across: self.across(task),
                acquired_at: None,
                suspended_at: self.asleep_at(task, holder),
            };
            Some((told, if sure { Basis::Exact } else { Basis::Likely }))
        });
        known.collect()
    }

    /// Who stands in the queue of a lock. Since when is told by the operation that they wait in, where there is one.
    fn waiting_in(&self, id: ResourceId, thing: &Thing, now: Stamp) -> Vec<Waiting> {
        let before = self.resources.get(id).and_then(|resource| resource.told_lock());
        let before: Vec<&Waiting> = before.iter().flat_map(|(_, queue)| &queue.waiters).collect();
        // A task of several branches may stand in it several times: its first place is the first that it had, and so on.
        let mut places: FxHashMap<TaskId, usize> = FxHashMap::default();
        let mut further: Vec<Option<usize>> = vec![None; before.len()];
        for (at, (waiter, further)) in before.iter().zip(&mut further).enumerate().rev() {
            *further = waiter.task.and_then(|task| places.insert(task, at));
        }
        let mut place = |task: TaskId| {
            let at = places.remove(&task)?;
            if let Some(next) = further.get(at).copied().flatten() {
                places.insert(task, next);
            }
            Some((at, before.get(at)?.since?))
        };
        let mut order = Order::default();
        let queued = thing.queue.iter().enumerate().map(|(at, waiter)| {
            let task = if let Who::Task(number) = waiter.who { Some(self.task_of_number(number)) } else { None };
            let of_lock = |op: &&Op| op.resource == Some(id) && self.access(op).is_some();
            let op = task.and_then(|task| self.waits_of(task).find(of_lock));
            let was = task.and_then(&mut place);
            let stood = task.is_none() || order.stood(was.map(|(at, _)| at));
            let was = was.map(|(_, since)| since).filter(|_| stood && self.stays(waiter.who));
            Waiting {
                op: op.map_or(OpId(WAITS | task.map_or(at as u64, |task| task.0)), |op| op.id),
                task,
                access: access(thing, ClaimKind::Permits(waiter.wanted)),
                since: Some(op.and_then(|op| op.created).or(was).unwrap_or(now)),
            }
        });
        queued.collect()
    }

    /// Whether somebody has not moved since the look before: a task that is the same, or a thread that has not run.
    fn stays(&self, who: Who) -> bool {
        match who {
            Who::Task(number) => !self.memory.moved.contains(&self.task_of_number(number)),
            Who::Root(thread) => self.memory.slept.contains_key(&thread),
            Who::Unknown => false,
        }
    }

    /// Whether a holder was seen asleep with it.
    fn across(&self, task: Option<TaskId>) -> Across {
        let look = task.and_then(|task| self.tasks.get(task)?.look().map(|look| look.state));
        if look == Some(State::Idle) { Across::Await } else { Across::SamePoll }
    }

    /// Where a holder sleeps, as a stack of one frame: a task that sleeps has no other.
    fn asleep_at(&self, task: Option<TaskId>, holder: &look::Holder) -> Option<Arc<Stack>> {
        if holder.place.file.is_empty() {
            return None;
        }
        let row = task.and_then(|task| self.tasks.get(task));
        let chain = row.and_then(|row| self.chain_of(&row));
        let frame = chain.and_then(|chain| chain.frames.iter().find(|frame| frame.place == holder.place));
        let function = frame.map_or_else(|| holder.local.to_string(), look::Frame::short);
        let frame = Frame { function, place: holder.place.clone(), ..Frame::default() };
        Some(Arc::new(Stack { frames: vec![frame], ..Stack::default() }))
    }

    fn thread_named(&self, tid: u32) -> Thread {
        let threads = self.memory.whole().map_or(&[][..], |whole| &whole.threads);
        let name =
            threads.iter().find(|thread| thread.id == tid).map_or_else(String::new, |thread| thread.name.clone());
        Thread { tid, name }
    }
}

/// Who stands in a queue as before. Who asks again stands behind all who were there: so does everybody behind them.
#[derive(Debug, Default)]
struct Order {
    /// The last place in the look before of one who stood.
    last: Option<usize>,
    again: bool,
}

impl Order {
    /// Whether the next one, who had this place in the look before, has stood there since.
    fn stood(&mut self, before: Option<usize>) -> bool {
        self.again |= before.is_none_or(|at| self.last.is_some_and(|last| at < last));
        self.last = before;
        !self.again
    }
}

/// Whether a holder waits for more: who wants many permits collects them one by one, and a part of them is no lock yet. One who was given as many
/// as they wait for has another future that was.
pub(super) fn collects(thing: &Thing, holder: &look::Holder) -> bool {
    let has = if let ClaimKind::Permits(permits) = holder.what { permits } else { 0 };
    let waits = |waiter: &Waiter| waiter.who == holder.who && waiter.missing > 0 && has < waiter.wanted;
    holder.local.is_empty() && thing.queue.iter().any(waits)
}

fn access(thing: &Thing, what: ClaimKind) -> Access {
    match (thing.kind, what, thing.total) {
        // A writer takes all permits that there are.
        (ThingKind::RwLock, ClaimKind::Permits(permits), Some(total)) if u64::from(permits) < total => Access::Shared,
        (ThingKind::RwLock, ClaimKind::Permits(0 | 1), None) => Access::Shared,
        _ => Access::Exclusive,
    }
}

/// A thing as a resource. Where it was made nobody knows; who refers to it does.
fn announced(thing: &Thing) -> NewResource {
    // Its kind stands before it: of `Mutex<Conn>` the rest is told.
    let inside = thing.ty.strip_prefix(thing.kind.name()).and_then(|rest| rest.strip_prefix('<')?.strip_suffix('>'));
    let of = inside.map_or_else(|| thing.ty.to_string(), |inside| format!("of {inside}"));
    let called = match (of.as_str(), thing.names.first()) {
        ("", None) => return unnamed(thing),
        ("", Some(name)) => name.to_string(),
        (_, None) => of,
        (_, Some(name)) => format!("{of}, {name}"),
    };
    NewResource { place: Some(SourcePlace { file: called, line: 0, column: 0 }), ..unnamed(thing) }
}

fn unnamed(thing: &Thing) -> NewResource {
    NewResource {
        id: ResourceId(thing.id.0),
        metadata: None,
        parent: None,
        kind: "Sync".into(),
        concrete_type: thing.kind.name().into(),
        target: "tokio::sync".into(),
        place: None,
        internal: false,
    }
}

fn attributes(thing: &Thing) -> Vec<Attribute> {
    let channel = thing.channel.unwrap_or_default();
    let numbers = [
        ("free", thing.free),
        ("permits", thing.total),
        ("held", thing.held),
        ("messages", channel.messages),
        ("room", channel.bound),
        ("senders", channel.senders),
        ("receivers", channel.receivers),
        ("waiting", (!thing.queue.is_empty()).then_some(thing.queue.len() as u64)),
    ];
    let number = |(name, value): (&str, Option<u64>)| {
        let field = Field { name: FieldName::Text(name.into()), value: Value::U64(value?) };
        Some(Attribute { field, unit: None })
    };
    numbers.into_iter().filter_map(number).collect()
}
