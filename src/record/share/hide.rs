//! What is hidden, and by what it is replaced. Everything that is shared is gone through twice: first the numbers that name something are collected, and
//! what the program's descriptions name fields; then each is replaced.

use super::{
    Clock,
    marks::Marks,
    rules::{self, Named, Number, Text},
    text, words,
};
use crate::{
    diagnose::{LINTS, lint},
    model::Tasks,
    packed::Column,
    update::{FieldName, Knows, MetaId, Stamp, look::Grade},
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeSet, time::Duration};

/// Whose name a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldOf {
    /// One of Tokio's that counts something.
    Tokio,
    /// One of Tokio's that names something.
    Name,
    /// Anybody's.
    Other,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// The type.
    pub(super) ty: &'static str,
    /// Its field, its variant, or the place in a tuple.
    pub(super) field: &'static str,
    /// Which of several in a row.
    pub(super) index: usize,
    /// Of a field's value, whose field it is.
    pub(super) of: FieldOf,
}

impl At {
    pub(super) const TOP: Self = Self::new("", "");

    pub(super) const fn new(ty: &'static str, field: &'static str) -> Self {
        Self { ty, field, index: 0, of: FieldOf::Other }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Collects,
    Hides,
}

/// The target's clock at its first update, where its clock is shifted: what is older has room before it.
const FIRST: Duration = Duration::from_secs(3_652 * 24 * 60 * 60);

/// What is known of what is hidden.
#[derive(Debug)]
pub(super) struct Hidden {
    phase: Phase,
    clock: Clock,
    marks: Marks,
    /// Numbers that name something.
    found: FxHashMap<Named, BTreeSet<u64>>,
    /// By what they are replaced.
    given: FxHashMap<(Named, u64), u64>,
    /// The names of fields, by the description that has them.
    descriptions: FxHashMap<MetaId, Vec<String>>,
    /// The names of a state, in their order.
    names: Vec<String>,
    /// The target's clock at its first update.
    first: Option<Stamp>,
    /// Why something is not known, in the program's own words.
    reasons: BTreeSet<&'static str>,
    /// The types and fields of numbers that were kept.
    #[cfg(test)]
    pub(super) kept: BTreeSet<(&'static str, &'static str)>,
}

impl Hidden {
    pub(super) fn new(clock: Clock) -> Self {
        let grades = [Grade::Absent, Grade::Stripped, Grade::Symbols, Grade::Lines, Grade::Twin, Grade::Full];
        let sources = [Knows::console(), Knows::older_agent(), Knows::agent(&[])];
        let known = sources.into_iter().chain(grades.map(Knows::memory));
        Self {
            phase: Phase::Collects,
            clock,
            marks: Marks::default(),
            found: FxHashMap::default(),
            given: FxHashMap::default(),
            descriptions: FxHashMap::default(),
            names: Vec::new(),
            first: None,
            reasons: known.flat_map(|knows| knows.missing().map(|(_, why)| why).collect::<Vec<_>>()).collect(),
            #[cfg(test)]
            kept: BTreeSet::new(),
        }
    }

    /// The target's clock at an update.
    pub(super) fn tell(&mut self, now: Option<Stamp>) {
        self.first = self.first.or(now);
    }

    /// All was collected: from here on it is replaced.
    pub(super) fn hide(&mut self) {
        self.phase = Phase::Hides;
        for named in Named::ALL {
            let (begins, step) = named.numbered();
            let found = self.found.remove(&named).unwrap_or_default();
            let numbered = found.into_iter().zip(0..).map(|(number, at)| ((named, number), begins + at * step));
            self.given.extend(numbered);
        }
    }

    /// By how many seconds the target's clock is set back. Whole ones, so that what is counted by the second stays as it is.
    fn set_back(&self) -> u64 {
        match (self.clock, self.first) {
            (Clock::FromZero, Some(first)) => u64::from(first.seconds()).saturating_sub(FIRST.as_secs()),
            _ => 0,
        }
    }

    /// Whether it is found out yet what there is.
    pub(super) fn collects(&self) -> bool {
        self.phase == Phase::Collects
    }

    /// A function of a crate that may be published is in this file.
    pub(super) fn note_file(&mut self, published: &str, file: &str) {
        if text::is_own_file(file) {
            self.marks.note_own(published);
        }
    }

    /// Which fields a description has.
    pub(super) fn describe(&mut self, id: MetaId, fields: Vec<String>) {
        match self.phase {
            Phase::Collects => {
                self.descriptions.entry(id).or_insert(fields);
            }
            // Another process may use the same id for another one.
            Phase::Hides => {
                self.descriptions.insert(id, fields);
            }
        }
    }

    /// The names of a state.
    pub(super) fn name(&mut self, names: Vec<String>) {
        self.names = names;
    }

    /// Whose a field is by its name.
    pub(super) fn field(&self, name: &FieldName) -> FieldOf {
        match name {
            FieldName::Text(name) => field_of(name),
            FieldName::Index(id, index) => {
                let fields = self.descriptions.get(id).and_then(|fields| fields.get(*index));
                fields.map_or(FieldOf::Other, |name| field_of(name))
            }
        }
    }

    /// The same by its place among a state's names.
    pub(super) fn field_at(&self, index: usize) -> FieldOf {
        self.names.get(index).map_or(FieldOf::Other, |name| field_of(name))
    }

    /// A text.
    pub(super) fn text(&mut self, at: At, text: &str) -> String {
        if text.is_empty() || self.phase == Phase::Collects {
            return String::new();
        }
        let is_threshold = |name: &str| LINTS.iter().any(|lint| lint.params.iter().any(|param| param.name == name));
        let marks = &mut self.marks;
        match rules::text(at.ty, at.field) {
            Text::Whole(what) => marks.of(what, text),
            Text::Path => text::path(text, marks),
            Text::Place => text::place(text, marks),
            Text::Function => text::function(text, marks),
            Text::Frame => text::frame(text, marks),
            Text::Address => text::address(text, marks),
            Text::Version => text::version(text, marks),
            Text::Module => text::module(text, marks),
            Text::Loss => text::loss(text, marks),
            Text::Value if at.of == FieldOf::Other => marks.of("value", text),
            Text::Name | Text::Value => text::name(text, marks),
            Text::Kernel if !words::is_of_kernel(text) => marks.of("kernel", text),
            Text::Ability if !words::is_ability(text) => marks.of("ability", text),
            Text::Lint if lint(text).is_none() => marks.of("lint", text),
            Text::Threshold if !is_threshold(text) => marks.of("threshold", text),
            Text::Reason if !self.reasons.contains(text) => marks.of("reason", text),
            Text::Kernel | Text::Ability | Text::Lint | Text::Threshold | Text::Reason | Text::Word => text.to_owned(),
        }
    }

    /// A number.
    pub(super) fn number(&mut self, at: At, number: u64) -> u64 {
        match rules::number(at.ty, at.field) {
            Number::Kept => {
                #[cfg(test)]
                self.kept.insert((at.ty, at.field));
                number
            }
            Number::Nanos => {
                let nanos = Duration::from_secs(self.set_back()).as_nanos();
                number.saturating_sub(u64::try_from(nanos).unwrap_or(u64::MAX)).max(1)
            }
            Number::Seconds => number.saturating_sub(self.set_back()),
            Number::Names(named) => self.named(named, number),
            // What has no address is named by the instrumentation.
            Number::Resource => self.given.get(&(Named::Thing, number)).copied().unwrap_or(number),
            Number::Value if at.of == FieldOf::Tokio => number,
            Number::Value => self.marks.number(number),
        }
    }

    /// A number with a sign.
    pub(super) fn signed(&mut self, at: At, number: i64) -> i64 {
        match rules::number(at.ty, at.field) {
            Number::Value if at.of != FieldOf::Tokio => self.marks.number(number.cast_unsigned()).cast_signed(),
            _ => number,
        }
    }

    /// Whether a flag is that of anybody's field.
    pub(super) fn hides_flag(at: At) -> bool {
        at.ty == "Value" && at.of != FieldOf::Tokio
    }

    /// A column of numbers of tasks. What is no such column is left out.
    pub(super) fn column(&mut self, at: At, column: &Column) -> Column {
        let as_instant = match at.index {
            index if Tasks::INSTANTS.contains(&index) => At::new("Stamp", "0"),
            index if index == Tasks::SECONDS => At::new("Spark", "second"),
            _ => return column.clone(),
        };
        // Zero is none.
        column.numbers().iter().map(|&number| if number == 0 { 0 } else { self.number(as_instant, number) }).collect()
    }

    fn named(&mut self, named: Named, number: u64) -> u64 {
        if number == 0 {
            return 0;
        }
        if self.phase == Phase::Collects {
            self.found.entry(named).or_default().insert(number);
            return number;
        }
        let next = self.given.len() as u64;
        *self.given.entry((named, number)).or_insert_with(|| {
            // It was not there before. That does not happen; were it to, it has no other's number.
            let (begins, step) = named.numbered();
            begins + (next + 1) * step
        })
    }

    /// A text that stands in no event.
    pub(super) fn target(&mut self, target: &str) -> String {
        self.marks.of("target", target)
    }
}

fn field_of(name: &str) -> FieldOf {
    match name {
        counted if words::is_counted(counted) => FieldOf::Tokio,
        named if words::is_name(named) => FieldOf::Name,
        _ => FieldOf::Other,
    }
}
