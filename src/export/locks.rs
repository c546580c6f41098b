//! Locks as they are counted: how often those of one place were acquired, those that are gone included, and who waits for them.

use super::words::place_label;
use crate::{
    model::{Model, PlaceId},
    update::{Fact, ResourceId},
};
use holdup_metrics::{Metric, Sheet};
use rustc_hash::FxHashMap;

/// Locks that are gone are let go of when they are as many as those that are there, and so many more.
const GONE: usize = 1_024;

type Whose = (PlaceId, &'static str);

type ByLabel = FxHashMap<(Box<str>, &'static str), u64>;

/// The locks of one process.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// How often each was acquired when it was counted last.
    known: FxHashMap<ResourceId, u64>,
    acquired: FxHashMap<Whose, u64>,
    /// What this attachment cannot know of all that the ones before it counted.
    before: ByLabel,
    /// What that was, while it is not known yet how much of it this attachment is told once more.
    last: Option<ByLabel>,
}

impl Locks {
    /// Another attachment to the same process begins: all that is still there is told again.
    pub(super) fn begin_again(&mut self, model: &Model) {
        let last = self.last.take().unwrap_or_else(|| self.totals(model));
        *self = Self { last: Some(last), ..Self::default() };
    }

    /// The first update of an attachment is complete: what is there is known.
    pub(super) fn settle(&mut self, model: &Model) {
        let Some(last) = self.last.take() else { return };
        let now = self.totals(model);
        for (whose, count) in last {
            let less = now.get(&whose).copied().unwrap_or_default();
            self.before.insert(whose, count.saturating_sub(less));
        }
    }

    /// Takes in what the model's latest update changed.
    pub(super) fn follow(&mut self, model: &Model) {
        for &id in &model.changes().locks {
            let Some((resource, lock)) = model.lock(id) else { continue };
            let known = self.known.entry(id).or_default();
            let more = lock.acquisitions.saturating_sub(*known);
            *known = lock.acquisitions;
            *self.acquired.entry((resource.place, lock.kind.name())).or_default() += more;
        }
        if self.known.len() > GONE && self.known.len() / 2 > model.resources().len() {
            self.known.retain(|&id, _| model.lock(id).is_some());
        }
    }

    fn totals(&self, model: &Model) -> ByLabel {
        let mut totals = self.before.clone();
        for (&(place, kind), count) in &self.acquired {
            *totals.entry((place_label(model, place).into(), kind)).or_default() += count;
        }
        totals
    }

    /// The same as it is told: before it is known how much of it is told once more, no less than before.
    fn told(&self, model: &Model) -> ByLabel {
        let mut totals = self.totals(model);
        for (whose, count) in self.last.iter().flatten() {
            let told = totals.entry(whose.clone()).or_default();
            *told = (*count).max(*told);
        }
        totals
    }

    /// Tells what is counted, and who waits now. What is not known of this source is not told.
    pub(super) fn tell(&self, sheet: &mut Sheet<'_>, model: &Model) {
        if !model.knows().has(Fact::Locks) {
            return;
        }
        let mut waiters: FxHashMap<Whose, usize> = FxHashMap::default();
        for (resource, lock) in model.locks().filter(|(resource, _)| resource.dropped.is_none()) {
            *waiters.entry((resource.place, lock.kind.name())).or_default() += 0;
        }
        for (resource, lock) in model.locks_in_use().filter_map(|id| model.lock(id)) {
            *waiters.entry((resource.place, lock.kind.name())).or_default() += model.waiters_count(resource.id);
        }
        for ((place, kind), count) in waiters {
            sheet.set(Metric::LockWaiters, &[&place_label(model, place), kind], count as f64);
        }
        if model.knows().has(Fact::LockCounts) {
            for ((label, kind), count) in self.told(model) {
                sheet.set(Metric::LockAcquisitions, &[&label, kind], count as f64);
            }
        }
    }
}
