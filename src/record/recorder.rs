//! Events in, bytes out. Whoever has a session and shows each event to both has a recording of it.

use super::{
    Error, frame,
    frame::Kind,
    message::{Begins, FindingMark, Header, Mark, MarkKind, SegmentHead, SegmentTail},
    nanos,
    segment::Writing,
};
use crate::{
    diagnose::{Finding, FindingId, Status},
    session::Session,
    update::{BeginMode, Event, Part},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What was recorded is passed on this often: so much is lost when the recorder is killed.
const FLUSHED_EVERY: Duration = Duration::from_secs(1);

/// Where a segment stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) head: SegmentHead,
    pub(super) tail: SegmentTail,
}

/// The index of a file, which is its last part where it was closed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) segments: Vec<Entry>,
}

/// Makes bytes of a session's events.
pub struct Recorder {
    segment: Option<(SegmentHead, Writing)>,
    tail: SegmentTail,
    /// Findings that were active last, and how often the order of all had changed by then.
    active: FxHashMap<FindingId, FindingMark>,
    reordered: Option<u64>,
    /// Whether pages of an update are still to come.
    is_within: bool,
    is_anew: bool,
    flushed: Duration,
    out: Vec<u8>,
    /// Bytes that were passed on, those in `out` included.
    written: u64,
    /// Where the segment that is being written begins.
    begun_at: u64,
    index: Index,
}

impl Recorder {
    /// Begins a recording.
    pub fn new(header: &Header) -> Result<Self, Error> {
        let mut recorder = Self {
            segment: None,
            tail: SegmentTail { until: 0, updates: 0, marks: Vec::new() },
            active: FxHashMap::default(),
            reordered: None,
            is_within: false,
            is_anew: true,
            flushed: Duration::ZERO,
            out: Vec::new(),
            written: 0,
            begun_at: 0,
            index: Index { segments: Vec::new() },
        };
        recorder.pass_on(frame::write(Kind::Header, header)?);
        Ok(recorder)
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
        if let Some((_, segment)) = &mut self.segment {
            segment.push(at, wall, event)?;
        }
        Ok(())
    }

    /// The session has taken the event in.
    pub fn applied(&mut self, at: Duration, session: &Session) -> Result<(), Error> {
        self.mark(at, session);
        if !self.is_within && self.segment.as_ref().is_some_and(|(_, segment)| segment.is_full()) {
            self.end()?;
        }
        Ok(())
    }

    /// What is to be passed on by now, if anything is.
    pub fn take(&mut self, at: Duration) -> Result<Vec<u8>, Error> {
        if at.saturating_sub(self.flushed) >= FLUSHED_EVERY {
            self.flush()?;
            self.flushed = at;
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// All that is left, and the index.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        self.end()?;
        let index = frame::write(Kind::Index, &self.index)?;
        self.pass_on(index);
        Ok(self.out)
    }

    /// How many bytes it has made.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Ends the segment: the next event begins another.
    pub fn end(&mut self) -> Result<(), Error> {
        let Some((head, segment)) = self.segment.take() else { return Ok(()) };
        self.pass_on(segment.finish()?);
        let tail = std::mem::replace(&mut self.tail, SegmentTail { until: 0, updates: 0, marks: Vec::new() });
        let (offset, length) = (self.begun_at, self.written - self.begun_at);
        let written = frame::write(Kind::Tail, &tail)?;
        self.index.segments.push(Entry { offset, length, head, tail });
        self.pass_on(written);
        Ok(())
    }

    fn begin(&mut self, at: Duration, wall: u64, session: &Session) -> Result<(), Error> {
        let number = self.index.segments.len() as u64;
        let is_anew = std::mem::take(&mut self.is_anew) && session.model().now().is_none();
        let begins = if is_anew { Begins::Anew } else { Begins::With(Session::STATE) };
        let head = SegmentHead { number, at: nanos(at), wall, begins };
        self.pass_on(frame::write(Kind::Head, &head)?);
        self.begun_at = self.written;
        self.tail.until = head.at;
        self.segment = Some((head, Writing::begin(session)?));
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        if let Some((_, segment)) = &mut self.segment {
            let bytes = segment.flush()?;
            self.pass_on(bytes);
        }
        Ok(())
    }

    fn pass_on(&mut self, bytes: Vec<u8>) {
        self.written += bytes.len() as u64;
        self.out.extend(bytes);
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
