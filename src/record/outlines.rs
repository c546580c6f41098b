//! What is kept of the past where there is no room for all of it: what was found at instants some seconds from one another, with what that names.

use super::{
    Error,
    history::Segment,
    message::{Begins, Keeps, Mark, SegmentHead, SegmentTail},
    nanos, segment,
};
use crate::session::{Outlining, Session};
use std::{collections::VecDeque, time::Duration};

/// How far they are from one another, where there is room for that.
const EVERY: Duration = Duration::from_secs(10);

/// What takes more than this part of their room would leave too little for others.
const SHARE: usize = 4;

/// The outlines of a session, each as a segment.
pub(super) struct Outlines {
    all: VecDeque<Segment>,
    /// What happened since the latest of them.
    marks: Vec<Mark>,
    lasts: Duration,
    /// How many bytes they take at most.
    bytes: usize,
    every: Duration,
}

impl Outlines {
    pub(super) fn new(lasts: Duration, bytes: usize) -> Self {
        Self { all: VecDeque::new(), marks: Vec::new(), lasts, bytes, every: EVERY }
    }

    /// How far the next one is from the latest.
    pub(super) fn every(&self) -> Duration {
        self.every
    }

    pub(super) fn mark(&mut self, marks: &[Mark]) {
        self.marks.extend_from_slice(marks);
    }

    /// Adds one, and lets go of what is too old or too much.
    pub(super) fn add(&mut self, at: Duration, wall: u64, outline: Outlining) -> Result<(), Error> {
        let bytes = segment::of_outline(at, wall, &outline.finish())?;
        // So that all of the time fits, if they stay as large.
        self.every = EVERY.max(self.lasts.mul_f64(bytes.len() as f64 / self.bytes.max(1) as f64));
        if bytes.len() <= self.bytes / SHARE {
            let begins = Begins::With(Session::STATE);
            let head = SegmentHead { number: 0, at: nanos(at), wall, begins, keeps: Keeps::Outline };
            let tail = SegmentTail { until: head.at, updates: 0, marks: std::mem::take(&mut self.marks) };
            self.all.push_back(Segment { head, bytes: bytes.into(), tail });
        }
        let from = nanos(at.saturating_sub(self.lasts));
        let mut taken: usize = self.all.iter().map(|segment| segment.bytes.len()).sum();
        while let Some(first) = self.all.front()
            && (first.head.at < from || taken > self.bytes)
        {
            taken -= first.bytes.len();
            self.all.pop_front();
        }
        self.marks.retain(|mark| mark.at >= from);
        Ok(())
    }

    /// These segments, and between them what is known of instants that are in none of them.
    pub(super) fn beside(&self, whole: Vec<Segment>) -> Vec<Segment> {
        let is_whole = |at: u64| whole.iter().any(|segment| (segment.head.at..=segment.tail.until).contains(&at));
        let (mut outlines, mut carried) = (Vec::<Segment>::new(), Vec::new());
        for outline in &self.all {
            carried.extend(outline.tail.marks.iter().filter(|mark| !is_whole(mark.at)).cloned());
            if !is_whole(outline.head.at) {
                let mut outline = outline.clone();
                outline.tail.marks = std::mem::take(&mut carried);
                outlines.push(outline);
            }
        }
        carried.extend(self.marks.iter().filter(|mark| !is_whole(mark.at)).cloned());
        if let Some(last) = outlines.last_mut() {
            last.tail.marks.append(&mut carried);
        }
        let mut all = whole;
        all.extend(outlines);
        all.sort_by_key(|segment| segment.head.at);
        // What has no place among the numbers of the others stands before the next one of these.
        let mut next = all.iter().map(|segment| segment.head.number + 1).max().unwrap_or(0);
        for segment in all.iter_mut().rev() {
            match segment.head.keeps {
                Keeps::All => next = segment.head.number,
                Keeps::Outline => segment.head.number = next,
            }
        }
        all
    }
}
