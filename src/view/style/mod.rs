//! How texts, numbers and keys look. Every text that came over the wire goes through `text`.

pub(crate) mod key_names;
pub(crate) mod numbers;
pub(crate) mod text;
pub(crate) mod theme;
