//! All runtimes and workers at one moment, with what only a look back can tell: busy time during a poll, and verdicts.

use crate::{
    clock::Nanos,
    collect::{
        task::slot::{is_job, wakes_are_collected},
        threads::{self, Polling, Thread},
    },
    runtimes::{
        Lasting, Runtime, WorkerId, busy, driver, forget, gaps, known, metrics, processor, turns,
        verdict::{self, Verdict},
    },
    standstills,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    thread::ThreadId,
    time::Duration,
};

/// How long a runtime must have shown no sign of life to be let go.
const LIFELESS: Duration = Duration::from_secs(2);

/// All of them at one moment.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) runtimes: Vec<RuntimeRow>,
    pub(crate) workers: Vec<WorkerRow>,
}

#[derive(Debug)]
pub(crate) struct RuntimeRow {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) workers: u32,
    pub(crate) whole: metrics::Whole,
    pub(crate) verdicts: Vec<Verdict>,
    /// Whether some thread drives it, where that can be told.
    pub(crate) driven: Option<bool>,
    /// How long its driver had no turn of late, at the longest; `None` where wakes are not seen.
    pub(crate) driver_gap: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct WorkerRow {
    pub(crate) id: WorkerId,
    /// The thread that it is now; `None` where that has polled nothing yet.
    pub(crate) thread: Option<Arc<Thread>>,
    pub(crate) polling: Option<Polling>,
    /// Time not spent parked.
    pub(crate) busy: Duration,
    pub(crate) metrics: metrics::Worker,
    /// How long its present thread has waited for a processor; `None` where the system does not count it.
    pub(crate) cpu_wait: Option<Duration>,
}

/// Takes samples, and remembers what the next one needs.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// How long a poll, or a state of a runtime, must last to be worth a verdict.
    threshold: Duration,
    runtimes: HashMap<u64, Remembered>,
}

/// What is remembered of one runtime.
#[derive(Debug, Default)]
struct Remembered {
    busy: Vec<busy::Busy>,
    waits: Vec<processor::Waits>,
    verdicts: verdict::History,
    turns: turns::Turns,
    gaps: gaps::Gaps,
    /// Its workers' parks and unparks, and since when they have not moved while it looked dead.
    lifeless: Option<(Vec<u64>, Nanos)>,
}

impl Sampler {
    pub(crate) fn new(threshold: Duration) -> Self {
        Self { threshold, runtimes: HashMap::new() }
    }

    /// Everything as it is at `now`. Runtimes that have ended are let go.
    pub(crate) fn sample(&mut self, now: Nanos) -> Sample {
        let threads: HashMap<ThreadId, Arc<Thread>> =
            threads::all().into_iter().map(|thread| (thread.id, thread)).collect();
        let known = known();
        let ids: HashSet<u64> = known.iter().map(|runtime| runtime.id).collect();
        self.runtimes.retain(|id, _| ids.contains(id));
        let mut sample = Sample { runtimes: Vec::new(), workers: Vec::new() };
        for runtime in known {
            let remembered = self.runtimes.entry(runtime.id).or_default();
            let whole = metrics::whole(&runtime);
            let workers = remembered.workers(&runtime, &threads, now);
            if remembered.has_ended(whole, &workers, now) {
                forget(runtime.id);
                self.runtimes.remove(&runtime.id);
                continue;
            }
            let lasting = Lasting { threshold: self.threshold, now };
            let verdicts = remembered.verdicts.judge(&facts(whole, &workers, lasting), lasting);
            let driven = remembered.turns.driven(runtime.flavor, &workers, now);
            let gap = remembered.gaps.at(now, &workers);
            let driver_gap = wakes_are_collected().then_some(gap);
            let count = workers.len() as u32;
            sample.workers.extend(workers);
            sample.runtimes.push(RuntimeRow { runtime, workers: count, whole, verdicts, driven, driver_gap });
        }
        sample
    }
}

impl Remembered {
    fn workers(&mut self, runtime: &Runtime, threads: &HashMap<ThreadId, Arc<Thread>>, now: Nanos) -> Vec<WorkerRow> {
        let count = metrics::workers(runtime);
        self.busy.resize_with(count as usize, busy::Busy::default);
        self.waits.resize_with(count as usize, processor::Waits::default);
        self.busy
            .iter_mut()
            .zip(&mut self.waits)
            .zip(0..count)
            .map(|((busy, waits), index)| {
                let metrics = metrics::worker(runtime, index);
                let thread = metrics::thread(runtime, index).and_then(|id| threads.get(&id)).cloned();
                let polling =
                    thread.as_ref().and_then(|thread| thread.polling()).filter(|polling| !is_job(polling.task));
                let state =
                    busy::WorkerState { flavor: runtime.flavor, polling_since: polling.map(|polling| polling.since) };
                let busy = busy.at(now, &metrics, state);
                let cpu_wait = thread.as_ref().and_then(|thread| waits.at(now, thread.tid));
                WorkerRow { id: WorkerId { runtime: runtime.id, index }, thread, polling, busy, metrics, cpu_wait }
            })
            .collect()
    }

    /// Whether the runtime is no more. Tokio does not tell: but one that has no task, polls nothing, and has workers that are
    /// not parked and do nothing all the same, has either ended or is one that nobody blocks on. Both are no loss, for a
    /// runtime is met again at its next poll.
    fn has_ended(&mut self, whole: metrics::Whole, workers: &[WorkerRow], now: Nanos) -> bool {
        let still = workers.iter().all(|worker| worker.polling.is_none() && worker.metrics.parks_and_unparks % 2 == 0);
        if whole.alive_tasks > 0 || !still {
            self.lifeless = None;
            return false;
        }
        let counts: Vec<u64> =
            workers.iter().map(|worker| worker.metrics.parks_and_unparks + worker.metrics.polls).collect();
        match &self.lifeless {
            Some((seen, since)) if *seen == counts => standstills::lasted(*since, now) >= LIFELESS,
            _ => {
                self.lifeless = Some((counts, now));
                false
            }
        }
    }
}

fn facts(whole: metrics::Whole, workers: &[WorkerRow], lasting: Lasting) -> verdict::Facts {
    // The system is asked about threads only when there is a long poll that could be in the way of I/O.
    let some_stuck = workers.iter().filter_map(|worker| worker.polling).any(|polling| lasting.since(polling.since));
    let workers = workers.iter().map(|worker| {
        let count = worker.metrics.parks_and_unparks;
        let parked = (count % 2 == 1).then_some(count);
        let tid = worker.thread.as_ref().map(|thread| thread.tid);
        verdict::Worker {
            polling_since: worker.polling.map(|polling| polling.since),
            parked,
            waits_for_io: tid.filter(|_| some_stuck && parked.is_some()).and_then(driver::waits_for_io),
            queue_depth: worker.metrics.queue_depth,
        }
    });
    verdict::Facts {
        workers: workers.collect(),
        global_queue_depth: whole.global_queue_depth,
        blocking_queue_depth: whole.blocking_queue_depth,
        blocking_threads: whole.blocking_threads,
        idle_blocking_threads: whole.idle_blocking_threads,
        has_io: whole.io_registrations > 0,
    }
}
