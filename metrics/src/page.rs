//! What one target tells, whole.

use crate::table::{BOUNDS, Metric, Type};
use std::collections::BTreeMap;

/// Values of labels, in the order of their metric's line in the table.
pub(crate) type Labels = Box<[Box<str>]>;

/// One series, or those of one histogram.
pub(crate) type Key = (Metric, Labels);

/// How many durations are up to each bound and above the one before; the last is of those above all of them.
pub type Counts = [u64; BOUNDS.len() + 1];

/// What one series tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of a gauge or a counter.
    Number(f64),
    /// Of a histogram.
    Histogram {
        /// By its bounds, each without those below.
        counts: Counts,
        /// All durations together, in seconds.
        sum: f64,
    },
}

impl Value {
    /// Both together.
    pub(crate) fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Number(number), Self::Number(more)) => *number += more,
            (Self::Histogram { counts, sum }, Self::Histogram { counts: more, sum: more_sum }) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                *sum += more_sum;
            }
            _ => {}
        }
    }

    /// The larger of both.
    pub(crate) fn no_less_than(&mut self, other: &Self) {
        match (self, other) {
            (Self::Number(number), Self::Number(least)) => *number = number.max(*least),
            (Self::Histogram { counts, sum }, Self::Histogram { counts: least, sum: least_sum }) => {
                counts.iter_mut().zip(least).for_each(|(count, least)| *count = (*count).max(*least));
                *sum = sum.max(*least_sum);
            }
            _ => {}
        }
    }
}

/// What one target tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Page(BTreeMap<Key, Value>);

impl Page {
    pub(crate) fn new(rows: BTreeMap<Key, Value>) -> Self {
        Self(rows)
    }

    /// A page of metrics without labels, and of nothing else: of a target of which no more is known.
    pub fn alone(values: impl IntoIterator<Item = (Metric, f64)>) -> Self {
        let is_number = |(metric, _): &(Metric, f64)| metric.family().kind != Type::Histogram;
        let rows = values.into_iter().filter(is_number);
        Self(rows.map(|(metric, value)| ((metric, Labels::default()), Value::Number(value))).collect())
    }

    /// The series of a metric, each with the values of its labels.
    pub fn of(&self, metric: Metric) -> impl Iterator<Item = (&[Box<str>], &Value)> {
        let from = (metric, Labels::default());
        self.0
            .range(from..)
            .take_while(move |((of, _), _)| *of == metric)
            .map(|((_, labels), value)| (&**labels, value))
    }

    /// Lines that it has, without those that say what a metric is.
    pub fn lines(&self) -> usize {
        let lines = |value: &Value| match value {
            Value::Number(_) => 1,
            Value::Histogram { counts, .. } => counts.len() + 2,
        };
        self.0.values().map(lines).sum()
    }

    /// The value of one series; `None` where it is not told, and of histograms.
    pub fn value(&self, metric: Metric, labels: &[&str]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|label| (*label).into()).collect();
        match self.0.get(&(metric, labels))? {
            Value::Number(number) => Some(*number),
            Value::Histogram { .. } => None,
        }
    }

    /// All values of a metric together; of a histogram, how many durations it has.
    pub fn sum(&self, metric: Metric) -> f64 {
        let number = |value: &Value| match value {
            Value::Number(number) => *number,
            Value::Histogram { counts, .. } => counts.iter().sum::<u64>() as f64,
        };
        self.of(metric).map(|(_, value)| number(value)).sum()
    }
}

/// A page, with the labels that all of its series have before their own.
#[derive(Debug, Clone)]
pub struct Target {
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// What it tells.
    pub page: Page,
}

impl Target {
    /// The labels of one series: those of the target, and its own.
    pub(crate) fn labels<'a>(
        &'a self,
        metric: Metric,
        values: &'a [Box<str>],
    ) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        let of_target = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let own = metric.family().labels.iter().zip(values).map(|(label, value)| (label.word(), &**value));
        of_target.chain(own)
    }
}
