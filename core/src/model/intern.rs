//! Text and places, each kept once. A million tasks share a handful of names and spawn locations.

use crate::update::{Place, SourcePlace};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A string that the [`Names`] of the same model can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct Sym(u32);

impl Sym {
    /// The empty string.
    pub const EMPTY: Sym = Sym(0);

    /// Whether this is the empty string.
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// The symbol as a number: small, and the same for the same text.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The reverse of [`Sym::index`].
    pub fn from_index(index: usize) -> Self {
        Self(index as u32)
    }
}

/// Fewer strings than this are not worth a look.
const COLLECTED_FROM: usize = 10_000;

/// The strings of one model.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(from = "WrittenNames")]
pub struct Names {
    texts: Vec<Arc<str>>,
    #[serde(skip)]
    text_bytes: usize,
    free: Vec<Sym>,
    /// How many there were in use when last somebody looked.
    used: usize,
    #[serde(skip)]
    by_text: FxHashMap<Arc<str>, Sym>,
}

/// As they are written down.
#[derive(serde::Deserialize)]
struct WrittenNames {
    texts: Vec<Arc<str>>,
    free: Vec<Sym>,
    used: usize,
}

impl From<WrittenNames> for Names {
    fn from(WrittenNames { mut texts, mut free, used }: WrittenNames) -> Self {
        match texts.first_mut() {
            Some(first) => *first = Arc::from(""),
            None => texts.push(Arc::from("")),
        }
        free.retain(|sym| !sym.is_empty() && texts.get(sym.index()).is_some_and(|text| text.is_empty()));
        let text_bytes = texts.iter().map(|text| text.len()).sum();
        // Symbols that are free stand for no text.
        let named = texts.iter().enumerate().filter(|(index, text)| *index == 0 || !text.is_empty());
        let by_text = named.map(|(index, text)| (Arc::clone(text), Sym::from_index(index))).collect();
        Self { texts, text_bytes, free, used, by_text }
    }
}

impl Default for Names {
    fn default() -> Self {
        let empty: Arc<str> = Arc::from("");
        Self {
            texts: vec![empty.clone()],
            text_bytes: 0,
            free: Vec::new(),
            used: 0,
            by_text: FxHashMap::from_iter([(empty, Sym::EMPTY)]),
        }
    }
}

impl Names {
    /// The symbol of `text`, made if it is new.
    pub fn intern(&mut self, text: &str) -> Sym {
        if let Some(&sym) = self.by_text.get(text) {
            return sym;
        }
        let text: Arc<str> = Arc::from(text);
        self.text_bytes += text.len();
        let sym = if let Some(sym) = self.free.pop() {
            self.texts[sym.index()] = text.clone();
            sym
        } else {
            self.texts.push(text.clone());
            Sym((self.texts.len() - 1) as u32)
        };
        self.by_text.insert(text, sym);
        sym
    }

    /// How many strings there are, the empty one included.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// How many of them stand for a text.
    pub(super) fn in_use(&self) -> usize {
        self.by_text.len()
    }

    /// Whether so many were made since somebody last looked which are in use that looking again may free some.
    pub(super) fn may_collect(&self) -> bool {
        self.by_text.len() > self.used + COLLECTED_FROM
    }

    /// Whether so many were made since then that it is time to look again.
    pub(super) fn should_collect(&self) -> bool {
        self.by_text.len() > self.used * 2 + COLLECTED_FROM
    }

    /// Lets go of every string that is not among these. Its symbol may then be given to another.
    pub(super) fn collect(&mut self, used: impl Iterator<Item = Sym>) {
        let mut keep = vec![false; self.texts.len()];
        keep[Sym::EMPTY.index()] = true;
        for sym in used {
            if let Some(keep) = keep.get_mut(sym.index()) {
                *keep = true;
            }
        }
        self.free.clear();
        for (index, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
            let text = std::mem::take(&mut self.texts[index]);
            self.text_bytes -= text.len();
            self.by_text.remove(&text);
            self.free.push(Sym::from_index(index));
        }
        // What was free before stands for no text, and the empty string is still there.
        self.by_text.insert(self.texts[0].clone(), Sym::EMPTY);
        self.used = self.by_text.len();
    }

    /// How long they are together.
    pub(super) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The text of a symbol.
    pub fn text(&self, sym: Sym) -> &str {
        self.texts.get(sym.0 as usize).map_or("", |text| text)
    }
}

/// A place that the [`Places`] of the same model can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct PlaceId(u32);

impl PlaceId {
    /// Where nobody knows the place.
    pub const UNKNOWN: PlaceId = PlaceId(0);

    /// Whether the place is known.
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// The place as a number: small, and the same for the same place.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// The reverse of [`PlaceId::index`].
    pub fn from_index(index: usize) -> Self {
        Self(index as u32)
    }
}

/// The places of one model.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(from = "WrittenPlaces")]
pub struct Places {
    places: Vec<Place>,
    by_source: FxHashMap<SourceKey, PlaceId>,
}

/// As they are written down.
#[derive(serde::Deserialize)]
struct WrittenPlaces {
    places: Vec<Place>,
    by_source: FxHashMap<SourceKey, PlaceId>,
}

impl From<WrittenPlaces> for Places {
    fn from(WrittenPlaces { mut places, mut by_source }: WrittenPlaces) -> Self {
        if places.is_empty() {
            places.push(Place::default());
        }
        by_source.retain(|_, id| id.index() < places.len());
        Self { places, by_source }
    }
}

type SourceKey = (String, u32, u32);

impl Default for Places {
    fn default() -> Self {
        Self { places: vec![Place::default()], by_source: FxHashMap::default() }
    }
}

impl Places {
    /// The id of `place`, made if it is new. A place without a file is [`PlaceId::UNKNOWN`].
    pub fn intern(&mut self, place: SourcePlace) -> PlaceId {
        if place.file.is_empty() {
            return PlaceId::UNKNOWN;
        }
        let next = PlaceId(self.places.len() as u32);
        let id = *self.by_source.entry((place.file.clone(), place.line, place.column)).or_insert(next);
        if id == next {
            self.places.push(place.into());
        }
        id
    }

    /// The place of an id.
    pub fn get(&self, id: PlaceId) -> &Place {
        &self.places[(id.0 as usize).min(self.places.len() - 1)]
    }

    /// How many places there are, the unknown one included.
    pub fn count(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_nobody_uses_makes_room_for_another() {
        let mut names = Names::default();
        let [kept, gone] = ["kept", "gone"].map(|text| names.intern(text));
        for _ in 0..2 {
            names.collect([kept].into_iter());
            assert_eq!((names.text(kept), names.text(gone), names.text_bytes()), ("kept", "", 4));
        }
        assert_eq!((names.intern("another"), names.intern("kept"), names.intern("")), (gone, kept, Sym::EMPTY));
        assert_eq!(names.text(gone), "another");
        assert_ne!(names.intern("gone"), gone);
    }

    #[test]
    fn equal_text_has_one_symbol() {
        let mut names = Names::default();
        let first = names.intern("conn");
        assert_eq!(names.intern("conn"), first);
        assert_eq!(names.text(first), "conn");
        assert!(names.intern("").is_empty());
    }
}
