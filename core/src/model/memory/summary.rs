//! The line that answers before anything is selected: what most of the tasks wait for; `held_up` says who has it, and what those wait for.

use super::AwaitsKey;
use crate::{
    model::{Model, TaskState},
    number::plural,
    update::{Fact, Stamp, look::ThingKind},
};
use rustc_hash::{FxHashMap, FxHashSet};

/// A lock or channel that fewer than this share of all tasks wait for does not speak for them.
const SHARE: usize = 10;

/// So many kinds of waits are told, where none speaks for all.
const KINDS: usize = 4;

/// Those who wait for one thing.
#[derive(Debug, Default)]
struct Waiting {
    tasks: usize,
    chains: FxHashSet<Option<u32>>,
}

impl Model {
    /// What most tasks wait for, in one sentence; `None` where nothing was read that could say.
    pub(super) fn waits_in_short(&self, now: Stamp) -> Option<String> {
        let whole = self.memory.whole()?;
        let (mut waiting, mut all, mut running) = (FxHashMap::<AwaitsKey, Waiting>::default(), 0, 0);
        for task in self.tasks.iter().filter(|task| !task.has_ended() && !task.kind().may_block()) {
            let Some(look) = task.look() else { continue };
            all += 1;
            if task.state() == TaskState::Running {
                running += 1;
                continue;
            }
            // What is woken has got what it waited for.
            let is_woken = task.state() == TaskState::Scheduled;
            let key = if is_woken { AwaitsKey::Nothing } else { self.awaits_key(&task) };
            let of_key = waiting.entry(key).or_default();
            of_key.tasks += 1;
            of_key.chains.insert(look.chain);
        }
        if let Some(said) = whole.state.in_words() {
            return Some(format!("The process is {said}. {}", self.in_short(&waiting, all, running, now)));
        }
        Some(self.in_short(&waiting, all, running, now))
    }

    fn in_short(&self, waiting: &FxHashMap<AwaitsKey, Waiting>, all: usize, running: usize, now: Stamp) -> String {
        if all == 0 {
            return format!("No task is alive{}.", self.jobs_in_short());
        }
        let held_up = |(key, waiting): (&AwaitsKey, &Waiting)| match key {
            AwaitsKey::Thing(id) => {
                let thing = self.memory.thing(*id).filter(|thing| is_held(thing.kind))?;
                Some((waiting.tasks, *key, thing))
            }
            _ => None,
        };
        let most = waiting.iter().filter_map(held_up).max_by_key(|&(tasks, key, _)| (tasks, key));
        match most.filter(|(tasks, ..)| *tasks > 1 && *tasks >= all.div_ceil(SHARE)) {
            Some((tasks, key, thing)) => {
                let chains = waiting.get(&key).map_or(0, |waiting| waiting.chains.len());
                let way = if chains == 1 { "in one chain".to_owned() } else { format!("in {chains} chains") };
                format!(
                    "{} of {} wait, {way}, for {}; {}.",
                    plural_count(tasks),
                    plural(all as u64, "task"),
                    self.thing_in_words(thing.id),
                    self.who_has(thing, now)
                )
            }
            None if waiting.len() == 1 && waiting.contains_key(&AwaitsKey::Unknown) => {
                let they = if all == 1 { "it waits" } else { "they wait" };
                format!("{}: what {they} for is not known{}.", plural(all as u64, "task"), self.why_no_chains())
            }
            None => self.by_kind(waiting, all, running),
        }
    }

    /// Where nothing holds up many.
    fn by_kind(&self, waiting: &FxHashMap<AwaitsKey, Waiting>, all: usize, running: usize) -> String {
        let mut kinds: FxHashMap<String, usize> = FxHashMap::default();
        for (key, waiting) in waiting {
            let kind = match key {
                AwaitsKey::Io(fd) => {
                    let listens = |fd: &i32| self.memory.socket(*fd).is_some_and(|socket| socket.listens);
                    let server = fd.filter(listens).map(|_| self.awaits_key_in_words(*key));
                    server.unwrap_or_else(|| "I/O".to_owned())
                }
                AwaitsKey::Chain(_) => "what only their frames tell".to_owned(),
                AwaitsKey::Unknown => "something that is not known".to_owned(),
                AwaitsKey::Nothing => "a worker".to_owned(),
                AwaitsKey::Timer => "a timer".to_owned(),
                AwaitsKey::Thing(id) => self.memory.thing(*id).map_or("something", |thing| thing.label()).to_owned(),
                AwaitsKey::Join | AwaitsKey::Peer(_) => self.awaits_key_in_words(*key),
            };
            *kinds.entry(kind).or_default() += waiting.tasks;
        }
        let mut kinds: Vec<(String, usize)> = kinds.into_iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let rest: usize = kinds.iter().skip(KINDS).map(|(_, tasks)| tasks).sum();
        let mut parts: Vec<String> = kinds
            .iter()
            .take(KINDS)
            .map(|(kind, tasks)| {
                format!("{} {} for {kind}", plural_count(*tasks), if *tasks == 1 { "waits" } else { "wait" })
            })
            .collect();
        if rest > 0 {
            parts.push(format!("{} for other things", plural_count(rest)));
        }
        let unknown = waiting.contains_key(&AwaitsKey::Unknown);
        let why = if unknown { self.why_no_chains() } else { String::new() };
        if running > 0 {
            parts.push(format!("{} {}", plural_count(running), if running == 1 { "runs" } else { "run" }));
        }
        let all_tasks = plural(all as u64, "task");
        if let ([(kind, _)], 0) = (&*kinds, running) {
            return format!("{all_tasks} {} for {kind}{why}.", if all == 1 { "waits" } else { "wait" });
        }
        let why = if why.is_empty() { why } else { format!("; more is not known{why}") };
        format!("{all_tasks}: {}{why}.", parts.join(", "))
    }

    /// The jobs of `spawn_blocking`, where there are some.
    fn jobs_in_short(&self) -> String {
        let jobs = self.memory.whole().map_or(&[][..], |whole| &whole.jobs);
        let running = jobs.iter().filter(|job| job.thread.is_some()).count();
        let parts = [(running, "runs", "run"), (jobs.len() - running, "waits", "wait")];
        let said = parts.iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| {
            let does = if *count == 1 { one } else { many };
            format!("{} {does}", plural(*count as u64, "blocking job"))
        });
        said.fold(String::new(), |all, one| format!("{all}, {one}"))
    }

    /// Why chains are not known in this build, if they are not.
    fn why_no_chains(&self) -> String {
        match self.memory.knows.as_ref().map_or("", |knows| knows.why_not(Fact::Chains)) {
            "" => String::new(),
            why => format!(", since {why}"),
        }
    }
}

/// Whether somebody has a thing of this kind, so that others wait for it to be given back.
fn is_held(kind: ThingKind) -> bool {
    matches!(
        kind,
        ThingKind::Mutex
            | ThingKind::RwLock
            | ThingKind::Semaphore
            | ThingKind::OnceCell
            | ThingKind::Unknown
            | ThingKind::Room
    )
}

fn plural_count(count: usize) -> String {
    crate::number::grouped(count as u64)
}
