//! What is compared of a spawn location and of a lock: each measure with its unit, and whether more of it is worse.

use super::{
    WINDOWS,
    rule::{self, Least, Sample, Step, Typical},
};
use std::time::Duration;

/// By how much at least two sides must differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// As a share of what it was before.
    pub share: f64,
    /// Of times.
    pub time: Duration,
    /// Of shares: of one worker's time, or of a lock's acquisitions.
    pub part: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { share: 0.1, time: Duration::from_micros(100), part: 0.01 }
    }
}

/// Numbers of tasks, and events a second, differ by more than this.
const ONE: f64 = 1.0;

/// What a number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Events a second.
    PerSecond,
    /// One worker's time, all of which is 1.
    Worker,
    /// What something is part of, all of which is 1.
    Part,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::PerSecond => "per-second",
            Self::Worker => "workers",
            Self::Part => "share",
            Self::Seconds => "seconds",
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Tasks that live.
    Tasks,
    /// Polls a second.
    Polls,
    /// Time in polls, in workers' time.
    Busy,
    /// Half of all polls are no longer.
    PollMedian,
    /// Of a hundred polls 99 are no longer.
    PollLong,
    /// Half of all waits from wake to poll are no longer.
    WaitMedian,
    /// Of a hundred waits from wake to poll 99 are no longer.
    WaitLong,
    /// Acquisitions a second.
    Acquisitions,
    /// The share of acquisitions that had to wait.
    Contended,
    /// The longest time that somebody waited for it.
    LongestWait,
}

impl Metric {
    /// Those of a spawn location.
    pub const OF_LOCATIONS: [Self; 7] =
        [Self::Tasks, Self::Polls, Self::Busy, Self::PollMedian, Self::PollLong, Self::WaitMedian, Self::WaitLong];

    /// Those of a lock.
    pub const OF_LOCKS: [Self; 3] = [Self::Acquisitions, Self::Contended, Self::LongestWait];

    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Polls => "polls",
            Self::Busy => "busy",
            Self::PollMedian => "poll-p50",
            Self::PollLong => "poll-p99",
            Self::WaitMedian => "wake-to-poll-p50",
            Self::WaitLong => "wake-to-poll-p99",
            Self::Acquisitions => "acquisitions",
            Self::Contended => "contended",
            Self::LongestWait => "longest-wait",
        }
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Self::Tasks => Unit::Count,
            Self::Polls | Self::Acquisitions => Unit::PerSecond,
            Self::Busy => Unit::Worker,
            Self::Contended => Unit::Part,
            Self::PollMedian | Self::PollLong | Self::WaitMedian | Self::WaitLong | Self::LongestWait => Unit::Seconds,
        }
    }

    fn least(self, thresholds: &Thresholds) -> Least {
        let amount = match self.unit() {
            Unit::Count | Unit::PerSecond => ONE,
            Unit::Worker | Unit::Part => thresholds.part,
            Unit::Seconds => thresholds.time.as_secs_f64(),
        };
        Least { share: thresholds.share, amount }
    }

    /// What more of it is. How much there is to do is the load's business, and neither good nor bad.
    fn of_step(self, step: Step) -> Verdict {
        let is_load = matches!(self.unit(), Unit::Count | Unit::PerSecond);
        match step {
            Step::Same => Verdict::Same,
            _ if is_load => Verdict::Differs,
            Step::Up => Verdict::Worse,
            Step::Down => Verdict::Better,
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it was, as far as can be told.
    Same,
    /// It costs more, or takes longer.
    Worse,
    /// It costs less, or takes less time.
    Better,
    /// There is more or less to do.
    Differs,
    /// A side has too little for anything to be said.
    TooLittle,
    /// A side does not know it.
    NotKnown,
}

impl Verdict {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Differs => "differs",
            Self::TooLittle => "too-little",
            Self::NotKnown => "not-known",
        }
    }

    /// Whether there is anything to tell.
    pub fn is_told(self) -> bool {
        matches!(self, Self::Worse | Self::Better | Self::Differs)
    }

    /// Which of several comes first.
    pub(super) fn weight(self) -> u8 {
        match self {
            Self::Worse => 5,
            Self::Better => 4,
            Self::Differs => 3,
            Self::Same => 2,
            Self::TooLittle => 1,
            Self::NotKnown => 0,
        }
    }
}

/// What was measured on one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// It is typically this.
    Enough(Typical),
    /// There is too little of it, whatever it is.
    TooLittle,
    /// It is not known, and why.
    NotKnown(&'static str),
}

impl Measured {
    /// Of windows that each must have a value.
    pub(super) fn of(windows: usize, samples: &[Sample]) -> Self {
        let typical = Typical::of(samples).filter(|_| windows >= WINDOWS && samples.len() >= WINDOWS);
        typical.map_or(Self::TooLittle, Self::Enough)
    }

    /// The typical value.
    pub fn typical(&self) -> Option<Typical> {
        if let Self::Enough(typical) = self { Some(*typical) } else { None }
    }
}

/// One measure on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// Which.
    pub metric: Metric,
    /// Before.
    pub before: Measured,
    /// After.
    pub after: Measured,
    /// What came of it.
    pub verdict: Verdict,
}

impl Compared {
    pub(super) fn new(metric: Metric, before: Measured, after: Measured, thresholds: &Thresholds) -> Self {
        let verdict = match (&before, &after) {
            (Measured::NotKnown(_), _) | (_, Measured::NotKnown(_)) => Verdict::NotKnown,
            (Measured::Enough(before), Measured::Enough(after)) => {
                metric.of_step(rule::step(before, after, metric.least(thresholds)))
            }
            _ => Verdict::TooLittle,
        };
        Self { metric, before, after, verdict }
    }

    /// Why it is not known, where it is not.
    pub fn why_not(&self) -> Option<&'static str> {
        [&self.before, &self.after].into_iter().find_map(|side| match side {
            Measured::NotKnown(why) => Some(*why),
            _ => None,
        })
    }
}
