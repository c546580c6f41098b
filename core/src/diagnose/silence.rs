//! Who is silent because another finding says it better. It ends with that finding, and with the row of a task; only what that
//! finding told is not told again as long as it is news.

use super::{FindingId, lint::Key};
use crate::update::{Stamp, TaskId};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// How long what a finding told is news after it has ended.
const NEWS: Duration = Duration::from_secs(60);

/// Lints that are silent of a task or a lock, and the findings that speak for them.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Silence(FxHashMap<Key, Vec<Silent>>);

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Silent {
    /// The lint's place among the lints.
    lint: usize,
    by: FindingId,
    ended: Option<Stamp>,
}

impl Silence {
    /// Whether a lint is silent of something that is so since then.
    pub(super) fn holds(&self, lint: usize, key: Key, since: Stamp) -> bool {
        let holds = |silent: &Silent| silent.lint == lint && silent.ended.is_none_or(|ended| since <= ended);
        !self.0.is_empty() && self.0.get(&key).is_some_and(|silent| silent.iter().any(holds))
    }

    /// A finding speaks of these, in place of these lints, and no longer of others of which it spoke.
    pub(super) fn speak(&mut self, by: FindingId, lints: &[usize], keys: impl Iterator<Item = Key>, now: Stamp) {
        self.end(by, now);
        for key in keys {
            let silent = self.0.entry(key).or_default();
            silent.retain(|silent| silent.by != by);
            silent.extend(lints.iter().map(|&lint| Silent { lint, by, ended: None }));
        }
    }

    /// A finding has ended.
    pub(super) fn end(&mut self, by: FindingId, now: Stamp) {
        for silent in self.0.values_mut().flatten().filter(|silent| silent.by == by) {
            silent.ended.get_or_insert(now);
        }
    }

    /// Time passes.
    pub(super) fn pass(&mut self, now: Stamp) {
        self.retain(|silent| silent.ended.is_none_or(|ended| now.since(ended) <= NEWS));
    }

    /// A task's row is gone: what comes with its id is another task.
    pub(super) fn forget(&mut self, task: TaskId) {
        if !self.0.is_empty() {
            self.0.remove(&Key::Task(task));
        }
    }

    fn retain(&mut self, keep: impl Fn(&Silent) -> bool) {
        self.0.retain(|_, silent| {
            silent.retain(&keep);
            !silent.is_empty()
        });
    }
}
