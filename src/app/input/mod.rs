//! What the user does, as keys, lines of text and events, and which action each of it means.

pub(crate) mod bindings;
pub(crate) mod event;
pub(crate) mod key;
pub(crate) mod line;
pub(crate) mod twice;
