//! Panics, with what was known of the tasks that ended in them: their rows are soon gone.

use super::{Model, Panic, PlaceId, TaskKind};
use std::{collections::VecDeque, num::NonZeroU64};

/// Panics are let go of beyond this many, the oldest first.
const MOST: usize = 256;

/// A panic, and whose it was.
#[derive(Debug, Clone)]
pub struct Panicked {
    /// What was told.
    pub panic: Panic,
    /// The task as its row had it; `None` while no row of it was there.
    pub known: Option<KnownTask>,
}

/// What names a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTask {
    /// Tokio's number for it.
    pub number: Option<NonZeroU64>,
    /// Its name, empty where it has none.
    pub name: String,
    /// What it was spawned as.
    pub kind: TaskKind,
    /// Where it was spawned.
    pub place: PlaceId,
}

impl Panicked {
    /// Where the task was spawned.
    pub fn location(&self) -> PlaceId {
        self.known.as_ref().map_or(PlaceId::UNKNOWN, |known| known.place)
    }
}

impl Model {
    /// Panics, in the order in which they were told.
    pub fn panics(&self) -> impl DoubleEndedIterator<Item = &Panicked> {
        self.panics.iter()
    }

    /// Takes in a panic that was not told before.
    pub(super) fn tell_panic(&mut self, panic: Panic) {
        let told = |known: &Panicked| (known.panic.task, known.panic.at) == (panic.task, panic.at);
        if !self.panics.iter().any(told) {
            self.panics.push_back(Panicked { panic, known: None });
        }
        if self.panics.len() > MOST {
            self.panics.pop_front();
        }
    }

    /// Notes whose panics they were, of tasks that were announced in the meantime: a panic may be told before that.
    pub(super) fn name_panics(&mut self) {
        let (mut panics, tasks, names) = (std::mem::take(&mut self.panics), &self.tasks, &self.names);
        for panicked in panics.iter_mut().filter(|panicked| !panicked.location().is_known()) {
            let Some(task) = tasks.get(panicked.panic.task) else { continue };
            panicked.known = Some(KnownTask {
                number: task.number(),
                name: names.text(task.name()).to_owned(),
                kind: task.kind(),
                place: task.place(),
            });
        }
        self.panics = panics;
    }
}

/// As a model keeps them.
pub(super) type Panics = VecDeque<Panicked>;
