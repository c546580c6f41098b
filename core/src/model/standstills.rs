//! When the process as a whole stood still: a signal stopped it, a debugger or the freezer of its container, or its machine was. Whatever
//! was going on when it began lasted longer for that, and nobody in the process is to blame.
//!
//! An agent tells it. A console does not, but its updates leap: they come at one interval, so that a clock which passed over several of
//! them was not looked at. That may also be because the console's own thread got no processor, or had too many rows to send; so it
//! counts where the tasks, too, were polled no more often than in the time that is left. A service that polls little tells nothing by
//! that, and nothing is said of it.

use crate::update::{Stamp, Standstill};
use std::{collections::VecDeque, time::Duration};

/// So many are kept, the latest.
const MOST: usize = 128;

/// So many updates tell how often they come, and how often tasks are polled.
const RHYTHM: usize = 32;

/// Fewer do not.
const RHYTHM_LEAST: usize = 5;

/// The latest so many tell how often tasks are polled at the least.
const STEADY: usize = 10;

/// An update that comes less than this too late came in time.
const LEAP: Duration = Duration::from_millis(500);

/// So many polls must be missing.
const POLLS_LEAST: f64 = 20.0;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stood {
    /// From when it was last seen to run to when it was seen to run again.
    pub span: Standstill,
    /// How long it stood still, at least.
    pub least: Duration,
}

/// All that are known.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Standstills {
    known: VecDeque<Stood>,
    /// Between the update before and the one that is under way: what that comes to is known when it is complete.
    suspected: Option<Standstill>,
    /// How long after the one before each update came that came in time, and the polls in between.
    rhythm: VecDeque<(Duration, u64)>,
    polls: u64,
}

impl Standstills {
    /// Those that are known, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Stood> {
        self.known.iter()
    }

    /// How much of this span the process stood still, or may have.
    pub fn within(&self, from: Stamp, to: Stamp) -> Duration {
        let may_overlap = |span: &Standstill| span.to > from;
        let latest = self.suspected.or(self.known.back().map(|stood| stood.span));
        if !latest.as_ref().is_some_and(may_overlap) {
            return Duration::ZERO;
        }
        let spans = self.known.iter().map(|stood| stood.span).chain(self.suspected);
        spans.map(|span| span.to.min(to).since(span.from.max(from))).sum()
    }

    /// Takes in what is told. It may be told again, or in pieces.
    pub(super) fn tell(&mut self, told: impl IntoIterator<Item = Standstill>) {
        for span in told {
            if let Some(last) = self.known.back_mut().filter(|last| last.span.to == span.from && span.from < span.to) {
                last.span.to = span.to;
                last.least = span.to.since(last.span.from);
                continue;
            }
            // What is before another, or overlaps it, was told before: they come in their order.
            if self.known.back().is_none_or(|last| last.span.to <= span.from) && span.from < span.to {
                self.note(Stood { span, least: span.to.since(span.from) });
            }
        }
    }

    /// An update begins: whether its clock has leapt.
    pub(super) fn begin(&mut self, previous: Option<Stamp>, now: Stamp) {
        self.suspected =
            previous.filter(|&from| self.late(now.since(from)).is_some()).map(|from| Standstill { from, to: now });
    }

    /// Tasks were polled so often since the update before.
    pub(super) fn polled(&mut self, polls: u64) {
        self.polls = self.polls.saturating_add(polls);
    }

    /// An update of a console is complete.
    pub(super) fn judge(&mut self, previous: Option<Stamp>, now: Stamp) {
        let polls = std::mem::take(&mut self.polls);
        let suspected = self.suspected.take();
        let Some(previous) = previous else { return };
        let gap = now.since(previous);
        let Some((span, least)) = suspected.zip(self.late(gap)) else {
            if self.rhythm.len() == RHYTHM {
                self.rhythm.pop_front();
            }
            self.rhythm.push_back((gap, polls));
            return;
        };
        // As often as they are always polled: of one that is busy now and then nothing follows.
        let rates =
            self.rhythm.iter().rev().take(STEADY).map(|(gap, polls)| *polls as f64 / gap.as_secs_f64().max(1e-6));
        let rate = rates.fold(f64::INFINITY, f64::min);
        let missing = rate * least.as_secs_f64();
        // Half of those that would be missing, for a service's load goes up and down.
        if missing >= POLLS_LEAST && (polls as f64) < rate * gap.as_secs_f64() - missing / 2.0 {
            self.note(Stood { span, least });
        }
    }

    /// The updates that follow come when somebody asks for them: how often the others came tells nothing of them.
    pub(super) fn begin_anew(&mut self) {
        self.rhythm.clear();
    }

    /// By how much an update is late that comes so long after the one before; `None` where that may be chance.
    fn late(&self, gap: Duration) -> Option<Duration> {
        let usual = self.rhythm.iter().map(|(gap, _)| *gap).max().filter(|_| self.rhythm.len() >= RHYTHM_LEAST)?;
        gap.checked_sub(usual).filter(|&late| late >= LEAP.max(usual / 2))
    }

    fn note(&mut self, stood: Stood) {
        if self.known.len() == MOST {
            self.known.pop_front();
        }
        self.known.push_back(stood);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    /// Updates at these times, each with so many polls; what is known then, in milliseconds.
    fn known(updates: impl IntoIterator<Item = (u64, u64)>) -> Vec<u128> {
        let (mut standstills, mut previous) = (Standstills::default(), None);
        for (now, polls) in updates {
            standstills.begin(previous, at(now));
            standstills.polled(polls);
            standstills.judge(previous, at(now));
            previous = Some(at(now));
        }
        standstills.iter().map(|stood| stood.least.as_millis()).collect()
    }

    /// One each second, with so many polls.
    fn steady(polls: u64) -> impl Iterator<Item = (u64, u64)> {
        (0..10).map(move |second| (second * 1_000, polls))
    }

    #[test]
    fn a_clock_that_leaps_while_nobody_is_polled_is_a_standstill() {
        assert_eq!(known(steady(200).chain([(11_900, 180), (12_900, 200)])), [1_900]);
        assert_eq!(known(steady(200).chain([(13_000, 200)])), [3_000]);
    }

    #[test]
    fn what_is_told_in_pieces_is_one_and_what_is_told_again_no_other() {
        let mut standstills = Standstills::default();
        let span = |from, to| Standstill { from: at(from), to: at(to) };
        standstills.tell([span(0, 400), span(400, 1_100)]);
        standstills.tell([span(400, 1_100), span(1_100, 1_500), span(3_000, 3_200)]);
        let spans: Vec<_> = standstills.iter().map(|stood| (stood.span, stood.least.as_millis())).collect();
        assert_eq!(spans, [(span(0, 1_500), 1_500), (span(3_000, 3_200), 200)]);
    }

    #[test]
    fn a_console_that_is_late_while_tasks_are_polled_is_none() {
        assert_eq!(known(steady(200).chain([(12_000, 580)])), [], "it ran on");
        assert_eq!(known(steady(200).chain([(10_300, 10)])), [], "it may be chance");
        assert_eq!(known(steady(2).chain([(14_000, 0)])), [], "that few are polled tells nothing");
        let bursts = (0..10).map(|second| (second * 1_000, if second == 7 { 9_000 } else { 1 }));
        assert_eq!(known(bursts.chain([(14_000, 0)])), [], "it was busy for a moment");
        assert_eq!(known(steady(200).take(3).chain([(9_000, 0)])), [], "how often updates come is not known yet");
    }

    #[test]
    fn what_is_told_counts_once_and_is_taken_out_of_every_span() {
        let mut standstills = Standstills::default();
        let span = Standstill { from: at(1_000), to: at(3_000) };
        standstills.tell([span]);
        standstills.tell([
            span,
            Standstill { from: at(5_000), to: at(5_500) },
            Standstill { from: at(9_000), to: at(8_000) },
        ]);
        assert_eq!(standstills.iter().count(), 2);
        let within = |from, to| standstills.within(at(from), at(to)).as_millis();
        assert_eq!((within(0, 9_000), within(2_000, 5_100), within(3_000, 5_000)), (2_500, 1_100, 0));
    }
}
