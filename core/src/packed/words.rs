//! Words that the program says itself, such as the name of a piece of evidence: as text when they are written, and one of the program's own again when
//! they are read.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// A word of the program's own. By this name it is not taken for one that is borrowed from what is read.
pub type Word = &'static str;

/// So many words are known at most, and so long. There are a few hundred; what a damaged file has beyond that is no word.
const MOST: usize = 4_096;
const LONGEST: usize = 1_024;

/// A word for as long as the program runs. Each is kept once.
pub(crate) fn known(text: &str) -> &'static str {
    static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = words.get(text) {
        return word;
    }
    if words.len() >= MOST || text.len() > LONGEST {
        return "?";
    }
    let word: &'static str = Box::leak(Box::from(text));
    words.insert(word);
    word
}

/// For `#[serde(with)]` of a word.
pub(crate) mod word {
    use super::{Deserialize, Deserializer, Serialize, Serializer, known};

    pub(crate) fn serialize<S: Serializer>(word: &&'static str, to: S) -> Result<S::Ok, S::Error> {
        word.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static str, D::Error> {
        Ok(known(&String::deserialize(from)?))
    }
}

/// For `#[serde(with)]` of things with a word each.
pub(crate) mod word_list {
    use super::{Deserialize, Deserializer, Serialize, Serializer, known};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(list: &[(T, &'static str)], to: S) -> Result<S::Ok, S::Error> {
        list.serialize(to)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(T, &'static str)>, D::Error> {
        let list: Vec<(T, String)> = Vec::deserialize(from)?;
        Ok(list.into_iter().map(|(thing, word)| (thing, known(&word))).collect())
    }
}
