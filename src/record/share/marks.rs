//! Marks: what stands for a text in a shared recording. The same text has the same mark, within one file; what it was cannot be found out from it, since
//! the key is random, and is kept nowhere.

use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::hash_map::RandomState, hash::BuildHasher};

/// A mark has so many digits, of sixteen, and more where another text has those already.
const FEWEST: u32 = 6;
const MOST: u32 = 16;

/// So many short marks are remembered. What comes after them has all digits, of which no two texts have the same by any chance that matters.
const REMEMBERED: usize = 1 << 20;

/// Makes marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    key: RandomState,
    /// Whose a mark is, by its digits and how many they are.
    taken: FxHashMap<(u32, u64), u64>,
    /// Crates that are the program's own, although published ones are called so.
    own: FxHashSet<String>,
}

impl Marks {
    /// A crate is the program's own, whatever it is called.
    pub(super) fn note_own(&mut self, name: &str) {
        if !self.own.contains(name) {
            self.own.insert(name.to_owned());
        }
    }

    /// Whether a crate is known to be the program's own.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.own.contains(name)
    }

    /// The mark of a text, after a word that says what it is. Whatever that is, the same text has the same digits.
    pub(super) fn of(&mut self, what: &str, text: &str) -> String {
        let whole = self.key.hash_one(text);
        let digits = self.digits(whole);
        let shown = whole >> (4 * (MOST - digits));
        format!("{what}-{shown:0width$x}", width = digits as usize)
    }

    /// What stands for a number: as many bits, and no number that small things have.
    pub(super) fn number(&self, number: u64) -> u64 {
        self.key.hash_one(("number", number)) >> 16
    }

    /// How many digits tell it from all others.
    fn digits(&mut self, whole: u64) -> u32 {
        for digits in FEWEST..MOST {
            let place = (digits, whole >> (4 * (MOST - digits)));
            match self.taken.get(&place) {
                Some(owner) if *owner == whole => return digits,
                Some(_) => {}
                None if self.taken.len() < REMEMBERED => {
                    self.taken.insert(place, whole);
                    return digits;
                }
                None => return MOST,
            }
        }
        MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_text_has_one_mark_and_no_other_text_has_it() {
        let mut marks = Marks::default();
        let many: Vec<String> = (0..20_000).map(|at| marks.of("name", &format!("text {at}"))).collect();
        assert_eq!(many.iter().collect::<HashSet<_>>().len(), many.len());
        // Of so many some had the same six digits.
        assert!(many.iter().any(|mark| mark.len() > many[0].len()), "{}", many[0]);
        for at in (0..20_000).step_by(97) {
            assert_eq!(marks.of("name", &format!("text {at}")), many[at]);
        }
        let [name, file] = ["name", "file"].map(|what| marks.of(what, "text 7"));
        assert_eq!(name.strip_prefix("name"), file.strip_prefix("file"));
        assert_ne!(Marks::default().of("name", "text 7"), name, "another file has another mark");
    }
}
