//! Bytes → pages of an update, and back. Total: every input gives a value or a count.
//!
//! ```text
//! walk             pieces of one message → pages of an update           (protobuf: heads of fields)
//!   console, holdup  a format each: what its messages are made of (schema), and one entry → one plain type
//! ```
//!
//! Nothing here panics, allocates more than its input warrants, or fills a gap with a guess. What cannot be used is left
//! out and counted in [`DecodeIssues`]; an entry that is still of use without it is kept. This room does no I/O, and must not know in
//! what order entries come, nor what came before.

pub(super) mod console;
pub(super) mod holdup;
mod protobuf;
mod text;
mod time;
pub(super) mod walk;

use crate::update::DecodeIssues;
use prost::Message;

/// An id without which an entry says nothing.
fn required(id: Option<u64>, issues: &mut DecodeIssues) -> Option<u64> {
    let id = id.filter(|id| *id != 0);
    issues.missing_id += u64::from(id.is_none());
    id
}

/// An entry as its message. One that is none is counted.
fn read<M: Message + Default>(bytes: &[u8], issues: &mut DecodeIssues) -> Option<M> {
    let message = M::decode(bytes).ok();
    issues.malformed += u64::from(message.is_none());
    message
}

#[cfg(test)]
mod tests;
