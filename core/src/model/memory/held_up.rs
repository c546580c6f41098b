//! Who has what holds others up, in words: where they sleep, what they wait for in turn, and whether that comes round to themselves.

use super::{AwaitsKey, locks::collects};
use crate::{
    model::{Model, Task, TaskState},
    number::{grouped, plural},
    update::{
        Stamp, TaskId,
        look::{Certainty, ClaimKind, Holder, Thing, ThingKind, WaitOn, Who},
    },
};
use rustc_hash::FxHashMap;
use std::{fmt::Write, hash::Hash};

/// A way from one lock to the next is followed no further.
const STEPS_MOST: usize = 8;

impl Model {
    /// Who has a thing that others wait for, and what they wait for.
    pub(super) fn who_has(&self, thing: &Thing, now: Stamp) -> String {
        let holders: Vec<&Holder> = thing.holders.iter().filter(|holder| is_holder(thing, holder)).collect();
        let tasks = self.tasks_of(&holders);
        let is_sure = thing.steady && holders.iter().all(|holder| holder.certainty == Certainty::Proven);
        let likely = if is_sure { "" } else { "likely " };
        let what = if is_counted(thing.kind) { "its permits" } else { "it" };
        let root =
            holders.iter().find_map(|holder| if let Who::Root(thread) = holder.who { Some(thread) } else { None });
        let (who, has) = match (&*tasks, root) {
            ([], Some(thread)) => (format!("the future of block_on on thread {thread}"), "has"),
            ([], None) if thing.unseen > 0 => return format!("no frame that was read has {what}"),
            ([], None) => return format!("who has {what} is not known"),
            ([only], _) => (self.task_in_words(*only), "has"),
            (several, _) => (plural(several.len() as u64, "task"), "have"),
        };
        let mut said = format!("{who} {likely}{has} {what}");
        let known = holders.iter().map(|holder| &holder.place).filter(|place| !place.file.is_empty());
        let places = most(known.map(ToString::to_string));
        if let [(place, _), others @ ..] = &*places {
            let _ = write!(said, ", at {place}");
            if !others.is_empty() {
                let _ = write!(said, " and {}", plural(others.len() as u64, "other place"));
            }
        }
        match (&*tasks, is_sure) {
            ([], _) => {}
            ([only], true) => said += &self.waits_in_turn(thing, *only, now),
            (tasks, _) => said += &self.most_wait(tasks, now),
        }
        said
    }

    /// The tasks of these, each once.
    fn tasks_of(&self, holders: &[&Holder]) -> Vec<TaskId> {
        let task = |holder: &&Holder| match holder.who {
            Who::Task(number) => Some(self.task_of_number(number)),
            _ => None,
        };
        let mut tasks: Vec<TaskId> = holders.iter().filter_map(task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks
    }

    /// What most of these wait for.
    fn most_wait(&self, tasks: &[TaskId], now: Stamp) -> String {
        let key = |id: &TaskId| Some(self.doing(&self.tasks.get(*id)?));
        let doing = most(tasks.iter().filter_map(key));
        let Some(&(doing, count)) = doing.first() else { return String::new() };
        let of_it = |id: &&TaskId| self.tasks.get(**id).is_some_and(|task| self.doing(&task) == doing);
        let Some(task) = tasks.iter().find(of_it).and_then(|id| self.tasks.get(*id)) else { return String::new() };
        let they = if count == tasks.len() { String::new() } else { format!("{} of them ", grouped(count as u64)) };
        let of = if count == 1 { Of::One } else { Of::Several };
        match self.doing_in_words(&task, doing, of, now) {
            said if said.is_empty() => said,
            said => format!(", and {they}{said}"),
        }
    }

    /// What the only one who surely has a thing waits for: where that is a lock, who has that, and so on.
    fn waits_in_turn(&self, first: &Thing, task: TaskId, now: Stamp) -> String {
        let (mut said, mut seen, mut task, mut joint) = (String::new(), vec![first.id], task, ", and ");
        for _ in 0..STEPS_MOST {
            let Some((thing, holder)) = self.next_in_turn(task) else { break };
            if let Some(at) = seen.iter().position(|known| *known == thing.id) {
                let which = match (at, seen.len()) {
                    (0, 1) => "it itself".to_owned(),
                    (0, _) => "the first of these".to_owned(),
                    _ => self.thing_in_words(thing.id),
                };
                return format!("{said}{joint}waits for {which}: a deadlock");
            }
            let _ = write!(said, "{joint}waits for {}", self.thing_in_words(thing.id));
            seen.push(thing.id);
            let Some(holder) = holder else { return said };
            let _ = write!(said, ", which {} has", self.task_in_words(holder));
            (task, joint) = (holder, ", and that one ");
        }
        let Some(row) = self.tasks.get(task) else { return said };
        match self.doing_in_words(&row, self.doing(&row), Of::One, now) {
            last if last.is_empty() => said,
            last => format!("{said}{joint}{last}"),
        }
    }

    /// The lock that a task surely waits for and for nothing else, and the only task that surely has that.
    fn next_in_turn(&self, task: TaskId) -> Option<(&Thing, Option<TaskId>)> {
        self.proven_wait(task)?;
        let row = self.tasks.get(task)?;
        let [wait] = &*row.look()?.waits else { return None };
        let thing = self.memory.thing(wait.on.thing()?)?;
        let holder = match &*thing.holders {
            [Holder { who: Who::Task(number), certainty: Certainty::Proven, .. }] if thing.steady => {
                Some(self.task_of_number(*number))
            }
            _ => None,
        };
        Some((thing, holder))
    }

    fn task_in_words(&self, id: TaskId) -> String {
        let number = self.tasks.get(id).map_or(id.0, Task::display_id);
        format!("task {number}")
    }

    /// What a holder is doing, as far as it tells it from others.
    fn doing(&self, task: &Task) -> Doing {
        match task.state() {
            TaskState::Running => Doing::Runs,
            TaskState::Scheduled => Doing::IsWoken,
            _ => Doing::Waits(self.awaits_key(task)),
        }
    }

    fn doing_in_words(&self, task: &Task, doing: Doing, of: Of, now: Stamp) -> String {
        let (is, waits) = if of == Of::One { ("is", "waits") } else { ("are", "wait") };
        let on = match doing {
            Doing::Runs => return format!("{is} being polled"),
            Doing::IsWoken => return format!("{is} woken and not polled yet"),
            Doing::Waits(_) => self.awaits(task, now).map(|awaits| awaits.on).unwrap_or_default(),
        };
        let io = task.look().and_then(|look| {
            look.waits.iter().find_map(|wait| match wait.on {
                WaitOn::Io { fd: Some(fd), interest } => Some((fd, interest)),
                _ => None,
            })
        });
        match (doing, io) {
            (Doing::Waits(AwaitsKey::Peer(_) | AwaitsKey::Io(_)), Some((fd, interest))) => {
                format!("{waits} for {}", self.peer_in_words(fd, interest))
            }
            _ if on.is_empty() => on,
            _ => format!("{waits} for {on}"),
        }
    }
}

/// What a holder does meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Doing {
    Runs,
    IsWoken,
    Waits(AwaitsKey),
}

/// How many a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    One,
    Several,
}

/// Whether it has permits, and does not merely collect them.
fn is_holder(thing: &Thing, holder: &Holder) -> bool {
    matches!(holder.what, ClaimKind::Permits(_)) && !collects(thing, holder)
}

/// Whether there are many permits, of which each holder has some.
fn is_counted(kind: ThingKind) -> bool {
    matches!(kind, ThingKind::Semaphore | ThingKind::Room | ThingKind::Unknown)
}

/// These with how often each is there, the most frequent first.
fn most<T: Hash + Ord + Clone>(all: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts: FxHashMap<T, usize> = FxHashMap::default();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

#[cfg(test)]
mod tests;
