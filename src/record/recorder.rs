//! Events in, bytes out. Whoever has a session and shows each event to both has a recording of it.

use super::{
    Error,
    message::{Begins, FindingMark, Mark, MarkKind, SegmentHead, SegmentTail},
    nanos,
    segment::Writing,
};
use crate::{
    diagnose::{Finding, FindingId, Status},
    session::Session,
    update::{BeginMode, Event, Part},
};
use rustc_hash::FxHashMap;
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
    /// Findings that were active last, and how often the order of all had changed by then.
    active: FxHashMap<FindingId, FindingMark>,
    reordered: Option<u64>,
    /// Whether pages of an update are still to come.
    is_within: bool,
    flushed: Duration,
    /// How many segments were begun.
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
        match &event {
            Event::Update(update) => {
                self.is_within = update.part == Part::More;
                self.tail.updates += u64::from(!self.is_within);
            }
            Event::Begin(begin) if begin.mode == BeginMode::Alone => {
                self.is_within = false;
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

    /// The session has taken the event in.
    pub fn applied(&mut self, at: Duration, session: &Session) -> Result<(), Error> {
        self.mark(at, session);
        if !self.is_within && self.segment.as_ref().is_some_and(Writing::is_full) {
            self.end_segment()?;
        }
        Ok(())
    }

    /// What there is by now. Once a second all that was recorded is there; so much is lost at most by those who are killed.
    pub fn take(&mut self, at: Duration) -> Result<Vec<Out>, Error> {
        if at.saturating_sub(self.flushed) >= FLUSHED_EVERY {
            self.flush()?;
            self.flushed = at;
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// Ends the segment, and has everything there. The next event begins another.
    pub fn end(&mut self) -> Result<Vec<Out>, Error> {
        self.end_segment()?;
        Ok(std::mem::take(&mut self.out))
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

    fn begin(&mut self, at: Duration, wall: u64, session: &Session) -> Result<(), Error> {
        let is_anew = self.begun == 0 && session.model().now().is_none();
        let begins = if is_anew { Begins::Anew } else { Begins::With(Session::STATE) };
        let head = SegmentHead { number: self.begun, at: nanos(at), wall, begins };
        self.begun += 1;
        self.tail.until = head.at;
        self.out.push(Out::Begin(head));
        self.segment = Some(Writing::begin(session)?);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        if let Some(segment) = &mut self.segment {
            let bytes = segment.flush()?;
            self.out.push(Out::Bytes(bytes));
        }
        Ok(())
    }

    /// Marks findings that have begun or are over.
    fn mark(&mut self, at: Duration, session: &Session) {
        let engine = session.engine();
        if self.reordered.replace(engine.reordered()) == Some(engine.reordered()) {
            return;
        }
        let active = engine.findings().take_while(|finding| finding.status == Status::Active);
        let active: FxHashMap<FindingId, FindingMark> = active.map(|finding| (finding.id, mark(finding))).collect();
        let at = nanos(at);
        let begun = active.iter().filter(|(id, _)| !self.active.contains_key(id));
        let over = self.active.iter().filter(|(id, _)| !active.contains_key(id));
        let mut marks: Vec<Mark> = begun.map(|(_, mark)| Mark { at, kind: MarkKind::Begins(mark.clone()) }).collect();
        marks.extend(over.map(|(_, mark)| Mark { at, kind: MarkKind::Ends(mark.clone()) }));
        marks.sort_by_key(|mark| match &mark.kind {
            MarkKind::Begins(mark) | MarkKind::Ends(mark) => mark.id,
            MarkKind::Restart => FindingId(0),
        });
        self.tail.marks.extend(marks);
        self.active = active;
    }
}

fn mark(finding: &Finding) -> FindingMark {
    FindingMark { id: finding.id, severity: finding.severity, lint: finding.lint.name.into() }
}
