//! The runtimes of the target, and what the agent judges of the whole of each.

use super::{Agent, tasks::Rate};
use crate::update::{RuntimeId, RuntimeStats, Stamp, VerdictKind};
use std::{collections::VecDeque, time::Duration};

/// So often it is remembered how late timers were.
const LAGS: usize = 16;

/// One runtime.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Runtime {
    /// As last told.
    pub stats: RuntimeStats,
    /// Readiness events per second.
    pub io_rate: Rate,
    /// Since when jobs have waited for the blocking pool while none of its threads was idle; by the agent's own verdict where
    /// it gives one.
    pub blocking_full: Option<Stamp>,
    /// Since when it is told that nobody drives it.
    pub undriven: Option<Stamp>,
    /// For how long the earliest of its timers had been due whenever that was told of late, the latest last.
    lags: VecDeque<(Stamp, Duration)>,
    /// The same of how long its driver had no turn.
    gaps: VecDeque<(Stamp, Duration)>,
}

impl Runtime {
    /// A runtime that is told for the first time.
    pub(super) fn new(now: Stamp) -> Self {
        Self {
            stats: RuntimeStats::default(),
            io_rate: Rate::new(now),
            blocking_full: None,
            undriven: None,
            lags: VecDeque::new(),
            gaps: VecDeque::new(),
        }
    }

    /// Takes in what is told at `now`.
    pub(super) fn tell(&mut self, stats: RuntimeStats, now: Stamp) {
        if self.stats.id == stats.id {
            self.io_rate.observe(stats.io_ready, now);
        } else {
            self.io_rate.start(stats.io_ready, now);
        }
        let told = stats.verdicts.iter().find(|verdict| verdict.kind == VerdictKind::BlockingPoolFull);
        let full = told.is_some() || (stats.blocking_queue > 0 && stats.idle_blocking_threads == 0);
        self.blocking_full = full.then(|| {
            let before = self.blocking_full.unwrap_or(now);
            told.and_then(|verdict| verdict.since).map_or(before, |since| since.min(before))
        });
        self.undriven = (stats.driven == Some(false)).then(|| self.undriven.unwrap_or(now));
        for (known, told) in [(&mut self.lags, stats.timer_lag), (&mut self.gaps, stats.driver_gap)] {
            let Some(told) = told else { continue };
            if known.len() == LAGS {
                known.pop_front();
            }
            known.push_back((now, told));
        }
        self.stats = stats;
    }

    /// For how long the earliest of its timers had been due whenever that was told of late, the latest last.
    pub fn lags(&self) -> impl DoubleEndedIterator<Item = (Stamp, Duration)> {
        self.lags.iter().copied()
    }

    /// How long its driver had no turn whenever that was told of late, the latest last.
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = (Stamp, Duration)> {
        self.gaps.iter().copied()
    }

    /// What it is called, or else its number.
    pub fn label(&self) -> String {
        match self.stats.name.as_str() {
            "" => format!("runtime {}", self.stats.id.0),
            name => name.to_owned(),
        }
    }

    /// Since when a judgement holds, if it does; `now` where the agent does not say since when.
    pub fn verdict(&self, kind: VerdictKind, now: Stamp) -> Option<Stamp> {
        let verdict = self.stats.verdicts.iter().find(|verdict| verdict.kind == kind)?;
        Some(verdict.since.unwrap_or(now))
    }
}

impl Agent {
    /// The runtimes, by id.
    pub fn runtimes(&self) -> &[Runtime] {
        &self.runtimes
    }

    /// One runtime.
    pub fn runtime(&self, id: RuntimeId) -> Option<&Runtime> {
        self.runtimes.iter().find(|runtime| runtime.stats.id == id)
    }

    pub(super) fn tell_runtimes(&mut self, told: Vec<RuntimeStats>, now: Stamp) {
        let mut before = std::mem::take(&mut self.runtimes);
        for stats in told {
            let known = before.iter().position(|runtime| runtime.stats.id == stats.id);
            let mut runtime = known.map_or_else(|| Runtime::new(now), |at| before.swap_remove(at));
            runtime.tell(stats, now);
            self.runtimes.push(runtime);
        }
        self.runtimes.sort_by_key(|runtime| runtime.stats.id);
        self.runtimes.dedup_by_key(|runtime| runtime.stats.id);
    }
}
