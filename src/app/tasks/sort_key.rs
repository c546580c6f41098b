//! Which of two tasks comes first in a column: by the numbers that are their keys, or by the texts that their keys stand for.

use super::columns::{Compares, TaskColumn};
use crate::{
    app::{filter::Cx, list::sorted::Entry},
    model::{Batch, Model, PlaceId, Sym, Task},
};
use std::cmp::Ordering;

/// How many texts are ranked when a list is sorted by them, in a few milliseconds. Beyond that they are compared as they come.
const RANKED_MOST: usize = 10_000;

/// A column, and the keys that tasks have in it. The key of a text is its number, and above it its rank among the texts that
/// there were when the ranks were made: of two that have one the ranks decide, and a text need not be looked at.
#[derive(Debug)]
pub(crate) struct SortKeys {
    column: TaskColumn,
    /// By the text's number, from 1.
    ranks: Vec<u32>,
}

const NUMBER_BITS: u32 = 32;

impl Default for SortKeys {
    /// Of a list that is empty.
    fn default() -> Self {
        Self { column: TaskColumn::Flags, ranks: Vec::new() }
    }
}

impl SortKeys {
    /// Ranks the texts that a column has.
    pub(crate) fn new(column: TaskColumn, model: &Model) -> Self {
        let compares = column.compares();
        let count = match compares {
            Compares::Numbers | Compares::Nothing => 0,
            Compares::Names => model.names(),
            Compares::Places => model.places(),
        };
        if count > RANKED_MOST {
            return Self { column, ranks: Vec::new() };
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_unstable_by(|&a, &b| texts(compares, model, a, b).then(a.cmp(&b)));
        let mut ranks = vec![0; count];
        for (rank, number) in (1..).zip(order) {
            ranks[number] = rank;
        }
        Self { column, ranks }
    }

    /// Tells of each task of a batch what it is sorted by.
    #[inline]
    pub(crate) fn keys(&self, cx: &Cx, batch: &Batch, mut tell: impl FnMut(&Task, u64)) {
        match self.column.compares() {
            Compares::Numbers | Compares::Nothing => self.column.keys(cx, batch, tell),
            Compares::Names | Compares::Places => self.column.keys(cx, batch, |task, number| {
                let rank = self.ranks.get(number as usize).copied().unwrap_or_default();
                tell(task, u64::from(rank) << NUMBER_BITS | number);
            }),
        }
    }

    /// What a task is sorted by.
    pub(crate) fn key(&self, cx: &Cx, task: &Task) -> u64 {
        let mut told = 0;
        self.keys(cx, &task.alone(&mut [0]), |_, key| told = key);
        told
    }

    /// The order of the column.
    pub(crate) fn compare(&self, model: &Model) -> impl Fn(&Entry, &Entry) -> Ordering {
        let compares = self.column.compares();
        let are_numbers = matches!(compares, Compares::Numbers | Compares::Nothing);
        move |a: &Entry, b: &Entry| {
            let is_ranked = |entry: &Entry| entry.key() >> NUMBER_BITS != 0;
            if are_numbers || (is_ranked(a) && is_ranked(b)) { a.cmp(b) } else { by_text(compares, model, a, b) }
        }
    }
}

/// Kept out of line, so that what compares numbers is short enough to become a part of the sort.
#[inline(never)]
fn by_text(compares: Compares, model: &Model, a: &Entry, b: &Entry) -> Ordering {
    let number = |entry: &Entry| entry.key() as u32 as usize;
    texts(compares, model, number(a), number(b)).then_with(|| a.cmp(b))
}

fn texts(compares: Compares, model: &Model, a: usize, b: usize) -> Ordering {
    match compares {
        _ if a == b => Ordering::Equal,
        Compares::Numbers | Compares::Nothing => Ordering::Equal,
        Compares::Names => model.text(Sym::from_index(a)).cmp(model.text(Sym::from_index(b))),
        Compares::Places => {
            let (a, b) = (model.place(PlaceId::from_index(a)), model.place(PlaceId::from_index(b)));
            (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))
        }
    }
}
