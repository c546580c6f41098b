//! Texts and places of the source, of which a program has only so many, as small numbers. They are kept for ever.

use crate::view::Location;
use parking_lot::RwLock;
use std::{cell::Cell, collections::HashMap, sync::LazyLock};

/// Texts beyond this many are all the same one.
const MOST_TEXTS: usize = 1 << 16;
/// Places beyond this many are not known.
pub(crate) const MOST_PLACES: usize = 1 << 20;

#[derive(Default)]
struct Known {
    texts: HashMap<&'static str, u32>,
    text_of: Vec<&'static str>,
    locations: HashMap<&'static Location, u32>,
    location_of: Vec<&'static Location>,
}

static KNOWN: LazyLock<RwLock<Known>> = LazyLock::new(RwLock::default);

/// The text with this number.
pub(crate) fn text(number: u32) -> &'static str {
    KNOWN.read().text_of.get(number as usize).copied().unwrap_or("…")
}

/// The place with this number; `None` for 0.
pub(crate) fn location(number: u32) -> Option<&'static Location> {
    KNOWN.read().location_of.get((number as usize).checked_sub(1)?).copied()
}

/// The number of a text.
#[cold]
pub(crate) fn number_of_text(text: &str) -> u32 {
    if let Some(number) = KNOWN.read().texts.get(text) {
        return *number;
    }
    let mut known = KNOWN.write();
    if known.text_of.len() >= MOST_TEXTS {
        return u32::MAX;
    }
    let number = known.text_of.len() as u32;
    let text: &'static str = Box::leak(text.into());
    if let Some(earlier) = known.texts.get(text) {
        return *earlier;
    }
    known.texts.insert(text, number);
    known.text_of.push(text);
    number
}

/// The number of a place, never 0 for one that is known.
#[cold]
fn number_of_place(file: u32, line: u32, column: u32) -> u32 {
    let mut known = KNOWN.write();
    let file = known.text_of.get(file as usize).copied().unwrap_or_default();
    let location = Location { file, line, column };
    if let Some(number) = known.locations.get(&location) {
        return *number;
    }
    if known.location_of.len() >= MOST_PLACES {
        return 0;
    }
    let location: &'static Location = Box::leak(Box::new(location));
    known.location_of.push(location);
    let number = known.location_of.len() as u32;
    known.locations.insert(location, number);
    number
}

const RECENT: usize = 32;

/// What a thread asked for lately. Texts are told apart by where they lie: all that tokio tells are literals, and nothing
/// else is asked for here.
pub(crate) struct Recent {
    texts: [Cell<(usize, usize, u32)>; RECENT],
    locations: [Cell<(u32, u64, u32)>; RECENT],
}

impl Recent {
    pub(crate) const fn new() -> Self {
        Self { texts: [const { Cell::new((0, 0, 0)) }; RECENT], locations: [const { Cell::new((0, 0, 0)) }; RECENT] }
    }

    /// The number of a literal.
    #[inline]
    pub(crate) fn text(&self, text: &str) -> u32 {
        let at = text.as_ptr() as usize;
        let cell = &self.texts[(at >> 3) % RECENT];
        let (known_at, known_len, number) = cell.get();
        if (known_at, known_len) == (at, text.len()) {
            return number;
        }
        let number = number_of_text(text);
        cell.set((at, text.len(), number));
        number
    }

    /// The number of a place, of whose file this is the number.
    #[inline]
    pub(crate) fn location(&self, file: u32, line: u32, column: u32) -> u32 {
        let position = (u64::from(line) << 32) | u64::from(column);
        let cell = &self.locations[file.wrapping_mul(7).wrapping_add(line) as usize % RECENT];
        let (known_file, known_position, number) = cell.get();
        if (known_file, known_position) == (file, position) && number != 0 {
            return number;
        }
        let number = number_of_place(file, line, column);
        cell.set((file, position, number));
        number
    }
}
