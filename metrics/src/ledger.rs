//! What is remembered of a target from one scrape to the next, for as long as it lives: which values of labels have series of their own, and how far
//! its counters have come.
//!
//! Who is in stays in: the first two hundred locations keep their series, and all others are told together as [`OTHER`], so that sums stay right.
//! What is told of several sources under the same labels, as of two runtimes of one name, is their sum, also when one of them is gone.

use crate::{
    label::{OTHER, cut},
    page::{Key, Labels, Value},
    sheet::Sheet,
    table::{Family, Label, Metric, Type},
};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::{collections::BTreeMap, hash::BuildHasher as _};

/// Spawn locations with series of their own.
pub const LOCATIONS: usize = 200;
/// Locks, each by where it was made and its kind.
pub const LOCKS: usize = 100;
/// Workers, of all runtimes together.
pub const WORKERS: usize = 64;
/// Runtimes, by their names.
pub const RUNTIMES: usize = 20;
/// Lines of one target's page, at the most: what is above makes no more.
pub const SERIES: usize = 3_000;

/// Lints, or kinds of something, or whatever else is a word of a program.
const WORDS: usize = 32;

/// Values without series that are told apart, for each label: they are counted up to here.
const FOLDED: usize = 4_096;

/// Sources that are told apart after they are gone.
const SOURCES: usize = 8_192;

/// What is known of one source's counter.
#[derive(Debug)]
struct Source {
    labels: Labels,
    value: f64,
    /// The scrape that told of it last.
    scrape: u64,
}

/// What is remembered of one target.
#[derive(Debug, Default)]
pub struct Ledger {
    admitted: FxHashMap<Label, FxHashSet<Box<str>>>,
    folded: FxHashMap<Label, Folded>,
    sources: FxHashMap<(Metric, u64), Source>,
    /// Of sources that are gone and no longer told apart.
    gone: FxHashMap<Key, f64>,
    /// Counters and histograms, as they were told last.
    told: FxHashMap<Key, Value>,
    scrape: u64,
}

/// Values of one label that are told together.
#[derive(Debug, Default)]
struct Folded {
    hashes: FxHashSet<u64>,
    /// Those that whoever fills the sheet has folded.
    elsewhere: u64,
}

/// Labels whose values may be so many that they are folded.
const MANY: [Label; 4] = [Label::Location, Label::Lock, Label::Runtime, Label::Worker];

impl Ledger {
    /// For one scrape.
    pub fn sheet(&mut self) -> Sheet<'_> {
        self.scrape += 1;
        Sheet::new(self)
    }

    /// The values as they are told.
    pub(crate) fn admit(&mut self, family: &Family, values: &[&str]) -> Labels {
        let mut labels: Vec<Box<str>> = values.iter().map(|value| cut(value).into()).collect();
        for (at, label) in family.labels.iter().enumerate() {
            match label {
                // A worker is one by its runtime, and a lock one by its kind.
                Label::Worker => {
                    let name = format!("{}\n{}", labels[at - 1], labels[at]);
                    if &*labels[at] != OTHER && !self.is_in(*label, &name) {
                        labels[at] = OTHER.into();
                    }
                }
                Label::Lock => {
                    let name = format!("{}\n{}", labels[at], labels[at + 1]);
                    if &*labels[at] == OTHER || !self.is_in(*label, &name) {
                        (labels[at], labels[at + 1]) = (OTHER.into(), OTHER.into());
                    }
                }
                Label::Kind if family.labels.contains(&Label::Lock) => {}
                _ if &*labels[at] == OTHER => {}
                _ if !self.is_in(*label, &labels[at]) => labels[at] = OTHER.into(),
                _ => {}
            }
        }
        labels.into()
    }

    fn is_in(&mut self, label: Label, name: &str) -> bool {
        let most = match label {
            Label::Location => LOCATIONS,
            Label::Lock => LOCKS,
            Label::Worker => WORKERS,
            Label::Runtime => RUNTIMES,
            _ => WORDS,
        };
        let admitted = self.admitted.entry(label).or_default();
        if admitted.contains(name) {
            return true;
        }
        if admitted.len() < most {
            return admitted.insert(name.into());
        }
        let folded = &mut self.folded.entry(label).or_default().hashes;
        if folded.len() < FOLDED {
            folded.insert(FxBuildHasher.hash_one(name));
        }
        false
    }

    /// Notes how many values of a label were folded before they came here.
    pub(crate) fn note_folded(&mut self, label: Label, count: u64) {
        let elsewhere = &mut self.folded.entry(label).or_default().elsewhere;
        *elsewhere = count.max(*elsewhere);
    }

    /// Notes what one source's counter is now.
    pub(crate) fn note_source(&mut self, metric: Metric, source: u64, labels: Labels, value: f64) {
        let scrape = self.scrape;
        let known = self.sources.entry((metric, source)).or_insert_with(|| Source { labels, value, scrape });
        (known.value, known.scrape) = (known.value.max(value), scrape);
    }

    /// Adds what only the ledger knows to what a scrape has told, and remembers that.
    pub(crate) fn complete(&mut self, rows: &mut BTreeMap<Key, Value>) {
        if self.sources.len() > SOURCES {
            let scrape = self.scrape;
            for ((metric, _), source) in self.sources.extract_if(|_, source| source.scrape != scrape) {
                *self.gone.entry((metric, source.labels)).or_default() += source.value;
            }
        }
        let of_sources = self.sources.iter().map(|((metric, _), source)| (*metric, &source.labels, source.value));
        let of_gone = self.gone.iter().map(|((metric, labels), value)| (*metric, labels, *value));
        for (metric, labels, value) in of_sources.chain(of_gone) {
            rows.entry((metric, labels.clone())).or_insert(Value::Number(0.0)).add(&Value::Number(value));
        }
        for label in MANY {
            let folded = self.folded.get(&label).map_or(0, |folded| folded.hashes.len() as u64 + folded.elsewhere);
            let labels: Labels = [label.word().into()].into();
            rows.insert((Metric::FoldedSeries, labels), Value::Number(folded as f64));
        }
        for (key, value) in rows {
            if matches!(key.0.family().kind, Type::Counter | Type::Histogram) {
                match self.told.get_mut(key) {
                    Some(told) => {
                        value.no_less_than(told);
                        told.clone_from(value);
                    }
                    None => drop(self.told.insert(key.clone(), value.clone())),
                }
            }
        }
    }
}
