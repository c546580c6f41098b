//! Attributes of resources and operations: a few numbers, each with its name.

use crate::{
    collect::thread_state::ThreadState,
    slots::{intern, word::Word},
    view::{Attribute, Value},
};
use tracing_core::{Field, field::Visit};

/// How a value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Set,
    Add,
    Subtract,
}

/// What a field of such an event is, which its name's end tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Value,
    Change,
    Unit,
}

#[inline]
fn part_of(name: &str) -> Part {
    let name = name.as_bytes();
    if name.ends_with(b".op") {
        Part::Change
    } else if name.ends_with(b".unit") {
        Part::Unit
    } else {
        Part::Value
    }
}

/// What an event tells of one attribute.
pub(crate) struct Update<'a> {
    local: &'a ThreadState,
    name: Option<&'static str>,
    number: u32,
    value: Raw,
    change: Change,
    unit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    None,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Text(u32),
}

const UNSIGNED: u64 = 0;
const SIGNED: u64 = 1;
const BOOL: u64 = 2;
const TEXT: u64 = 3;

impl<'a> Update<'a> {
    #[inline]
    pub(crate) fn new(local: &'a ThreadState) -> Self {
        Self { local, name: None, number: 0, value: Raw::None, change: Change::Set, unit: NO_UNIT }
    }

    /// The attribute's name; `None` when the event told nothing of use.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.name
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self.value {
            Raw::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        match self.value {
            Raw::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn change(&self) -> Change {
        self.change
    }

    #[inline]
    fn tell(&mut self, field: &Field, value: Raw) {
        // The first field is the attribute; how it changes, and its unit, come after it.
        let name = field.name();
        if field.index() == 0 || (part_of(name) == Part::Value) {
            self.name = Some(name);
            self.number = self.local.recent.text(name);
            self.value = value;
        }
    }
}

impl Visit for Update<'_> {
    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.tell(field, Raw::Unsigned(value));
    }

    #[inline]
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.tell(field, Raw::Signed(value));
    }

    #[inline]
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.tell(field, Raw::Bool(value));
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if field.index() == 0 {
            self.tell(field, Raw::Text(self.local.recent.text(value)));
        } else if part_of(name) == Part::Change {
            self.change = match value {
                "add" => Change::Add,
                "sub" => Change::Subtract,
                _ => Change::Set,
            };
        } else if part_of(name) == Part::Unit {
            self.unit = self.local.recent.text(value);
        } else {
            self.tell(field, Raw::Text(self.local.recent.text(value)));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// A number that no unit has: texts beyond 16 bits are not told apart.
const NO_UNIT: u32 = 0xFFFF;
const USED: u64 = 1 << 63;
const OF_CHILD: u64 = 1 << 62;

/// Up to `N` attributes; more are not kept, and tokio has none with more.
#[derive(Debug)]
pub(crate) struct Attributes<const N: usize>([Cell; N]);

#[derive(Debug, Default)]
struct Cell {
    /// What the number means: its name (16 bits), unit (16) and type (2); 0 for nothing.
    key: Word,
    value: Word,
}

impl<const N: usize> Default for Attributes<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Cell::default()))
    }
}

/// Who writes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    One,
    Many,
}

/// Whose attribute it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Itself,
    /// A part of it, which has the same attributes as the whole.
    Child,
}

impl<const N: usize> Attributes<N> {
    #[inline]
    pub(crate) fn reset(&self) {
        for cell in &self.0 {
            if cell.key.get() == 0 {
                break;
            }
            cell.key.set(0);
            cell.value.set(0);
        }
    }

    #[inline]
    pub(crate) fn update(&self, update: &Update<'_>, of: Of, writers: Writers) {
        let (kind, raw) = match update.value {
            Raw::None => return,
            Raw::Bool(value) => (BOOL, u64::from(value)),
            Raw::Unsigned(value) => (UNSIGNED, value),
            Raw::Signed(value) => (SIGNED, value as u64),
            Raw::Text(value) => (TEXT, u64::from(value)),
        };
        let (name, unit) = (u64::from(update.number & 0xFFFF), u64::from(update.unit & 0xFFFF));
        let of = if of == Of::Child { OF_CHILD } else { 0 };
        let key = USED | of | (kind << 32) | (unit << 16) | name;
        for cell in &self.0 {
            let there = cell.key.get();
            if there != key {
                let claimed = there == 0 && (writers == Writers::One || cell.key.claim(key) == key);
                if !claimed {
                    continue;
                }
                cell.key.set(key);
            }
            let more = if update.change == Change::Subtract { raw.wrapping_neg() } else { raw };
            match (update.change, writers) {
                (Change::Set, _) => cell.value.set(raw),
                (_, Writers::One) => cell.value.add(more),
                (_, Writers::Many) => cell.value.add_shared(more),
            }
            return;
        }
    }

    pub(crate) fn view(&self) -> Vec<Attribute> {
        let used = self.0.iter().map(|cell| (cell.key.get(), cell.value.get())).take_while(|(key, _)| *key != 0);
        let attributes = used.map(|(key, raw)| Attribute {
            name: intern::text(key as u32 & 0xFFFF),
            value: match (key >> 32) & 3 {
                BOOL => Value::Bool(raw != 0),
                // What is taken may be told before what was given: a number below zero is soon none.
                UNSIGNED => Value::Unsigned(if (raw as i64) < 0 { 0 } else { raw }),
                SIGNED => Value::Signed(raw as i64),
                _ => Value::Text(intern::text(raw as u32)),
            },
            unit: Some((key >> 16) as u32 & 0xFFFF).filter(|unit| *unit != NO_UNIT).map(intern::text),
        });
        attributes.collect()
    }
}
