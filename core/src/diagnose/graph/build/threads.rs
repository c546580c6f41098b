//! Threads that sleep for a lock of the standard library: who runs on one waits as it does, and whoever needs it to be polled waits for
//! that one. While such a thread sleeps nobody reads what runs on it has, so that each of these may be the one who has what is
//! missing.

use super::{Actor, Awaited, Build, Frame, Holding, Part, Polled, ResourceId, Role, What, row};
use crate::{
    diagnose::graph::{Needs, Way},
    update::{
        Stamp,
        look::{self, Home, SleepsFor, State, Thing, WaitOn},
    },
};

/// As many permits as one has who writes to a lock of the standard library.
const ALL_READERS: u32 = (1 << 30) - 1;

impl<'m> Build<'m> {
    /// Since when somebody has not moved.
    pub(super) fn still_since(&self, actor: Actor) -> Option<Stamp> {
        match actor {
            Actor::Task(id) => self.model.tasks().get(id)?.still_since(),
            Actor::Root(thread) => self.model.memory().slept_since(thread),
        }
    }

    fn thread(&self, id: u32) -> Option<&look::Thread> {
        self.model.memory().whole()?.threads.iter().find(|thread| thread.id == id)
    }

    /// Who runs on a thread that sleeps for a lock which is known: a task or a job, or else what it runs by `block_on`.
    pub(super) fn runs_on_sleeping(&self, thread: u32) -> Option<Actor> {
        let told = self.thread(thread).filter(|it| it.sleeps.is_some_and(|sleeps| sleeps.at.is_some()))?;
        if let Some(task) = told.polls {
            return Some(Actor::Task(self.model.task_of_number(task)));
        }
        let roots = &self.model.memory().whole()?.roots;
        roots.iter().any(|root| root.thread == thread).then_some(Actor::Root(thread))
    }

    /// Somebody runs on a thread that sleeps for a lock: they wait for that and for nothing else.
    pub(super) fn sleeps(&mut self, actor: Actor, whole: usize, thread: u32) -> Option<()> {
        let sleeps = self.thread(thread)?.sleeps?;
        let (of, since) = (sleeps.at?, self.model.memory().slept_since(thread)?);
        if let Some(node) = self.graph.nodes.get_mut(whole) {
            node.since = since;
        }
        let id = row(self.model, of);
        self.thing(id);
        let permits = if sleeps.lock == SleepsFor::Write { ALL_READERS } else { 1 };
        let frame = Frame { node: whole, polled: Polled::Yes };
        self.parts.entry((actor, id, Role::Waits)).or_default().push(Part { frame, permits });
        self.way(whole, Awaited::Permits(id), 0);
        Some(())
    }

    /// The node of what somebody does by themselves: a part of them, where all threads that could poll them sleep for locks.
    pub(super) fn own_part(&mut self, actor: Actor, whole: usize) -> usize {
        let Some((threads, frame)) = self.polled_by_sleepers(actor) else { return whole };
        let Some((thread, all)) = threads.first().copied().zip(self.poller(&threads)) else { return whole };
        let since = self.still_since(actor).unwrap_or(self.now());
        let (own, polled) = (self.graph.part(whole, actor, since), self.graph.part(whole, actor, since));
        if let Some(node) = self.graph.nodes.get_mut(whole) {
            node.needs = Needs::All;
            node.since = since;
        }
        self.way(polled, Awaited::Poll(thread, threads.len()), frame);
        self.graph.joins.entry(all).or_default().push(polled);
        self.polled_by.insert(actor, polled);
        own
    }

    /// The threads that alone could poll somebody who is not polled now, where all of them sleep for locks; and the frame in which they
    /// would go on.
    fn polled_by_sleepers(&self, actor: Actor) -> Option<(Vec<u32>, u16)> {
        let whole = self.model.memory().whole()?;
        let first = |waits: &[look::Wait]| waits.first().map_or(0, |wait| wait.frame);
        match actor {
            Actor::Root(thread) => {
                let root = whole.roots.iter().find(|root| root.thread == thread)?;
                let runs = self.runs_on_sleeping(thread)?;
                (runs != actor).then(|| (vec![thread], first(&root.waits)))
            }
            Actor::Task(id) => {
                let task = self.model.tasks().get(id).filter(|task| !task.has_ended())?;
                let look = task.look().filter(|_| !self.model.sources_differ_on(&task))?;
                let waits = matches!(look.state, State::Idle | State::Woken) && look.home != Home::Unknown;
                let kept = whole.kept.iter().find(|kept| waits && kept.home == look.home)?;
                // Where it sleeps: where it waits for something, or as far in as it is known.
                let last = || self.model.memory().chain(look.chain?)?.frames.len().checked_sub(1);
                let frame = match look.waits.iter().find(|wait| wait.on != WaitOn::Nothing) {
                    Some(wait) => wait.frame,
                    None => last().unwrap_or(0) as u16,
                };
                Some((kept.threads.clone(), frame))
            }
        }
    }

    /// The node of threads that could poll others, and sleep: as soon as one of them goes on, it does. All who need them share it.
    fn poller(&mut self, threads: &[u32]) -> Option<usize> {
        let key = (*threads.first()?, threads.len());
        if let Some(node) = self.graph.pollers.get(&key) {
            return Some(*node);
        }
        let since = threads.iter().map(|thread| self.model.memory().slept_since(*thread)).collect::<Option<Vec<_>>>();
        let runs = threads.iter().map(|thread| self.runs_on_sleeping(*thread)).collect::<Option<Vec<_>>>();
        let (since, runs) = since?.into_iter().max().zip(runs)?;
        let node = self.graph.node(*runs.first()?, None, since);
        self.graph.pollers.insert(key, node);
        for actor in runs {
            let sleeps = self.whole(actor);
            self.graph.joins.entry(sleeps).or_default().push(node);
            if let Some(poller) = self.graph.nodes.get_mut(node) {
                poller.ways.push(Way::Part(sleeps));
            }
        }
        Some(node)
    }

    /// What memory tells of a lock of which it is not proven who has it, but that it is one of some: where nobody else tells.
    pub(super) fn one_of_several(&self, id: ResourceId) -> Option<&'m Thing> {
        let (_, lock) = self.model.lock(id)?;
        let thing = self.model.thing_of_row(id).filter(|thing| !thing.perhaps.is_empty())?;
        let is_told = lock.holds.iter().any(super::is_sure) || !self.model.is_lock_told_by_looks(id);
        (!is_told).then_some(thing)
    }

    /// Who else could have a thing. Where nobody else is known to, the only one of them has it.
    pub(super) fn perhaps(&self, thing: &Thing, holdings: &mut Vec<Holding>) -> Vec<Actor> {
        let actors = thing.perhaps.iter().filter_map(|who| self.actor(*who)).collect::<Vec<_>>();
        if let ([only], [], Some(permits)) = (&*actors, &**holdings, thing.held)
            && let Some(since) = self.still_since(*only)
        {
            holdings.push(Holding { actor: *only, what: What::Permits, permits, known: (since, self.now()) });
        }
        actors
    }
}
