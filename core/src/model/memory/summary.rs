//! The line that answers before anything is selected: what most of the tasks wait for, who has it, and what those wait for.

use super::AwaitsKey;
use crate::{
    model::{Model, TaskState},
    number::plural,
    update::{
        Stamp,
        look::{Certainty, Holder, Thing, ThingKind, Who},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write;

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
            let of_key = waiting.entry(self.awaits_key(&task)).or_default();
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
            return "No task is alive.".into();
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
                format!("{}: what they wait for is not known.", plural(all as u64, "task"))
            }
            None => self.by_kind(waiting, all, running),
        }
    }

    /// Where nothing holds up many.
    fn by_kind(&self, waiting: &FxHashMap<AwaitsKey, Waiting>, all: usize, running: usize) -> String {
        let mut kinds: FxHashMap<String, usize> = FxHashMap::default();
        for (key, waiting) in waiting {
            let kind = match key {
                AwaitsKey::Io(_) => "I/O".to_owned(),
                AwaitsKey::Chain(_) => "something as their frames say".to_owned(),
                AwaitsKey::Unknown => "something that is not known".to_owned(),
                AwaitsKey::Nothing => "their turn".to_owned(),
                AwaitsKey::Thing(id) => self.memory.thing(*id).map_or("something", |thing| thing.label()).to_owned(),
                AwaitsKey::Join | AwaitsKey::Timer | AwaitsKey::Peer(_) => self.awaits_key_in_words(*key),
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
        if running > 0 {
            parts.push(format!("{} {}", plural_count(running), if running == 1 { "runs" } else { "run" }));
        }
        format!("{}: {}.", plural(all as u64, "task"), parts.join(", "))
    }

    /// Who has a thing, and what they wait for.
    fn who_has(&self, thing: &Thing, now: Stamp) -> String {
        let tasks: Vec<(&Holder, u64)> = thing
            .holders
            .iter()
            .filter_map(|holder| if let Who::Task(number) = holder.who { Some((holder, number.get())) } else { None })
            .collect();
        let Some(&(first, number)) = tasks.first() else {
            return match thing.holders.first().map(|holder| holder.who) {
                Some(Who::Root(thread)) => format!("the future of block_on on thread {thread} has it"),
                _ if thing.unseen > 0 => "no frame that was read has it".into(),
                _ => "who has it is not known".into(),
            };
        };
        let mut said = match tasks.len() {
            1 => format!("task {number} has it"),
            several => format!("{several} tasks have it"),
        };
        if tasks.iter().any(|(holder, _)| holder.certainty < Certainty::Proven) || !thing.steady {
            said += ", likely";
        }
        if !first.place.file.is_empty() {
            let _ = write!(said, ", at {}", first.place);
        }
        let row = std::num::NonZeroU64::new(number).and_then(|number| self.tasks.get(self.task_of_number(number)));
        if let Some(awaits) = row.and_then(|task| self.awaits(&task, now)).filter(|awaits| !awaits.on.is_empty()) {
            let who = if tasks.len() == 1 { "waits" } else { "they wait" };
            let _ = write!(said, ", and {who} for {}", awaits.on);
        }
        said
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
