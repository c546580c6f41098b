//! What stands in a recording, and its form: `MessagePack`. What any version is to read has the names of its fields with it; a state has none, and is read
//! by the version that wrote it.

use super::{Error, rows::Rows, unpack};
use crate::{
    diagnose::{FindingId, Severity},
    session::Session,
    update::Event,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;

/// The format. What is added to it is skipped by those who do not know it; what they could not go without raises this.
pub(super) const FORMAT: u32 = 1;

/// A message longer than this nobody wrote.
const LONGEST: usize = 1 << 30;

/// What a recording is of. It comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// The version of holdup that wrote it.
    pub version: String,
    /// What was asked for, as it was typed.
    pub target: String,
    /// The recorder's wall clock at its beginning, in nanoseconds since the Unix epoch.
    pub wall: u64,
}

impl Header {
    /// Of what this version records.
    pub fn new(target: &str, wall: u64) -> Self {
        Self { format: FORMAT, version: env!("CARGO_PKG_VERSION").into(), target: target.into(), wall }
    }
}

/// What a segment begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Begins {
    /// A session of which nothing is known yet.
    Anew,
    /// The state of one, in this form.
    With(u32),
}

/// What of the session is in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Keeps {
    /// All that there was.
    #[default]
    All,
    /// What was found, the tasks and locks that this names, and sums of the others, as of one instant.
    Outline,
}

impl Keeps {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks it so")]
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

/// What stands before a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHead {
    /// From 0, as the recorder counts: a file may begin with a later one.
    pub number: u64,
    /// When it begins, in nanoseconds since the recording did, by a clock that nobody sets.
    pub at: u64,
    /// The same by the recorder's wall clock.
    pub wall: u64,
    /// What it begins with.
    pub begins: Begins,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Keeps::is_all")]
    pub keeps: Keeps,
}

/// What stands after a segment that is complete.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SegmentTail {
    /// When its last event was.
    pub until: u64,
    /// How many complete updates are in it.
    pub updates: u64,
    /// What began and ended in it.
    pub marks: Vec<Mark>,
}

/// Something that the time line shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, in nanoseconds since the recording began.
    pub at: u64,
    /// What.
    pub kind: MarkKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkKind {
    /// A finding began, or began again.
    Begins(FindingMark),
    /// A finding is over.
    Ends(FindingMark),
    /// Another process answers, or the same one after the link was lost.
    Restart,
    /// The target's clock was set, by so many nanoseconds.
    ClockSet(i64),
}

/// A finding, as the time line shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingMark {
    /// Its number.
    pub id: FindingId,
    /// How bad it got.
    pub severity: Severity,
    /// Its lint.
    pub lint: String,
}

/// An event as it is written down.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    pub(super) at: u64,
    pub(super) wall: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<Rows>,
    pub(super) event: &'a Event,
}

/// An event as it is read.
#[derive(Deserialize)]
pub(super) struct Read {
    pub(super) at: u64,
    #[serde(default)]
    pub(super) wall: u64,
    #[serde(default)]
    pub(super) rows: Option<Rows>,
    pub(super) event: Event,
}

/// An event of a recording.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    /// Since the recording began.
    pub(super) at: Duration,
    /// The recorder's wall clock, in nanoseconds since the Unix epoch.
    pub(super) wall: u64,
    pub(super) event: Event,
}

/// With the names of fields.
pub(super) fn named(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    Ok(rmp_serde::to_vec_named(value)?)
}

/// A session, in the form that this version reads.
pub(super) fn state(session: &Session) -> Result<Vec<u8>, Error> {
    Ok(rmp_serde::to_vec(session)?)
}

/// `None` where it is not what was written.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    unpack::from_slice(bytes).ok()
}

/// Puts a message after others.
pub(super) fn push(message: &[u8], to: &mut impl std::io::Write) -> std::io::Result<()> {
    let length = u32::try_from(message.len()).map_err(std::io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(message)
}

/// Takes the next message from the front; `None` where none is complete.
pub(super) fn pop<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > LONGEST {
        return None;
    }
    let (message, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(message)
}
