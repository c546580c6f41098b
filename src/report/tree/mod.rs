//! Every chain of a process: equal ones together, with what each waits for and who has that. The one thing to paste into a ticket,
//! and a part of the JSON of `holdup check`.

mod rows;
mod text;

pub(crate) use rows::{ChainFrame, ChainRow, ThingRow, UnreadRow};
pub(crate) use text::render;

use crate::{
    model::{AwaitsKey, Model, Task},
    report::Observation,
    source::Target,
    update::{
        Stamp,
        look::{ThingId, Values, Who},
    },
};
use rows::{root_row, task_row, thing_row};
use rustc_hash::FxHashMap;
use serde::Serialize;

/// What memory told of a process.
#[derive(Debug, Serialize)]
pub struct Tree {
    /// In one sentence: what most of the tasks wait for.
    pub summary: String,
    /// How many tasks were alive.
    pub tasks: u64,
    /// Chains of tasks, the most frequent first, and of the futures that `block_on` runs.
    pub chains: Vec<ChainRow>,
    /// Locks and channels that somebody waits for or has.
    pub things: Vec<ThingRow>,
    /// What could not be read, and why.
    pub unread: Vec<UnreadRow>,
}

/// A tree with whose it is: the JSON of `holdup tree`.
#[derive(Debug, Serialize)]
pub struct TreeOf {
    /// The version of this form.
    pub version: u32,
    /// The target as it was asked for.
    pub target: String,
    /// Its process id.
    pub pid: Option<u32>,
    /// What the service calls itself.
    pub name: Option<String>,
    /// The version of tokio, empty where it is not known.
    pub tokio_version: Option<String>,
    /// What is known of its types, in one word.
    pub debug_information: Option<String>,
    /// What was read.
    #[serde(flatten)]
    pub tree: Tree,
}

/// What makes chains equal: where they sleep, what they wait for, and why they are not known.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    chain: Option<u32>,
    things: Vec<Option<ThingId>>,
    /// Where there is no chain, whom it waits for is all that tells it from others.
    awaits: Vec<AwaitsKey>,
    state: u8,
    unread: std::sync::Arc<str>,
    name: crate::model::Sym,
}

impl Tree {
    /// What memory told by `now`; `None` where it was not read. `values` are those that were asked for.
    pub fn of(model: &Model, now: Stamp, values: &[Values]) -> Option<Self> {
        let whole = model.memory().whole()?;
        let groups = groups(model);
        let tasks = groups.iter().map(|group| group.len() as u64).sum();
        let mut chains: Vec<ChainRow> = groups.into_iter().map(|tasks| task_row(model, tasks, now, values)).collect();
        chains.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.tasks.cmp(&b.tasks)));
        chains.extend(whole.roots.iter().map(|root| root_row(model, root, now, values)));
        Some(Self {
            summary: model.memory().summary().to_owned(),
            tasks,
            chains,
            things: whole.things.iter().map(|thing| thing_row(model, thing)).collect(),
            unread: whole
                .unread
                .iter()
                .map(|unread| UnreadRow { what: unread.what.to_string(), because: unread.why.to_string() })
                .collect(),
        })
    }
}

/// Tasks whose chains are equal, together.
fn groups(model: &Model) -> Vec<Vec<Task<'_>>> {
    let mut groups: FxHashMap<Same, Vec<Task>> = FxHashMap::default();
    for task in model.tasks().iter().filter(|task| !task.has_ended()) {
        let Some(look) = task.look() else { continue };
        let same = Same {
            // What runs or is woken is in motion: where it slept last says nothing.
            chain: look.chain,
            things: look.waits.iter().map(|wait| wait.on.thing()).collect(),
            awaits: match look.chain {
                Some(_) => Vec::new(),
                None => look.waits.iter().map(|wait| model.wait_key(wait.on, None)).collect(),
            },
            state: look.state as u8,
            unread: look.unread.clone(),
            name: task.name(),
        };
        groups.entry(same).or_default().push(task);
    }
    groups.into_values().collect()
}

/// Of each chain who speaks for the others: a thread's own future, and the oldest task.
pub(crate) fn speakers(model: &Model) -> Vec<Who> {
    let oldest = |group: Vec<Task>| group.iter().min_by_key(|task| task.display_id()).and_then(|task| task.number());
    let roots = model.memory().whole().into_iter().flat_map(|whole| whole.roots.iter());
    let roots = roots.filter(|root| root.chain.is_some()).map(|root| Who::Root(root.thread));
    roots.chain(groups(model).into_iter().filter_map(oldest).map(Who::Task)).collect()
}

impl TreeOf {
    /// The tree of what was watched; `None` where its memory was not read.
    pub fn new(target: &Target, observed: &Observation) -> Option<Self> {
        let session = &observed.session;
        let model = session.model();
        let begun = session.status().begun.as_ref();
        let process = begun.and_then(|begun| begun.process.as_ref());
        Some(Self {
            version: 1,
            target: target.to_string(),
            pid: process.map(|process| process.pid).filter(|&pid| pid > 0),
            name: process.map(|process| process.name.clone()),
            tokio_version: process.map(|process| process.tokio_version.clone()),
            debug_information: process.map(|process| process.detail.clone()),
            tree: Tree::of(model, model.memory().now()?, &observed.values)?,
        })
    }

    /// As JSON, with a line feed at its end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

#[cfg(test)]
mod tests;
