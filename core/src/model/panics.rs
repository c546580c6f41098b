//! Panics, with what was known of the tasks that ended in them: their rows are soon gone. The latest are kept, and those before
//! them are counted by the spawn location of their tasks, so that no number of them is too small.

use super::{Model, Names, Origin, PlaceId, Task};
use crate::update::{Panic, Stamp, TaskKind};
use rustc_hash::FxHashMap;
use std::{collections::VecDeque, num::NonZeroU64};

/// Panics are let go of beyond this many, the oldest first.
const MOST: usize = 256;

/// As a model keeps them.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Panics {
    latest: VecDeque<Panicked>,
    older: FxHashMap<PlaceId, OlderPanics>,
}

/// Panics of tasks of one spawn location that are no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OlderPanics {
    /// How many.
    pub count: u64,
    /// When the first of them was.
    pub first: Stamp,
    /// When the last was.
    pub last: Stamp,
}

/// A panic, and whose it was.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Panicked {
    /// What was told.
    pub panic: Panic,
    /// The task as its row had it, or else as the panic tells of it; `None` where neither does.
    pub known: Option<KnownTask>,
}

/// What names a task.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownTask {
    /// Tokio's number for it, where its row was there.
    pub number: Option<NonZeroU64>,
    /// Its name, empty where it has none.
    pub name: String,
    /// What it was spawned as.
    pub kind: TaskKind,
    /// Where it was spawned.
    pub place: PlaceId,
}

impl KnownTask {
    pub(super) fn of(task: Task<'_>, names: &Names) -> Self {
        Self { number: task.number(), name: names.text(task.name()).to_owned(), kind: task.kind(), place: task.place() }
    }
}

impl Panicked {
    /// Where the task was spawned.
    pub fn location(&self) -> PlaceId {
        self.known.as_ref().map_or(PlaceId::UNKNOWN, |known| known.place)
    }
}

impl Panicked {
    /// Whether it is named by its task's row, of which nothing more is to be learned.
    fn is_of_a_row(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.number.is_some() && known.place.is_known())
    }
}

impl Panics {
    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.latest.len()
    }

    fn count_oldest(&mut self) {
        let Some(oldest) = self.latest.pop_front() else { return };
        let at = oldest.panic.at;
        let older = self.older.entry(oldest.location()).or_insert(OlderPanics { count: 0, first: at, last: at });
        older.count += 1;
        older.last = older.last.max(at);
    }
}

impl Model {
    /// The latest panics, in the order in which they were told.
    pub fn panics(&self) -> impl DoubleEndedIterator<Item = &Panicked> {
        self.panics.latest.iter()
    }

    /// Those before them, of tasks of one spawn location.
    pub fn older_panics(&self, location: PlaceId) -> Option<OlderPanics> {
        self.panics.older.get(&location).copied()
    }

    /// Takes in a panic that was not told before.
    pub(super) fn tell_panic(&mut self, panic: Panic) {
        let told = |known: &Panicked| (known.panic.task, known.panic.at) == (panic.task, panic.at);
        if !self.panics.latest.iter().any(told) {
            let known = self.told_of(&panic);
            self.panics.latest.push_back(Panicked { panic, known });
        }
        if self.panics.len() > MOST {
            self.panics.count_oldest();
        }
    }

    /// Whose panic it was, as far as it tells itself.
    fn told_of(&mut self, panic: &Panic) -> Option<KnownTask> {
        if panic.task_name.is_empty() && panic.spawned_at.is_none() {
            return None;
        }
        let place = panic.spawned_at.clone().map(|place| self.places.intern(place)).unwrap_or_default();
        Some(KnownTask { number: None, name: panic.task_name.clone(), kind: TaskKind::default(), place })
    }

    /// Notes whose panics they were, of tasks that were announced in the meantime: a panic may be told before that.
    pub(super) fn name_panics(&mut self) {
        let (mut panics, tasks, names) = (std::mem::take(&mut self.panics), &self.tasks, &self.names);
        for panicked in panics.latest.iter_mut().filter(|panicked| !panicked.is_of_a_row()) {
            let Some(task) = tasks.get(panicked.panic.task).filter(|task| task.origin() == Origin::Announced) else {
                continue;
            };
            let row = KnownTask::of(task, names);
            let place = if row.place.is_known() { row.place } else { panicked.location() };
            panicked.known = Some(KnownTask { place, ..row });
        }
        self.panics = panics;
    }
}
