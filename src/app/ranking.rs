//! Which of two tasks comes first in a column: by the numbers that are their keys, or by the texts that their keys stand for.

use super::{
    sorted::Entry,
    task_columns::{Compares, TaskColumn},
};
use crate::model::{Model, PlaceId, Sym};
use std::cmp::Ordering;

/// How many texts are ranked when a list is sorted by them, in a few milliseconds. Beyond that they are compared as they come.
const RANKED_MOST: usize = 10_000;

/// The order of a column. Keys of text stand for the text, and equal ones are equal without a look at it; of those with a rank
/// the rank decides, which says the same faster.
pub(super) fn compare(column: TaskColumn, model: &Model, ranks: &[u32]) -> impl Fn(&Entry, &Entry) -> Ordering {
    let compares = column.compares();
    move |a: &Entry, b: &Entry| match compares {
        Compares::Numbers | Compares::Nothing => a.cmp(b),
        Compares::Names | Compares::Places => by_text(compares, model, ranks, a, b),
    }
}

/// Kept out of line, so that what compares numbers is short enough to become a part of the sort.
#[inline(never)]
fn by_text(compares: Compares, model: &Model, ranks: &[u32], a: &Entry, b: &Entry) -> Ordering {
    let (key_a, key_b) = (a.key(), b.key());
    let texts = match (ranks.get(key_a as usize), ranks.get(key_b as usize)) {
        _ if key_a == key_b => Ordering::Equal,
        (Some(a), Some(b)) => a.cmp(b),
        _ => texts(compares, model, key_a, key_b),
    };
    texts.then_with(|| a.cmp(b))
}

fn texts(compares: Compares, model: &Model, a: u64, b: u64) -> Ordering {
    match compares {
        Compares::Numbers | Compares::Nothing => Ordering::Equal,
        Compares::Names => {
            let text = |key: u64| model.text(Sym::from_index(key as usize));
            text(a).cmp(text(b))
        }
        Compares::Places => {
            let place = |key: u64| model.place(PlaceId::from_index(key as usize));
            let (a, b) = (place(a), place(b));
            (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column))
        }
    }
}

/// Where each key of a column of text stands; nothing where there are too many to compare them all at once.
pub(super) fn ranks(column: TaskColumn, model: &Model) -> Vec<u32> {
    let compares = column.compares();
    let count = match compares {
        Compares::Numbers | Compares::Nothing => 0,
        Compares::Names => model.names(),
        Compares::Places => model.places(),
    };
    if count > RANKED_MOST {
        return Vec::new();
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_unstable_by(|&a, &b| texts(compares, model, u64::from(a), u64::from(b)).then(a.cmp(&b)));
    let mut ranks = vec![0; count];
    for (rank, key) in order.into_iter().enumerate() {
        ranks[key as usize] = rank as u32;
    }
    ranks
}
