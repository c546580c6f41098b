//! A segment: a state, and the events after it, as one frame of zstd with a checksum at its end. What was flushed can be read before it ends.

use super::{
    Error,
    message::{self, Begins, Read, Recorded, Written},
    nanos,
    rows::Told,
};
use crate::{session::Session, update::Event};
use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

/// How hard zstd tries.
const LEVEL: i32 = 3;

/// Another segment is not worth its state before there are so many bytes of events.
const SMALLEST: usize = 16 << 10;

/// A segment is not this many times as large when it is unpacked, and is unpacked up to the first of these sizes in any case, and never beyond the other:
/// what is larger was made to be.
const RATIO: u64 = 256;
const LARGEST: (u64, u64) = (16 << 20, 512 << 20);

/// A segment that is being written.
pub(super) struct Writing {
    zstd: zstd::Encoder<'static, Vec<u8>>,
    told: Told,
    /// How large the state was, compressed, and how much was taken since it began.
    state: usize,
    taken: usize,
}

impl Writing {
    /// Begins with a state.
    pub(super) fn begin(session: &Session) -> Result<Self, Error> {
        let mut zstd = zstd::Encoder::new(Vec::new(), LEVEL)?;
        zstd.include_checksum(true)?;
        message::push(&message::state(session)?, &mut zstd)?;
        zstd.flush()?;
        let state = zstd.get_ref().len();
        Ok(Self { zstd, told: Told::default(), state, taken: 0 })
    }

    pub(super) fn push(&mut self, at: Duration, wall: u64, mut event: Event) -> Result<(), Error> {
        let mut rows = None;
        if let Event::Update(update) = &mut event {
            rows = self.told.write(&std::mem::take(&mut update.task_stats), update.now);
            self.told.forget(&update.gone_tasks);
        }
        let written = message::named(&Written { at: nanos(at), wall, rows, event: &event })?;
        Ok(message::push(&written, &mut self.zstd)?)
    }

    /// What of it was not taken yet. Whoever has this can read all that was pushed.
    pub(super) fn flush(&mut self) -> io::Result<Vec<u8>> {
        self.zstd.flush()?;
        Ok(self.take())
    }

    /// Its last bytes.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        self.zstd.finish()
    }

    /// Whether the events take as much as the state before them, and more than is gone through at once.
    pub(super) fn is_full(&self) -> bool {
        self.taken.saturating_sub(self.state) >= self.state.max(SMALLEST)
    }

    fn take(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self.zstd.get_mut());
        self.taken += bytes.len();
        bytes
    }
}

/// A segment that has an outline of a session, and no more.
pub(super) fn of_outline(at: Duration, wall: u64, session: &Session) -> Result<Vec<u8>, Error> {
    let mut segment = Writing::begin(session)?;
    let mut bytes = segment.take();
    // An instant to go to.
    segment.push(at, wall, Event::Connection(session.status().connection.clone()))?;
    bytes.extend(segment.finish()?);
    Ok(bytes)
}

/// A segment that was read.
pub(super) struct Segment {
    /// The state that it begins with, as it was written.
    pub(super) state: Vec<u8>,
    pub(super) events: Vec<Recorded>,
    /// Whether it ends before its end: it was cut off, is still being written, or is damaged there.
    pub(super) is_cut: bool,
    /// Messages that could not be used.
    pub(super) unread: u64,
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// It is complete: what its checksum denies is not believed.
    Whole,
    /// Its end is not there.
    Open,
}

/// Unpacks a segment. `None` where nothing of it can be believed.
pub(super) fn unpack(bytes: &[u8], extent: Extent) -> Option<Segment> {
    unpack_within(bytes, extent, (bytes.len() as u64 * RATIO).clamp(LARGEST.0, LARGEST.1))
}

pub(super) fn unpack_within(bytes: &[u8], extent: Extent, largest: u64) -> Option<Segment> {
    let mut zstd = zstd::Decoder::with_buffer(bytes).ok()?.single_frame();
    let mut unpacked = Vec::new();
    let end = (&mut zstd).take(largest).read_to_end(&mut unpacked);
    if end.is_err() && extent == Extent::Whole {
        return None;
    }
    let is_cut = end.is_err() || extent == Extent::Open || unpacked.len() as u64 == largest;
    let mut rest = unpacked.as_slice();
    let state = message::pop(&mut rest)?.to_vec();
    let mut segment = Segment { state, events: Vec::new(), is_cut, unread: 0 };
    let mut told = Told::default();
    while let Some(message) = message::pop(&mut rest) {
        match message::read(message).and_then(|read| recorded(read, &mut told)) {
            Some(recorded) => segment.events.push(recorded),
            None => segment.unread += 1,
        }
    }
    Some(segment)
}

fn recorded(read: Read, told: &mut Told) -> Option<Recorded> {
    let Read { at, wall, rows, mut event } = read;
    if let Event::Update(update) = &mut event {
        if let Some(rows) = &rows {
            update.task_stats = told.read(rows, update.now)?;
        }
        told.forget(&update.gone_tasks);
    }
    Some(Recorded { at: Duration::from_nanos(at), wall, event })
}

/// The session that a segment begins with.
pub(super) fn session(state: &[u8], begins: Begins) -> Option<Session> {
    match begins {
        Begins::With(Session::STATE) | Begins::Anew => message::read(state),
        Begins::With(_) => None,
    }
}
