//! What is told in one scrape.

use crate::{
    ledger::Ledger,
    page::{Counts, Key, Page, Value},
    table::{BOUNDS, Label, Metric, Type},
};
use std::{collections::BTreeMap, time::Duration};

/// Durations counted by doublings of a microsecond: `counts[i]` are those of less than 2^i µs and not less than 2^(i-1) µs, and the last one
/// takes all that is longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doublings {
    /// How many there were of each.
    pub counts: [u64; 32],
    /// All of them together.
    pub sum: Duration,
}

impl Doublings {
    /// By the bounds that are told.
    fn by_bounds(&self) -> Counts {
        let mut counts = [0; BOUNDS.len() + 1];
        for (doubling, count) in self.counts.iter().enumerate() {
            // Up to 2^6 µs is the first bound, and each further one has two doublings.
            let at = doubling.saturating_sub(5) / 2;
            counts[at.min(BOUNDS.len())] += count;
        }
        counts
    }
}

/// What one scrape of a target tells, as it is filled.
#[derive(Debug)]
pub struct Sheet<'a> {
    ledger: &'a mut Ledger,
    rows: BTreeMap<Key, Value>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(ledger: &'a mut Ledger) -> Self {
        Self { ledger, rows: BTreeMap::new() }
    }

    /// Tells a value under labels, in the order of the metric's line in the table. What has the same labels is told together: as a sum, or as the
    /// largest, as the table says. A value that is no number is not told, and neither is one with another number of labels.
    pub fn set(&mut self, metric: Metric, labels: &[&str], value: f64) {
        if value.is_finite() {
            self.add(metric, labels, Value::Number(value));
        }
    }

    /// The same of a duration, in seconds.
    pub fn set_time(&mut self, metric: Metric, labels: &[&str], value: Duration) {
        self.set(metric, labels, value.as_secs_f64());
    }

    /// Tells a counter of one of several sources that have the same labels, or may come to have: what a source counted counts on when it is gone.
    /// Its number is that source's alone.
    pub fn count_of(&mut self, metric: Metric, labels: &[&str], source: u64, value: f64) {
        if value.is_finite() && labels.len() == metric.family().labels.len() {
            let labels = self.ledger.admit(metric.family(), labels);
            self.ledger.note_source(metric, source, labels, value);
        }
    }

    /// Tells counts of durations.
    pub fn durations(&mut self, metric: Metric, labels: &[&str], durations: &Doublings) {
        let value = Value::Histogram { counts: durations.by_bounds(), sum: durations.sum.as_secs_f64() };
        self.add(metric, labels, value);
    }

    /// Tells how many values of a label were told as [`OTHER`](crate::OTHER) already.
    pub fn folded(&mut self, label: Label, count: u64) {
        self.ledger.note_folded(label, count);
    }

    /// All of it.
    pub fn finish(mut self) -> Page {
        self.ledger.complete(&mut self.rows);
        Page::new(self.rows)
    }

    fn add(&mut self, metric: Metric, labels: &[&str], value: Value) {
        let family = metric.family();
        let is_histogram = matches!(value, Value::Histogram { .. });
        if labels.len() != family.labels.len() || is_histogram != (family.kind == Type::Histogram) {
            return;
        }
        let key = (metric, self.ledger.admit(family, labels));
        match self.rows.get_mut(&key) {
            Some(told) if family.kind == Type::GaugeOfLargest => told.no_less_than(&value),
            Some(told) => told.add(&value),
            None => drop(self.rows.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests;
