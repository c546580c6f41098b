//! Events in, bytes out. Whoever has a session and shows each event to both has a recording of it.

use super::{
    Error,
    marks::{Clock, Marks},
    message::{Begins, Keeps, Mark, MarkKind, SegmentHead, SegmentTail},
    nanos,
    segment::Writing,
};
use crate::{
    session::Session,
    update::{BeginMode, Event, Part},
};
use std::time::Duration;

/// What was recorded is passed on this often: so much is lost when the recorder is killed.
const FLUSHED_EVERY: Duration = Duration::from_secs(1);

/// What a recorder makes.
#[derive(Debug, Clone)]
pub enum Out {
    /// A segment begins.
    Begin(SegmentHead),
    /// More of it.
    Bytes(Vec<u8>),
    /// It is complete.
    End(SegmentTail),
}

/// Makes bytes of a session's events.
#[derive(Default)]
pub struct Recorder {
    segment: Option<Writing>,
    tail: SegmentTail,
    marks: Marks,
    clock: Clock,
    /// Whether pages of an update are still to come.
    is_within: bool,
    flushed: Duration,
    /// How many segments were begun, or left out.
    begun: u64,
    out: Vec<Out>,
}

impl Recorder {
    /// Of a session that has yet to hear of anything, or of one that goes on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an event, which `before` has yet to take in: `at` since the recording began, and by the wall clock in nanoseconds since the Unix epoch.
    pub fn push(&mut self, at: Duration, wall: u64, event: Event, before: &Session) -> Result<(), Error> {
        if matches!(event, Event::Progress { .. }) {
            return Ok(());
        }
        if self.segment.is_none() {
            self.begin(at, wall, before)?;
        }
        self.add(at, wall, event)
    }

    /// The session has taken the event in.
    pub fn applied(&mut self, at: Duration, session: &Session) -> Result<(), Error> {
        let marks = self.marks.since(at, session);
        self.mark(marks);
        if self.is_full() {
            self.end_segment()?;
        }
        Ok(())
    }

    /// Adds an event to the segment that was begun last.
    pub(super) fn add(&mut self, at: Duration, wall: u64, event: Event) -> Result<(), Error> {
        match &event {
            Event::Update(update) => {
                self.is_within = update.part == Part::More;
                self.tail.updates += u64::from(!self.is_within);
                let now = update.now.filter(|_| update.mode == BeginMode::Alone);
                if let Some(by) = now.and_then(|now| self.clock.told(now, at)) {
                    self.tail.marks.push(Mark { at: nanos(at), kind: MarkKind::ClockSet(by) });
                }
            }
            Event::Begin(begin) if begin.mode == BeginMode::Alone => {
                self.is_within = false;
                self.clock.forget();
                if begin.epoch > 1 {
                    self.tail.marks.push(Mark { at: nanos(at), kind: MarkKind::Restart });
                }
            }
            _ => {}
        }
        self.tail.until = nanos(at);
        if let Some(segment) = &mut self.segment {
            segment.push(at, wall, event)?;
        }
        Ok(())
    }

    /// Notes what the time line is to show.
    pub(super) fn mark(&mut self, marks: Vec<Mark>) {
        self.tail.marks.extend(marks);
    }

    /// What is told of the segment so far.
    pub(super) fn tail(&self) -> &SegmentTail {
        &self.tail
    }

    /// Whether a segment has begun.
    pub(super) fn is_open(&self) -> bool {
        self.segment.is_some()
    }

    /// Whether another segment should begin, and may.
    pub(super) fn is_full(&self) -> bool {
        !self.is_within && self.segment.as_ref().is_some_and(Writing::is_full)
    }

    /// Events were missed: the next segment does not go on where the last one ended.
    pub(super) fn skip(&mut self) {
        self.begun += 1;
    }

    /// What there is by now. Once a second all that was recorded is there; so much is lost at most by those who are killed.
    pub fn take(&mut self, at: Duration) -> Result<Vec<Out>, Error> {
        if at.saturating_sub(self.flushed) >= FLUSHED_EVERY {
            self.flush()?;
            self.flushed = at;
        }
        Ok(self.out())
    }

    /// Ends the segment, and has everything there. The next event begins another.
    pub fn end(&mut self) -> Result<Vec<Out>, Error> {
        self.end_segment()?;
        Ok(self.out())
    }

    /// What comes next does not go on from here: the segment ends, and the next one has not the number that it would have.
    pub(super) fn leave_out(&mut self) -> Result<Vec<Out>, Error> {
        let out = self.end()?;
        self.begun += 1;
        Ok(out)
    }

    fn end_segment(&mut self) -> Result<(), Error> {
        let Some(segment) = self.segment.take() else { return Ok(()) };
        self.out.push(Out::Bytes(segment.finish()?));
        self.out.push(Out::End(std::mem::take(&mut self.tail)));
        Ok(())
    }

    /// Begins a segment with a state.
    pub(super) fn begin(&mut self, at: Duration, wall: u64, session: &Session) -> Result<(), Error> {
        let is_anew = self.begun == 0 && session.model().now().is_none();
        let begins = if is_anew { Begins::Anew } else { Begins::With(Session::STATE) };
        let keeps = if session.model().outlined().is_some() { Keeps::Outline } else { Keeps::All };
        let head = SegmentHead { number: self.begun, at: nanos(at), wall, begins, keeps };
        self.begun += 1;
        self.tail.until = head.at;
        self.out.push(Out::Begin(head));
        self.segment = Some(Writing::begin(session)?);
        self.flush()
    }

    /// All that was recorded is there.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if let Some(segment) = &mut self.segment {
            let bytes = segment.flush()?;
            self.out.push(Out::Bytes(bytes));
        }
        Ok(())
    }

    /// What there is by now, whether or not that is all.
    pub(super) fn out(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.out)
    }
}
