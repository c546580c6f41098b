//! The graph, from those who stand in queues on to those who could help them, and to those whom these wait for in turn. Holders and
//! waiters of locks are told by the model, whoever told it; everything else by memory.
//!
//! ```text
//! pairs    which part of somebody belongs to which place     threads  who runs on a thread that sleeps, and who needs that thread
//! told     what instrumentation tells of what a task waits for
//! ```

mod pairs;
mod threads;
mod told;

pub(super) use told::only_op;

use super::{
    Actor, Awaited, Gives, Graph, Keeps, Kept, Queued, Thing, Way,
    parts::{Frame, Polled},
};
use crate::{
    model::{Basis, Hold, Lock, Model, Task, TaskState},
    update::{
        Access, ResourceId, Stamp, TaskId, TaskKind,
        look::{self, Certainty, Claim, ClaimKind, State, ThingId, ThingKind, Wait, WaitOn, Who},
    },
};
use pairs::{alike, only, soonest};
use rustc_hash::FxHashMap;
use told::only_wait;

/// What a writer takes of a lock that many may read.
const ALL: u64 = u32::MAX as u64;
/// Of a channel more ends than these are not gone through.
const ENDS_MOST: usize = 256;

/// The graph of a moment, not reduced yet.
pub(super) fn graph(model: &Model) -> Graph {
    let mut build = Build {
        model,
        graph: Graph::default(),
        todo: Vec::new(),
        raw: FxHashMap::default(),
        parts: FxHashMap::default(),
        polled_by: FxHashMap::default(),
    };
    build.graph.now = model.memory().now().or(model.now());
    for id in model.locks_in_use() {
        if model.lock(id).is_some_and(|(_, lock)| lock.holds.iter().any(is_sure)) && model.waiters_count(id) > 0 {
            build.thing(id);
        }
    }
    for thing in model.memory().things().iter().filter(|thing| is_worth_it(thing)) {
        build.thing(row(model, thing.id));
        build.everybody(thing);
    }
    while let Some(actor) = build.todo.pop() {
        build.fill(actor);
    }
    build.link();
    build.graph
}

pub(super) fn is_sure(hold: &Hold) -> bool {
    hold.basis != Basis::Likely && !hold.outlived
}

/// Whether somebody waits for it, or may, whom somebody surely keeps.
pub(super) fn is_worth_it(thing: &look::Thing) -> bool {
    let listens = thing.kind.is_listened_to();
    let is_kept = || thing.holders.iter().any(|holder| is_certain(thing, holder));
    (listens || !thing.queue.is_empty()) && (is_kept() || thing.kind == ThingKind::Room || !thing.perhaps.is_empty())
}

/// Whether somebody surely has a part of a thing, or has it unless somebody else does who is known.
fn is_certain(thing: &look::Thing, holder: &look::Holder) -> bool {
    holder.certainty == Certainty::Proven || !thing.perhaps.is_empty()
}

/// What a thing of memory is called in the model, whether or not it has a row.
pub(in crate::diagnose) fn row(model: &Model, thing: ThingId) -> ResourceId {
    model.row_of_thing(thing).unwrap_or(ResourceId(thing.0))
}

/// Who has what, before it is known by which of their parts.
#[derive(Debug, Clone, Copy)]
struct Holding {
    actor: Actor,
    what: What,
    permits: u64,
    known: (Stamp, Stamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Permits,
    Sender,
    Receiver,
}

/// What is known of a thing, before it is known by which of their parts who has it and waits for it.
#[derive(Debug, Default)]
struct Raw {
    holdings: Vec<Holding>,
    queue: Vec<(Actor, u64)>,
    /// Who else could have it.
    perhaps: Vec<Actor>,
    /// Permits that there are.
    total: u64,
}

struct Build<'m> {
    model: &'m Model,
    graph: Graph,
    todo: Vec<Actor>,
    raw: FxHashMap<ResourceId, Raw>,
    /// By which of their parts somebody has a part of something, or waits for it.
    parts: FxHashMap<(Actor, ResourceId, Role), Vec<Part>>,
    /// The part of somebody that waits to be polled, where all threads that could poll them sleep.
    polled_by: FxHashMap<Actor, usize>,
}

/// A part of somebody, and how many permits it has or wants, as memory counts them.
#[derive(Debug, Clone, Copy)]
struct Part {
    frame: Frame,
    permits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Has(What),
    Waits,
}

impl Build<'_> {
    fn now(&self) -> Stamp {
        self.model.memory().now().or(self.model.now()).unwrap_or(Stamp::MIN)
    }

    /// The node of the whole of somebody.
    fn whole(&mut self, actor: Actor) -> usize {
        if let Some(node) = self.graph.actors.get(&actor) {
            return *node;
        }
        let node = self.graph.node(actor, None, self.now());
        self.graph.actors.insert(actor, node);
        self.todo.push(actor);
        node
    }

    /// Everybody who waits for a thing, or surely has a part of it.
    fn everybody(&mut self, thing: &look::Thing) {
        let sure = thing.holders.iter().filter(|holder| is_certain(thing, holder)).map(|holder| holder.who);
        for who in thing.queue.iter().map(|waiter| waiter.who).chain(sure) {
            if let Some(actor) = self.actor(who) {
                self.whole(actor);
            }
        }
    }

    /// Takes in a thing that somebody waits for, and everybody who takes part in it.
    fn thing(&mut self, id: ResourceId) {
        if self.graph.things.contains_key(&id) {
            return;
        }
        self.graph.things.insert(id, Thing::default());
        let raw = match self.model.lock(id) {
            Some((_, lock)) if self.one_of_several(id).is_none() => self.lock(id, lock),
            _ => {
                let thing = self.one_of_several(id).or_else(|| self.model.memory().thing(ThingId(id.0)));
                thing.map(|thing| self.told_by_memory(id, thing)).unwrap_or_default()
            }
        };
        let holders = raw.holdings.iter().map(|holding| holding.actor);
        for actor in holders.chain(raw.queue.iter().map(|(actor, _)| *actor)).chain(raw.perhaps.iter().copied()) {
            self.whole(actor);
        }
        self.raw.insert(id, raw);
    }

    fn lock(&self, id: ResourceId, lock: &Lock) -> Raw {
        let holding = |hold: &Hold| {
            let actor = match (hold.acquire.task, &hold.thread) {
                (TaskId::NONE, Some(thread)) => Actor::Root(thread.tid),
                (TaskId::NONE, None) => return None,
                (task, _) => Actor::Task(task),
            };
            let (permits, known) = (permits(hold.acquire.access), (hold.acquire.at, hold.seen));
            Some(Holding { actor, what: What::Permits, permits, known })
        };
        if self.model.sources_differ_on_lock(id) {
            return Raw { total: ALL, ..Raw::default() };
        }
        Raw {
            holdings: lock.holds.iter().filter(|hold| is_sure(hold)).filter_map(holding).collect(),
            queue: self
                .model
                .waiters(id)
                .iter()
                .filter_map(|it| Some((Actor::Task(it.task?), permits(it.access))))
                .collect(),
            total: ALL,
            ..Raw::default()
        }
    }

    /// What memory tells of anything but a lock, as far as two looks agree on it.
    fn told_by_memory(&mut self, id: ResourceId, thing: &look::Thing) -> Raw {
        let open = || Raw { total: u64::MAX, ..Raw::default() };
        let Some(total) = thing.total.filter(|_| thing.steady) else { return open() };
        if let Some(channel) = thing.of {
            // Whoever receives makes room.
            let Some(receives) = self.ends(channel, What::Receiver) else { return open() };
            let channel = self.with_ends(channel, receives);
            if let Some(channel) = self.graph.things.get_mut(&channel) {
                channel.room = Some(id);
            }
            if let Some(room) = self.graph.things.get_mut(&id) {
                room.channel = Some(channel);
            }
        }
        let mut holdings = self.holdings(thing, What::Permits);
        let perhaps = self.perhaps(thing, &mut holdings);
        let queue = thing.queue.iter().filter_map(|waiter| Some((self.actor(waiter.who)?, waiter.missing.into())));
        // Messages take room until somebody receives them.
        let inside = thing.channel.and_then(|channel| channel.messages).filter(|_| thing.kind == ThingKind::Room);
        Raw { queue: queue.collect(), holdings, perhaps, total: total.saturating_sub(inside.unwrap_or(0)) }
    }

    fn actor(&self, who: Who) -> Option<Actor> {
        match who {
            Who::Task(number) => Some(Actor::Task(self.model.task_of_number(number))),
            Who::Root(thread) => Some(Actor::Root(thread)),
            Who::Unknown => None,
        }
    }

    /// Who surely has what of a thing.
    fn holdings(&self, thing: &look::Thing, what: What) -> Vec<Holding> {
        let now = self.now();
        let sure = thing.holders.iter().filter(|holder| is_certain(thing, holder));
        let holding = |holder: &look::Holder| {
            let permits = match (holder.what, what) {
                (ClaimKind::Permits(permits), What::Permits) => permits.into(),
                (ClaimKind::Sender, What::Sender) | (ClaimKind::Receiver, What::Receiver) => 0,
                _ => return None,
            };
            let actor = self.actor(holder.who)?;
            Some(Holding { actor, what, permits, known: (self.still_since(actor)?, now) })
        };
        sure.filter_map(holding).collect()
    }

    /// The ends of a channel of one kind, if all of them are surely known.
    fn ends(&self, channel: ThingId, what: What) -> Option<Vec<Holding>> {
        let thing = self.model.memory().thing(channel).filter(|thing| thing.steady)?;
        let kind = if what == What::Sender { ClaimKind::Sender } else { ClaimKind::Receiver };
        let told = thing.holders.iter().filter(|holder| holder.what == kind).count();
        let ends = self.holdings(thing, what);
        let all = ends.len() == told && !ends.is_empty() && ends.len() <= ENDS_MOST;
        (all && (what == What::Receiver || thing.unseen == 0)).then_some(ends)
    }

    /// Says of somebody what they wait for and what they have, part by part.
    fn fill(&mut self, actor: Actor) {
        let whole = self.whole(actor);
        let own = self.own_part(actor, whole);
        if self.try_fill(actor, own).is_none() {
            self.graph.open(own);
        }
    }

    /// `None` where they can go on, as far as is known.
    fn try_fill(&mut self, actor: Actor, whole: usize) -> Option<()> {
        let model = self.model;
        match actor {
            Actor::Root(thread) if self.runs_on_sleeping(thread) == Some(actor) => self.sleeps(actor, whole, thread),
            Actor::Root(thread) => {
                let root = model.memory().whole()?.roots.iter().find(|root| root.thread == thread)?;
                let since = model.memory().slept_since(thread)?;
                let chain = root.chain.filter(|_| root.unread.is_empty())?;
                self.awaits(whole, chain, &root.waits, &root.claims, since)
            }
            Actor::Task(id) => {
                let task = model.tasks().get(id).filter(|task| !task.has_ended() && !model.sources_differ_on(task))?;
                if let Some(thread) = self.runs_on(&task) {
                    return match self.runs_on_sleeping(thread) {
                        Some(runs) if runs == actor => self.sleeps(actor, whole, thread),
                        _ => self.runs_root(whole, thread),
                    };
                }
                let told = only_wait(model, id);
                match task.look() {
                    // What memory is not sure of, or cannot call by the other's name, the other may know.
                    Some(look) if look.chain.is_some() && (told.is_none() || self.is_sure_of_all(look)) => {
                        let is_still = look.state == State::Idle && look.unread.is_empty();
                        let chain = look.chain.filter(|_| is_still)?;
                        let still = task.still_since()?;
                        // It has waited for longer than it was looked at, perhaps.
                        let since = told.map_or(still, |(_, asked)| asked.min(still));
                        self.awaits(whole, chain, &look.waits, &look.claims, since)
                    }
                    _ => {
                        self.waits_as_told(whole, id, told?);
                        Some(())
                    }
                }
            }
        }
    }

    /// Whether all that memory tells of what somebody waits for is sure, and known to the model.
    fn is_sure_of_all(&self, look: &look::TaskLook) -> bool {
        let is_sure = |wait: &Wait| match wait.on {
            WaitOn::Permits { of, .. } => self.model.row_of_thing(of).is_some(),
            on => on != WaitOn::Other,
        };
        look.waits.iter().all(|wait| wait.certainty == Certainty::Proven && is_sure(wait))
    }

    /// The thread on which a job, or a task that is polled now, runs.
    fn runs_on(&self, task: &Task) -> Option<u32> {
        let whole = self.model.memory().whole()?;
        let number = task.number()?;
        match task.kind() {
            TaskKind::Blocking => whole.jobs.iter().find(|job| job.number == number)?.thread,
            _ if task.state() == TaskState::Running => {
                whole.threads.iter().find(|it| it.polls == Some(number)).map(|it| it.id)
            }
            _ => None,
        }
    }

    /// Somebody runs on a thread: while that is in a `block_on` of its own, they wait for the end of that.
    fn runs_root(&mut self, whole: usize, thread: u32) -> Option<()> {
        let since = self.model.memory().slept_since(thread)?;
        self.model.memory().whole()?.roots.iter().find(|root| root.thread == thread)?;
        if let Some(node) = self.graph.nodes.get_mut(whole) {
            node.since = since;
        }
        self.waits_for_end(whole, Actor::Root(thread), 0);
        Some(())
    }

    fn waits_for_end(&mut self, node: usize, of: Actor, frame: u16) {
        let ends = self.whole(of);
        self.graph.joins.entry(ends).or_default().push(node);
        self.way(node, Awaited::End(of), frame);
    }

    fn way(&mut self, node: usize, awaited: Awaited, frame: u16) {
        if let Some(node) = self.graph.nodes.get_mut(node) {
            node.ways.push(Way::For(awaited, frame));
        }
    }

    /// What instrumentation tells: the lock that a task waits for, if that is all that could ever wake it.
    fn waits_as_told(&mut self, whole: usize, id: TaskId, (lock, asked): (ResourceId, Stamp)) {
        self.thing(lock);
        if let Some(node) = self.graph.nodes.get_mut(whole) {
            node.since = asked;
        }
        let actor = Actor::Task(id);
        let frame = Frame { node: whole, polled: Polled::Yes };
        self.parts.entry((actor, lock, Role::Waits)).or_default().push(Part { frame, permits: 0 });
        self.way(whole, Awaited::Permits(lock), 0);
    }

    /// What memory tells that somebody awaits, and has.
    fn awaits(&mut self, whole: usize, chain: u32, waits: &[Wait], claims: &[Claim], since: Stamp) -> Option<()> {
        let chain = self.model.memory().chain(chain)?;
        let actor = self.graph.nodes.get(whole)?.actor;
        if let Some(node) = self.graph.nodes.get_mut(whole) {
            node.since = since;
        }
        let frames = self.graph.parts(whole, chain, since);
        for (number, wait) in waits.iter().enumerate() {
            let Some(frame) = frames.get(usize::from(wait.frame)).copied() else { continue };
            // Each of the tasks of a set is a way by itself.
            let one_of = |other: &Wait| other.frame == wait.frame && matches!(other.on, WaitOn::JoinOneOf(_));
            if matches!(wait.on, WaitOn::JoinAny(_)) && waits.iter().any(one_of) {
                continue;
            }
            match frame.polled {
                Polled::Yes => self.polled_wait(actor, frame, number as u16, wait),
                Polled::No => self.kept_wait(actor, frame, wait),
            }
        }
        for claim in claims {
            let Some(frame) = frames.get(usize::from(claim.frame)).copied() else { continue };
            let (what, permits) = match claim.what {
                ClaimKind::Permits(permits) => (What::Permits, permits),
                ClaimKind::Sender => (What::Sender, 0),
                ClaimKind::Receiver => (What::Receiver, 0),
            };
            let id = row(self.model, claim.of);
            // What somebody has comes back when they are polled.
            let node = self.polled_by.get(&actor).copied().unwrap_or(frame.node);
            let frame = Frame { node, ..frame };
            self.parts.entry((actor, id, Role::Has(what))).or_default().push(Part { frame, permits });
        }
        Some(())
    }

    /// A wait of what is polled: a way to go on, which may be open.
    fn polled_wait(&mut self, actor: Actor, frame: Frame, number: u16, wait: &Wait) {
        let is_sure = wait.certainty == Certainty::Proven;
        match wait.on {
            WaitOn::Permits { of, missing: 1.., wanted } if is_sure => {
                let id = row(self.model, of);
                self.thing(id);
                self.parts.entry((actor, id, Role::Waits)).or_default().push(Part { frame, permits: wanted });
                self.way(frame.node, Awaited::Permits(id), wait.frame);
            }
            WaitOn::Thing(of) if is_sure => self.listens(frame, number, of, wait.frame),
            WaitOn::Join(Some(task)) | WaitOn::JoinOneOf(task) if is_sure => {
                let task = self.model.task_of_number(task);
                self.waits_for_end(frame.node, Actor::Task(task), wait.frame);
            }
            // That a channel ends is waited for until the service does.
            WaitOn::Timer(_) | WaitOn::Closed(_) => self.escape(frame.node, number),
            _ => self.graph.open(frame.node),
        }
    }

    /// Somebody listens to a channel, or for a notification.
    fn listens(&mut self, frame: Frame, number: u16, of: ThingId, at: u16) {
        let Some(thing) = self.model.memory().thing(of) else { return self.graph.open(frame.node) };
        let has_some = thing.channel.and_then(|channel| channel.messages).is_some_and(|messages| messages > 0);
        let is_over = thing.channel.and_then(|channel| channel.closed) == Some(true);
        let ends = self.ends(of, What::Sender).filter(|_| !has_some && !is_over);
        match (ends, thing.kind) {
            (Some(ends), _) => {
                let id = self.with_ends(of, ends);
                if let Some(thing) = self.graph.things.get_mut(&id) {
                    thing.listening.push(frame.node);
                }
                self.way(frame.node, Awaited::Message(id), at);
            }
            (None, ThingKind::Watch | ThingKind::Broadcast | ThingKind::Oneshot | ThingKind::Notify)
                if !has_some && !is_over =>
            {
                self.escape(frame.node, number);
            }
            _ => self.graph.open(frame.node),
        }
    }

    /// A channel whose ends are surely known.
    fn with_ends(&mut self, of: ThingId, ends: Vec<Holding>) -> ResourceId {
        let id = row(self.model, of);
        self.thing(id);
        for end in &ends {
            self.whole(end.actor);
        }
        if let Some(raw) = self.raw.get_mut(&id) {
            let is_new =
                |end: &Holding| !raw.holdings.iter().any(|known| (known.actor, known.what) == (end.actor, end.what));
            let new: Vec<Holding> = ends.into_iter().filter(is_new).collect();
            raw.holdings.extend(new);
        }
        id
    }

    fn escape(&mut self, node: usize, wait: u16) {
        if let Some(node) = self.graph.nodes.get_mut(node) {
            node.escapes.push(wait);
        }
    }

    /// A wait of what nobody polls: it stands in a queue, or was given what it asked for.
    fn kept_wait(&mut self, actor: Actor, frame: Frame, wait: &Wait) {
        let WaitOn::Permits { of, missing, wanted } = wait.on else { return };
        let id = row(self.model, of);
        let role = if missing == 0 { Role::Has(What::Permits) } else { Role::Waits };
        self.parts.entry((actor, id, role)).or_default().push(Part { frame, permits: wanted });
    }

    /// Which of their parts each has, and stands in a queue with.
    fn link(&mut self) {
        for (id, raw) in std::mem::take(&mut self.raw) {
            let mut pool = raw.total;
            for (holding, frame) in raw.holdings.iter().zip(self.keepers(id, &raw.holdings)) {
                let Some(frame) = frame else { continue };
                let (keeps, gives) = match holding.what {
                    What::Permits => (Keeps::has(frame.polled), Gives::Permits(id, holding.permits)),
                    What::Sender => (Keeps::Sends, Gives::Sender(id)),
                    What::Receiver => (Keeps::Receives, Gives::Receiver(id)),
                };
                pool = pool.saturating_sub(holding.permits);
                let (node, known) = (frame.node, holding.known);
                if let Some(part) = self.graph.nodes.get_mut(node) {
                    part.gives.push(gives);
                }
                if let Some(thing) = self.graph.things.get_mut(&id) {
                    thing.kept.push(Kept { node, keeps, known });
                }
            }
            for actor in &raw.perhaps {
                let node = self.polled_by.get(actor).or_else(|| self.graph.actors.get(actor)).copied();
                if let Some(part) = node.and_then(|node| self.graph.nodes.get_mut(node)) {
                    part.gives.push(Gives::Permits(id, raw.total));
                }
            }
            let queue = self.queue(id, &raw.queue);
            for waits in &queue {
                if let Some(node) = self.graph.nodes.get_mut(waits.node) {
                    node.stands_in.push(id);
                }
            }
            if let Some(thing) = self.graph.things.get_mut(&id) {
                thing.pool = pool;
                thing.queue = queue.into();
            }
        }
    }

    /// The parts of their owners by which each of these is had; `None` where that may be one or the other.
    fn keepers(&self, id: ResourceId, holdings: &[Holding]) -> Vec<Option<Frame>> {
        let mut found = vec![None; holdings.len()];
        let mut of: FxHashMap<(Actor, What), Vec<(usize, u64)>> = FxHashMap::default();
        for (at, holding) in holdings.iter().enumerate() {
            of.entry((holding.actor, holding.what)).or_default().push((at, holding.permits));
        }
        for ((actor, what), which) in of {
            let parts = self.parts.get(&(actor, id, Role::Has(what)));
            let whole = self.polled_by.get(&actor).or_else(|| self.graph.actors.get(&actor));
            let whole = whole.map(|whole| Frame { node: *whole, polled: Polled::Yes });
            // Where memory tells of none, instrumentation alone does.
            let only = parts.map_or(whole, |parts| only(parts));
            let alike = || alike(&which, parts.map(Vec::as_slice).unwrap_or_default());
            let pairs = match only {
                Some(only) => which.iter().map(|(at, _)| (*at, only)).collect(),
                None => alike().unwrap_or_default().into_iter().map(|(at, _, frame)| (at, frame)).collect::<Vec<_>>(),
            };
            for (at, frame) in pairs {
                if let Some(found) = found.get_mut(at) {
                    *found = Some(frame);
                }
            }
        }
        found
    }

    /// Who stands in a queue by which of their parts. Where that may be one or the other, all of these can go on.
    fn queue(&mut self, id: ResourceId, waiting: &[(Actor, u64)]) -> Vec<Queued> {
        let mut of: FxHashMap<Actor, Vec<(usize, u64)>> = FxHashMap::default();
        for (place, (actor, wanted)) in waiting.iter().enumerate() {
            of.entry(*actor).or_default().push((place, *wanted));
        }
        let mut queue: Vec<(usize, Queued)> = Vec::with_capacity(waiting.len());
        for (actor, places) in of {
            let Some(whole) = self.graph.actors.get(&actor).copied() else { continue };
            let parts = self.parts.get(&(actor, id, Role::Waits)).cloned().unwrap_or_default();
            let queued = |(place, wanted, frame): (usize, u64, Frame)| {
                (place, Queued { node: frame.node, wanted, keeps: Keeps::before(frame.polled) })
            };
            match &*parts {
                [] => self.graph.open(whole),
                [Part { frame, .. }] => {
                    queue.extend(places.into_iter().map(|(place, wanted)| queued((place, wanted, *frame))));
                }
                several => match alike(&places, several) {
                    Some(pairs) => queue.extend(soonest(pairs).into_iter().map(queued)),
                    None => several.iter().for_each(|part| self.graph.open(part.frame.node)),
                },
            }
        }
        queue.sort_by_key(|(place, _)| *place);
        queue.into_iter().map(|(_, queued)| queued).collect()
    }
}

impl Keeps {
    fn has(polled: Polled) -> Self {
        if polled == Polled::Yes { Self::Has } else { Self::HasUnpolled }
    }

    fn before(polled: Polled) -> Self {
        if polled == Polled::Yes { Self::Before } else { Self::BeforeUnpolled }
    }
}

fn permits(access: Access) -> u64 {
    match access {
        Access::Shared => 1,
        Access::Exclusive => ALL,
    }
}
