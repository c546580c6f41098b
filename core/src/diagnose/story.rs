//! A finding's story: who is in it, what they wait for and who keeps that, step by step in the order in which it is told. Text, JSON and
//! the screen tell it from here, so that none of them says what another does not.
//!
//! ```text
//! task 21 ab-first
//! ╰ waits for Mutex 3 src/pair.rs:12 for 12.2 s
//!   ╰ task 22 ba-first holds it for 12.3 s
//!     ╰ waits for Mutex 1 src/pair.rs:11 for 12.2 s        the line to change first
//!       ╰ task 21 ab-first (above) holds it for 12.3 s
//! ```

use super::{
    AwaitedRef, Confidence, CycleStep, Finding, KeepsBy, LockRef, RuntimeRef, StackRef, Subject, TaskRef, WaitRef,
    WorkerRef, humanize, label,
};
use crate::packed::Word;
use crate::update::Stack;
use std::time::Duration;

/// Somebody who keeps others from what they wait for, and what they wait for meanwhile.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Keeper {
    /// Who.
    pub task: TaskRef,
    /// How they keep it.
    pub by: KeepsBy,
    /// How that is known.
    pub known: Confidence,
    /// For how long; `None` where that is not told.
    pub held: Option<Duration>,
    /// What they do meanwhile, where they wait for nothing that is known; empty where nothing is.
    #[serde(with = "crate::packed::word")]
    pub does: Word,
    /// Where they sleep with it.
    pub at: Option<String>,
    /// What they wait for themselves.
    pub waits: Vec<KeeperWait>,
}

/// What somebody who keeps others waits for, and who keeps that in turn.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KeeperWait {
    /// In words.
    pub words: String,
    /// The same, where it is something that others can keep.
    pub on: Option<AwaitedRef>,
    /// Who keeps that.
    pub kept: Vec<Keeper>,
}

/// Whom or what a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A task.
    Task(TaskRef),
    /// A lock, a semaphore, a channel.
    Resource(LockRef),
    /// A spawn location, as `file:line`.
    Place(String),
    /// A runtime.
    Runtime(RuntimeRef),
    /// A worker.
    Worker(WorkerRef),
}

/// What a step says of the one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It begins the story.
    Begins,
    /// The one above waits for it.
    Awaited,
    /// They keep what is above from others.
    Keeps(KeepsBy),
    /// They wait for what is above.
    Waits,
    /// It happens there.
    On,
    /// They are in it as well.
    Also,
    /// So many more of those above it are not named.
    More,
}

impl Role {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::Awaited => "awaited",
            Self::Keeps(_) => "keeps",
            Self::Waits => "waits",
            Self::On => "on",
            Self::Also => "also",
            Self::More => "more",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// How deep it stands below the first.
    pub depth: usize,
    /// What it says of the step above.
    pub role: Role,
    /// Whom or what it is about; `None` where that has no page of its own, as a timer.
    pub about: Option<About>,
    /// What stands before that.
    before: &'static str,
    /// What stands behind it.
    after: String,
    /// For how long that has been so; `None` where it is not told.
    pub lasted: Option<Duration>,
    /// Where in the source, and in which words that is said.
    at: Option<(&'static str, String)>,
    /// How it is known, where that is not how all of the finding is.
    pub known: Option<Confidence>,
    /// What to do there, on the step whose line is the one to change first.
    pub change: Option<&'static str>,
    /// How many there are, of those not named.
    pub count: usize,
}

/// Whether a level of a tree goes on below a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// Another line follows.
    Follows,
    /// It was the last.
    Last,
}

/// How each of these lines hangs together with those around it, by how deep each stands: for each level above a line, whether another
/// line follows at that level; the last one is the line's own.
pub fn levels(depths: &[usize]) -> Vec<Vec<More>> {
    let follows = |from: usize, level: usize| {
        let next = depths.iter().skip(from + 1).find(|&&depth| depth <= level);
        if next == Some(&level) { More::Follows } else { More::Last }
    };
    let of_line = |(at, &depth): (usize, &usize)| (1..=depth).map(|level| follows(at, level)).collect();
    depths.iter().enumerate().map(of_line).collect()
}

/// What draws a tree: a branch with others below it, the last one, what leads past a branch to the next, and past the last.
pub type Lines<'a> = [&'a str; 4];

/// A tree as text has it.
pub const LINES: Lines<'static> = ["├ ", "╰ ", "│ ", "  "];

/// What is drawn before a line of a tree, and before what continues it.
pub fn drawn(levels: &[More], [branch, last, trunk, blank]: Lines) -> (String, String) {
    let past = |level: &More| if *level == More::Follows { trunk } else { blank };
    let Some((own, above)) = levels.split_last() else { return (String::new(), String::new()) };
    let above: String = above.iter().map(past).collect();
    let before = if *own == More::Follows { branch } else { last };
    (format!("{above}{before}"), format!("{above}{}", past(own)))
}

impl About {
    /// In words, as far as the name goes.
    pub fn in_words(&self) -> String {
        match self {
            Self::Task(task) => label::in_words(task),
            Self::Resource(resource) => resource.in_words(),
            Self::Place(place) => format!("tasks spawned at {place}"),
            Self::Runtime(runtime) => format!("runtime {}", runtime.name.trim_start_matches("runtime ")),
            Self::Worker(worker) => format!("worker {} of {}", worker.id.index, worker.runtime),
        }
    }

    /// Where it was made or spawned, where its words leave that out.
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::Task(task) if !task.name.is_empty() && !task.place.is_empty() => Some(&task.place),
            _ => None,
        }
    }
}

impl Step {
    fn new(depth: usize, role: Role, about: Option<About>) -> Self {
        Self {
            depth,
            role,
            about,
            before: "",
            after: String::new(),
            lasted: None,
            at: None,
            known: None,
            change: None,
            count: 0,
        }
    }

    /// In words, without any place that is not part of a name.
    pub fn in_words(&self) -> String {
        let about = self.about.as_ref().map(About::in_words).unwrap_or_default();
        [self.before, &about, &self.after].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// In words, with all places.
    pub fn in_full(&self) -> String {
        let about = self.about.as_ref().map(About::in_words).unwrap_or_default();
        let place = self.about.as_ref().and_then(About::place).unwrap_or_default();
        let parts = [self.before, &about, place, &self.after];
        let words = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        match &self.at {
            Some((word, at)) => format!("{words}, {word} {at}"),
            None => words,
        }
    }

    /// Where in the source it happens, as far as that is known.
    pub fn at(&self) -> Option<&str> {
        self.at.as_ref().map(|(_, at)| at.as_str())
    }
}

/// How somebody keeps something from others, in words that follow on their name.
fn keeps_in_words(by: KeepsBy, what: Option<&LockRef>) -> &'static str {
    let kind = what.map_or("lock", |what| what.kind);
    let is_lock = matches!(kind, "Mutex" | "RwLock" | "OnceCell" | "lock");
    let is_room = kind == "room in an mpsc channel";
    let is_handed_around = matches!(kind, "Notify" | "Barrier");
    match by {
        KeepsBy::Guard if is_room => "has reserved it",
        KeepsBy::Guard if is_lock => "holds it",
        KeepsBy::Guard => "has permits of it",
        KeepsBy::UnpolledGuard => "has it in a future that it does not poll",
        KeepsBy::Place => "stands before that in its queue",
        KeepsBy::UnpolledPlace => "stands before that in its queue, with a future that it does not poll",
        KeepsBy::Sender if is_handed_around => "has a handle to it",
        KeepsBy::Sender => "has its sender",
        KeepsBy::Receiver if is_room => "has the receiver, which would make it",
        KeepsBy::Receiver => "has its receiver",
        KeepsBy::End => "has not ended",
        KeepsBy::Thread => "is polled there, and keeps the thread while it sleeps",
    }
}

/// What stands before something that is waited for.
fn waits_for(what: &AwaitedRef) -> &'static str {
    match what {
        AwaitedRef::End(_) => "waits for the end of",
        AwaitedRef::Poll(_) => "waits for",
        AwaitedRef::Resource(resource) => match resource.kind {
            "mpsc channel" | "broadcast channel" => "waits for a message of the",
            "oneshot channel" => "waits for the value of the",
            "watch channel" => "waits for a change of the",
            "Notify" => "waits for a notification of the",
            "Barrier" => "waits for the others of the",
            _ => "waits for",
        },
    }
}

/// What it is, where that has a page of its own.
fn about(what: &AwaitedRef) -> Option<About> {
    match what {
        AwaitedRef::Resource(resource) => Some(About::Resource(resource.clone())),
        AwaitedRef::End(task) => Some(About::Task(task.clone())),
        AwaitedRef::Poll(_) => None,
    }
}

fn for_(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| format!("for {}", humanize(time)))
}

fn said(parts: [&str; 2]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What to change where somebody waits who keeps others like this; `None` where that is not at fault.
fn change(by: KeepsBy, what: Option<&LockRef>) -> Option<&'static str> {
    match by {
        KeepsBy::Guard => Some(match what.map_or("lock", |what| what.kind) {
            "Mutex" | "RwLock" | "lock" => "let go of the lock before this wait",
            "OnceCell" => "do not wait here for what needs the cell that is being made",
            "room in an mpsc channel" => "send, or give the room back, before this wait",
            _ => "let go of the permits before this wait",
        }),
        KeepsBy::UnpolledGuard | KeepsBy::UnpolledPlace => {
            Some("poll this future to its end, or drop it, before it waits")
        }
        KeepsBy::Receiver => Some("let it receive before this wait, or beside it"),
        KeepsBy::Sender if what.is_some_and(|what| what.kind == "Notify") => {
            Some("give the notification before this wait, or let another task have the handle")
        }
        KeepsBy::Sender if what.is_some_and(|what| what.kind == "Barrier") => {
            Some("let as many arrive as the barrier is for, or make it for fewer")
        }
        KeepsBy::Sender => Some("let it send, or drop the sender, before this wait"),
        KeepsBy::End => Some("do not wait here for one who waits for its end"),
        KeepsBy::Place | KeepsBy::Thread => None,
    }
}

/// How much there is to be mended where somebody keeps others like this.
fn fault(by: KeepsBy) -> u8 {
    match by {
        KeepsBy::UnpolledGuard | KeepsBy::UnpolledPlace => 5,
        KeepsBy::Guard => 4,
        KeepsBy::Receiver => 3,
        KeepsBy::Sender => 2,
        KeepsBy::End => 1,
        KeepsBy::Place | KeepsBy::Thread => 0,
    }
}

impl Finding {
    /// How many tasks beside its subject it stands for, those not named included.
    pub fn other_tasks(&self) -> usize {
        let subject = usize::from(matches!(self.subject, Subject::Task(_)));
        self.related.tasks_total.saturating_sub(subject).max(self.related.tasks.len())
    }

    /// Its story: never empty, but where it is about the target as a whole and names nobody.
    pub fn story(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.related.cycle.is_empty() {
            self.told(&mut steps);
        } else {
            self.ring(&mut steps);
        }
        steps
    }

    /// One after the other around a ring, and the others who are stuck in it.
    fn ring(&self, steps: &mut Vec<Step>) {
        let cycle = &self.related.cycle;
        let first = closing(cycle);
        for (at, one) in cycle.iter().enumerate() {
            let (holds, waits) = (one.holds.resource(), &one.waits_for);
            let task = Some(About::Task(one.task.clone()));
            let mut step = Step::new(2 * at, Role::Begins, task);
            if at > 0 {
                step = kept(step, one, holds);
            }
            let is_unpolled = matches!(one.by, KeepsBy::UnpolledGuard | KeepsBy::UnpolledPlace);
            let change = if Some(at) == first { change(one.by, holds) } else { None };
            if is_unpolled {
                step.change = change;
                step.at = one.acquired_at.clone().map(|place| ("at", place));
            }
            steps.push(step);
            let within = if one.waits_in.is_empty() { String::new() } else { format!(", in {}", one.waits_in) };
            let what = if let AwaitedRef::Poll(_) = waits { waits.in_words() } else { String::new() };
            let after = said([&what, &format!("{}{within}", for_(Some(one.waited)))]);
            steps.push(Step {
                before: waits_for(waits),
                after,
                lasted: Some(one.waited),
                at: one.waits_at.clone().map(asleep),
                change: change.filter(|_| !is_unpolled),
                ..Step::new(2 * at + 1, Role::Awaited, about(waits))
            });
        }
        if let Some(one) = cycle.first() {
            let step = Step::new(2 * cycle.len(), Role::Begins, Some(About::Task(one.task.clone())));
            let mut step = kept(step, one, one.holds.resource());
            step.after = said(["(above)", &step.after]);
            steps.push(step);
        }
        self.others(steps, 0, "is stuck with them");
    }

    /// What it is about, who keeps that, who waits for it, and who is in it as well.
    fn told(&self, steps: &mut Vec<Step>) {
        let related = &self.related;
        let (first, resource) = match &self.subject {
            Subject::Task(task) => (Some(About::Task(task.clone())), None),
            Subject::Lock(lock) => (Some(About::Resource(lock.clone())), Some(lock)),
            Subject::Place(place) => (Some(About::Place(place.clone())), None),
            Subject::Runtime(runtime) => (Some(About::Runtime(runtime.clone())), None),
            Subject::Target => (None, None),
        };
        let below = usize::from(first.is_some());
        if let Some(first) = first {
            let polled = related.stacks.iter().find(|shown| shown.of.is_none());
            let at = polled.and_then(|shown| top(&shown.stack)).map(|at| ("in its poll at", at));
            steps.push(Step { at, ..Step::new(0, Role::Begins, Some(first)) });
        }
        if let Some(worker) = &related.worker {
            steps.push(Step { before: "on", ..Step::new(below, Role::On, Some(About::Worker(worker.clone()))) });
        }
        let resource = resource.or(related.lock.as_ref());
        if related.keepers.is_empty() {
            for holder in related.holder.iter().chain(&related.co_holders) {
                let at = slept_at(&related.stacks, holder);
                keeper(steps, below, &Keeper { at, ..Keeper::of_lock(holder.clone(), self.confidence) }, resource);
            }
        }
        for one in &related.keepers {
            keeper(steps, below, one, resource);
        }
        let is_at_fault = |step: &&mut Step| matches!(step.role, Role::Keeps(_)) && step.depth == below;
        if let Some(step) = steps.iter_mut().find(is_at_fault)
            && let Role::Keeps(by) = step.role
            && step.at.is_some()
        {
            step.change = change(by, resource);
        }
        for WaitRef { task, waited } in &related.waiters {
            let after = said(["waits for it", &for_(*waited)]);
            steps.push(Step {
                after,
                lasted: *waited,
                ..Step::new(below, Role::Waits, Some(About::Task(task.clone())))
            });
        }
        if !related.waiters.is_empty() {
            more(steps, below, related.waiters_total.saturating_sub(related.waiters.len()), "wait for it");
        }
        let too = if matches!(self.subject, Subject::Task(_)) { "too" } else { "" };
        self.others(steps, below, too);
    }

    fn others(&self, steps: &mut Vec<Step>, depth: usize, after: &str) {
        let tasks = &self.related.tasks;
        for task in tasks {
            let about = Some(About::Task(task.clone()));
            steps.push(Step { after: after.to_owned(), ..Step::new(depth, Role::Also, about) });
        }
        if !tasks.is_empty() {
            more(steps, depth, self.other_tasks().saturating_sub(tasks.len()), after);
        }
    }
}

impl Keeper {
    /// Somebody who holds a lock, of whom no more is known.
    pub fn of_lock(task: TaskRef, known: Confidence) -> Self {
        Self { task, by: KeepsBy::Guard, known, held: None, does: "", at: None, waits: Vec::new() }
    }
}

fn more(steps: &mut Vec<Step>, depth: usize, count: usize, after: &str) {
    if count > 0 {
        let after = said([&format!("{count} more"), after]);
        steps.push(Step { after, count, ..Step::new(depth, Role::More, None) });
    }
}

/// The step of a ring as one who keeps what is above.
fn kept(step: Step, one: &CycleStep, what: Option<&LockRef>) -> Step {
    let has_time = matches!(one.by, KeepsBy::Guard | KeepsBy::UnpolledGuard);
    let held = has_time.then_some(one.held);
    let word = if one.by == KeepsBy::Guard { "acquired in" } else { "at" };
    Step {
        role: Role::Keeps(one.by),
        after: said([keeps_in_words(one.by, what), &for_(held)]),
        lasted: held,
        at: one.acquired_at.clone().map(|place| (word, place)),
        known: Some(one.known),
        ..step
    }
}

/// Somebody who keeps what is above, what they wait for, and who keeps that in turn.
fn keeper(steps: &mut Vec<Step>, depth: usize, one: &Keeper, what: Option<&LockRef>) {
    let mut after = said([keeps_in_words(one.by, what), &for_(one.held)]);
    if !one.does.is_empty() {
        after = format!("{after}, and {}", one.does);
    }
    steps.push(Step {
        after,
        lasted: one.held,
        at: one.at.clone().map(asleep),
        known: Some(one.known),
        ..Step::new(depth, Role::Keeps(one.by), Some(About::Task(one.task.clone())))
    });
    for wait in &one.waits {
        let step = Step::new(depth + 1, Role::Awaited, wait.on.as_ref().and_then(about));
        // Who keeps it is told there.
        let is_above = step.about.is_some() && steps.iter().any(|above| above.about == step.about);
        let after = if is_above { "(above)" } else { "" };
        steps.push(match &wait.on {
            Some(on) => Step { before: waits_for(on), after: after.to_owned(), ..step },
            None => Step { before: "waits for", after: wait.words.clone(), ..step },
        });
        let what = wait.on.as_ref().and_then(AwaitedRef::resource);
        for one in &wait.kept {
            keeper(steps, depth + 2, one, what);
        }
    }
}

/// Which of a ring is to be mended first: of those at fault the one who came last, and so closed it.
fn closing(cycle: &[CycleStep]) -> Option<usize> {
    let rank = |one: &CycleStep| (fault(one.by), std::cmp::Reverse(one.waited));
    cycle.iter().enumerate().max_by_key(|(at, one)| (rank(one), *at)).map(|(at, _)| at)
}

/// Where somebody sleeps: in a function, or at a line of which no more is known.
fn asleep(at: String) -> (&'static str, String) {
    (if at.contains(' ') { "asleep in" } else { "asleep at" }, at)
}

fn top(stack: &Stack) -> Option<String> {
    Some(stack.top()?.in_words())
}

/// Where somebody sleeps with what they hold, by the stacks of a finding.
fn slept_at(stacks: &[StackRef], who: &TaskRef) -> Option<String> {
    let is_it = |shown: &&StackRef| shown.what == "asleep" && shown.of.as_ref().is_some_and(|of| of.id == who.id);
    top(&stacks.iter().find(is_it)?.stack)
}

#[cfg(test)]
mod tests;
