//! The past that an agent keeps by itself, as it hands it out or writes it to a file: frames of zstd, each a whole state and what came after it.
//!
//! What comes out of it is what a link would have told meanwhile. A state after the first is what is known already: of what it does not name any more, the end is told.

use super::codec::holdup::{decode, described};
use crate::update::{Begin, Connection, Event, OpId, Part, ResourceId, Stamp, TaskId, Update};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    io::{self, Cursor, Read},
};
use zstd::stream::read::Decoder;

/// The magic numbers of what it begins with, and of what follows.
const HEADER: u32 = 0x184D_2A54;
const ZSTD: u32 = 0xFD2F_B528;

/// What it begins with.
const WHAT: &[u8] = b"holdup past 1\n";

/// An agent packs with less than this looks back.
const WINDOW_LOG: u32 = 24;

/// A report longer than this no agent sends.
const LONGEST: u64 = 64 << 20;

/// More than any past unpacks to.
const MOST: u64 = 16 << 30;

/// No more rows of a kind, and no more kinds of losses, are followed: no agent has more.
const MOST_ROWS: usize = 4_000_000;
const MOST_KINDS: usize = 128;

/// What the kinds of what could not be told begin with: those are counted for each who is told.
const UNSENT: &str = "unsent-";

/// Why a past cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPast {
    /// It is something else.
    #[error("it is no past that an agent kept")]
    Other,
    /// Nothing is in it.
    #[error("the agent has kept nothing yet, or a state of it is too large to be kept")]
    Empty,
}

/// What is in it, event by event.
pub struct Past {
    bytes: Cursor<Vec<u8>>,
    /// How much was unpacked so far.
    unpacked: u64,
    frame: Option<Decoder<'static, Cursor<Vec<u8>>>>,
    /// What is told next.
    next: VecDeque<Event>,
    known: Known,
    /// Whether what is read belongs to a state.
    state: State,
    is_cut: bool,
}

/// Which state is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    /// Another one.
    Again,
    /// None, but what came after it.
    Over,
}

impl Past {
    /// Whether a file that begins so is one.
    pub fn is_one(begins: &[u8]) -> bool {
        let (magic, rest) = begins.split_at_checked(8).unwrap_or_default();
        magic.starts_with(&HEADER.to_le_bytes()) && rest.starts_with(WHAT)
    }

    /// Reads it from its beginning.
    pub fn new(bytes: Vec<u8>) -> Result<Self, NoPast> {
        if !Self::is_one(&bytes) {
            return Err(NoPast::Other);
        }
        let length = u32_at(&bytes, 4) as usize;
        let header = bytes.get(8..).and_then(|rest| rest.get(WHAT.len()..length)).ok_or(NoPast::Other)?;
        let begin = Begin::agent(1, described(header).ok_or(NoPast::Other)?);
        if bytes.len() <= 8 + length {
            return Err(NoPast::Empty);
        }
        let mut bytes = Cursor::new(bytes);
        bytes.set_position(8 + length as u64);
        let next = [Event::Begin(Box::new(begin)), Event::Connection(Connection::Live)].into();
        let (unpacked, known) = (0, Known::default());
        Ok(Self { bytes, unpacked, frame: None, next, known, state: State::First, is_cut: false })
    }

    /// Whether its end is missing, or something of it makes no sense: what comes after that is not read.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next event; `None` at its end.
    pub fn next_event(&mut self) -> Option<Event> {
        while self.next.is_empty() {
            match self.message() {
                Ok(Some(message)) => self.take(&message),
                Ok(None) if self.begin_frame() => {}
                Ok(None) => return None,
                Err(_) => {
                    self.is_cut = true;
                    (self.frame, self.unpacked) = (None, MOST);
                    return None;
                }
            }
        }
        self.next.pop_front()
    }

    /// Goes on to the next frame, if there is one.
    fn begin_frame(&mut self) -> bool {
        let at = usize::try_from(self.bytes.position()).unwrap_or(usize::MAX);
        let Some(left) = self.bytes.get_ref().get(at..).filter(|left| !left.is_empty() && self.unpacked < MOST) else {
            return false;
        };
        let begins = u32_at(left, 0) == ZSTD;
        let rest = std::mem::take(&mut self.bytes);
        let decoder = Decoder::with_buffer(rest).and_then(|mut decoder| {
            decoder.window_log_max(WINDOW_LOG)?;
            Ok(decoder.single_frame())
        });
        match decoder {
            Ok(decoder) if begins => {
                self.state = if self.known.is_any() { State::Again } else { State::First };
                self.known.ask();
                self.frame = Some(decoder);
                true
            }
            _ => {
                self.is_cut = true;
                false
            }
        }
    }

    /// The next message of the frame under way; `None` at its end, and where there is no frame.
    fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let Some(length) = varint(frame)? else {
            self.bytes = self.frame.take().map(Decoder::finish).unwrap_or_default();
            return Ok(None);
        };
        self.unpacked = self.unpacked.saturating_add(length);
        if length > LONGEST || self.unpacked > MOST {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let mut message = Vec::new();
        if frame.take(length).read_to_end(&mut message)? as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(Some(message))
    }

    fn take(&mut self, message: &[u8]) {
        for mut page in decode(message) {
            self.known.note(&mut page, self.state);
            if page.part == Part::Last && self.state != State::Over {
                if self.state == State::Again {
                    self.known.end(&mut page);
                }
                self.state = State::Over;
            }
            self.next.push_back(Event::Update(Box::new(page)));
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// The length before a message; `None` at the end.
fn varint(from: &mut impl Read) -> io::Result<Option<u64>> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        if from.read(&mut byte)? == 0 {
            let is_end = shift == 0;
            return if is_end { Ok(None) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) };
        }
        let [byte] = byte;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Err(io::Error::from(io::ErrorKind::InvalidData))
}

/// What was told of, and not of its end.
#[derive(Debug, Default)]
struct Known {
    tasks: Rows<TaskId>,
    resources: Rows<ResourceId>,
    ops: Rows<OpId>,
    /// Of the latest panic. A state has the latest ones again.
    panicked: Option<Stamp>,
    /// What could not be told, by kind: in the segments before, and in all. Each segment counts from zero.
    unsent: HashMap<String, [u64; 2]>,
}

#[derive(Debug)]
struct Rows<I> {
    alive: HashSet<I>,
    /// Those that a state has yet to name.
    asked: HashSet<I>,
}

impl<I> Default for Rows<I> {
    fn default() -> Self {
        Self { alive: HashSet::new(), asked: HashSet::new() }
    }
}

impl<I: Eq + Hash + Copy> Rows<I> {
    fn note(&mut self, ids: impl Iterator<Item = (I, bool)>) {
        for (id, is_over) in ids {
            self.asked.remove(&id);
            if is_over {
                self.alive.remove(&id);
            } else if self.alive.len() < MOST_ROWS {
                self.alive.insert(id);
            }
        }
    }

    fn gone(&mut self, ids: &[I]) {
        self.note(ids.iter().map(|id| (*id, true)));
    }

    fn end(&mut self, gone: &mut Vec<I>) {
        for id in self.asked.drain() {
            self.alive.remove(&id);
            gone.push(id);
        }
    }
}

impl Known {
    fn is_any(&self) -> bool {
        !(self.tasks.alive.is_empty() && self.resources.alive.is_empty() && self.ops.alive.is_empty())
            || self.panicked.is_some()
    }

    /// A state begins.
    fn ask(&mut self) {
        self.tasks.asked.clone_from(&self.tasks.alive);
        self.resources.asked.clone_from(&self.resources.alive);
        self.ops.asked.clone_from(&self.ops.alive);
        for [before, all] in self.unsent.values_mut() {
            *before = *all;
        }
    }

    fn note(&mut self, page: &mut Update, state: State) {
        self.tasks.note(page.task_stats.iter().map(|(id, stats)| (*id, stats.dropped.is_some())));
        self.resources.note(page.resource_stats.iter().map(|(id, stats)| (*id, stats.dropped.is_some())));
        self.ops.note(page.op_stats.iter().map(|(id, stats)| (*id, stats.dropped.is_some())));
        self.tasks.gone(&page.gone_tasks);
        self.resources.gone(&page.gone_resources);
        self.ops.gone(&page.gone_ops);
        if state == State::Again {
            page.panics.retain(|panic| Some(panic.at) > self.panicked);
        }
        for loss in page.losses.iter_mut().flatten().filter(|loss| loss.kind.starts_with(UNSENT)) {
            if self.unsent.len() >= MOST_KINDS && !self.unsent.contains_key(&loss.kind) {
                continue;
            }
            let [before, all] = self.unsent.entry(loss.kind.clone()).or_default();
            loss.count = loss.count.saturating_add(*before);
            *all = loss.count;
        }
        self.panicked = page.panics.iter().map(|panic| Some(panic.at)).fold(self.panicked, Ord::max);
    }

    /// A state is over: what it does not name is not there any more.
    fn end(&mut self, page: &mut Update) {
        self.tasks.end(&mut page.gone_tasks);
        self.resources.end(&mut page.gone_resources);
        self.ops.end(&mut page.gone_ops);
    }
}

#[cfg(test)]
mod tests;
