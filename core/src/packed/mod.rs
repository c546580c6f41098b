//! How plain data is written down and read again: what a derived implementation would make large, or would take at its word. Whatever is read,
//! nothing here panics, and what does not hold together is refused.

mod array;
mod column;
mod words;

pub(crate) use array::{read as read_array, write as write_array};
pub use column::{Column, Differences};
pub use words::Word;
pub(crate) use words::{known, word, word_list};

/// Functions for `#[serde(with)]` of an array.
pub(crate) mod fixed {
    pub(crate) use super::{read_array as deserialize, write_array as serialize};
}
