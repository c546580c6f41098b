//! What Prometheus is told of the service: sums of what is collected, by runtime, worker, spawn location and lock.
//!
//! Nothing is collected for it, and nothing is waited for: it is made when somebody asks. What an agent concludes by itself are stalls and panics, so that of the lints there are the two
//! that these are; which the others are, whoever runs the lints says.

mod findings;
#[cfg(test)]
mod tests;

use crate::{
    clock::Nanos,
    collect::callsite::tokio_version,
    panics,
    process::Process,
    read::{
        changes,
        totals::{self, Totals},
    },
    runtimes::{
        self,
        sample::{RuntimeRow, Sampler, WorkerRow},
    },
    settings::Settings,
    stalls::record::Stalls,
    standstills,
    view::{Location, Timed},
};
use findings::{Findings, Panicked};
use holdup_metrics::{Doublings, Label, Ledger, Metric, OTHER, Page, Sheet, location};
use rustc_hash::FxHashMap;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Panics that are looked at in one scrape.
const PANICS: usize = 1024;

/// Runtimes whose names are remembered.
const NAMES: usize = 4096;

/// Workers of a runtime are numbered below this.
const WORKERS: u64 = 1 << 16;

/// What is told, for whoever asks again and again.
#[derive(Debug)]
pub(crate) struct Exporter {
    process: Process,
    stalls: Arc<Stalls>,
    /// How much of one processor may be used for it on average.
    share: f64,
    ledger: Ledger,
    sampler: Sampler,
    totals: Totals,
    findings: Findings,
    /// Up to which of the stalls' versions, and which panic, was looked at.
    told: (u64, u64),
    /// What runtimes are, or were, called.
    names: FxHashMap<u64, String>,
    /// What was told last, when, and how long it took to make.
    last: Option<(Page, Instant, Duration)>,
}

impl Exporter {
    pub(crate) fn new(settings: &Settings, process: Process, stalls: &Arc<Stalls>) -> Self {
        Self {
            process,
            stalls: Arc::clone(stalls),
            share: f64::from(settings.cpu) / 1000.0,
            ledger: Ledger::default(),
            sampler: Sampler::new(settings.stall_threshold),
            totals: Totals::default(),
            findings: Findings::default(),
            told: (0, 0),
            names: FxHashMap::default(),
            last: None,
        }
    }

    /// What is to be told now. Whoever asks so often that making it would take more than the agent's share of a processor is told what the one before was.
    pub(crate) fn page(&mut self) -> Page {
        let begun = Instant::now();
        if let Some((page, at, took)) = &self.last
            && begun.duration_since(*at).mul_f64(self.share) < *took
        {
            return page.clone();
        }
        let page = self.make(standstills::notice());
        self.last = Some((page.clone(), begun, begun.elapsed()));
        page
    }

    fn make(&mut self, now: Nanos) -> Page {
        let sample = self.sampler.sample(now);
        if self.names.len() > NAMES {
            self.names.clear();
        }
        let named = sample.runtimes.iter().map(|row| (row.runtime.id, row.runtime.label()));
        self.names.extend(named);
        let mut sheet = self.ledger.sheet();
        let tokio = tokio_version().unwrap_or_default();
        sheet.set(Metric::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        sheet.set(Metric::TargetInfo, &[&self.process.name, "agent", tokio], 1.0);
        sample.runtimes.iter().for_each(|row| runtime(&mut sheet, row));
        sample.workers.iter().for_each(|row| worker(&mut sheet, row, &self.names, now));
        tasks(&mut sheet, &mut self.totals, &self.names);
        locks(&mut sheet);
        losses(&mut sheet);
        let (version, changed) = self.stalls.since(self.told.0);
        let panics = panics::after(self.told.1, PANICS);
        self.told = (version, panics.last().map_or(self.told.1, |panic| panic.number));
        let spawned_at = |task| changes::task(task).and_then(|view| view.location);
        let panicked =
            panics.iter().map(|panic| Panicked { task: panic.task, spawned_at: panic.spawned_at, at: panic.at });
        self.findings.take_in(changed, panicked, spawned_at, now);
        self.findings.tell(&mut sheet, now);
        sheet.finish()
    }
}

fn runtime(sheet: &mut Sheet<'_>, row: &RuntimeRow) {
    let (label, whole) = (row.runtime.label(), row.whole);
    let label = [label.as_str()];
    for (metric, value) in [
        (Metric::Workers, row.workers.into()),
        (Metric::GlobalQueueDepth, whole.global_queue_depth),
        (Metric::AliveTasks, whole.alive_tasks),
        (Metric::BlockingThreads, whole.blocking_threads),
        (Metric::IdleBlockingThreads, whole.idle_blocking_threads),
        (Metric::BlockingQueueDepth, whole.blocking_queue_depth),
    ] {
        sheet.set(metric, &label, value as f64);
    }
    sheet.count_of(Metric::SpawnedTasks, &label, row.runtime.id, whole.spawned_tasks as f64);
}

fn worker(sheet: &mut Sheet<'_>, row: &WorkerRow, names: &FxHashMap<u64, String>, now: Nanos) {
    let (of, index) = (row.id.runtime, row.id.index.to_string());
    let labels = [names.get(&of).map_or(OTHER, String::as_str), index.as_str()];
    let polled = row.polling.map_or(Duration::ZERO, |polling| standstills::lasted(polling.since, now));
    sheet.set(Metric::LocalQueueDepth, &labels, row.metrics.queue_depth as f64);
    sheet.set_time(Metric::CurrentPoll, &labels, polled);
    let source = of * WORKERS + u64::from(row.id.index);
    sheet.count_of(Metric::WorkerBusy, &labels, source, row.busy.as_secs_f64());
    sheet.count_of(Metric::WorkerParks, &labels, source, row.metrics.parks as f64);
    sheet.count_of(Metric::WorkerSteals, &labels, source, row.metrics.steals as f64);
}

fn tasks(sheet: &mut Sheet<'_>, totals: &mut Totals, names: &FxHashMap<u64, String>) {
    let (locations, runtimes) = totals.tasks();
    for of in locations {
        let label = place(of.location);
        for (state, count) in
            [("running", of.living.running), ("scheduled", of.living.scheduled), ("idle", of.living.idle)]
        {
            sheet.set(Metric::Tasks, &[&label, state], count as f64);
        }
        let polls: u64 = of.timed.counted.polls.iter().sum();
        sheet.set(Metric::TaskPolls, &[&label], polls as f64);
        sheet.set_time(Metric::TaskBusy, &[&label], of.timed.polled);
        sheet.set_time(Metric::TaskScheduled, &[&label], of.timed.waited);
    }
    for (id, timed) in runtimes {
        let Timed { counted, polled, waited } = timed;
        if id.is_none() && timed == Timed::default() {
            continue;
        }
        let label =
            id.map_or_else(|| OTHER.to_owned(), |id| names.get(&id).cloned().unwrap_or_else(|| runtimes::label(id)));
        sheet.durations(Metric::PollDuration, &[&label], &Doublings { counts: counted.polls, sum: polled });
        sheet.durations(Metric::ScheduleDelay, &[&label], &Doublings { counts: counted.waits, sum: waited });
    }
}

fn locks(sheet: &mut Sheet<'_>) {
    for (kind, made_at, of) in totals::locks() {
        let labels = [&*place(made_at), kind];
        sheet.set(Metric::LockWaiters, &labels, of.waiters as f64);
        sheet.set(Metric::LockAcquisitions, &labels, of.acquisitions as f64);
        sheet.set_time(Metric::LockWait, &labels, of.waited);
    }
}

fn losses(sheet: &mut Sheet<'_>) {
    for (kind, count) in changes::losses().by_kind(runtimes::not_known()) {
        sheet.set(Metric::LostEvents, &[kind], count as f64);
    }
    let (locations, locks) = totals::folded();
    sheet.folded(Label::Location, locations);
    sheet.folded(Label::Lock, locks);
}

fn place(of: Option<&'static Location>) -> String {
    of.map_or_else(|| OTHER.to_owned(), |of| location(of.file, of.line))
}
