//! Runtimes and their workers, as text.

use super::words::{plain, span, task_of};
use crate::{
    clock::Nanos,
    runtimes::{
        Flavor,
        sample::{RuntimeRow, Sample, WorkerRow},
        verdict::Kind,
    },
};
use std::io::{self, Write};

pub(super) fn runtimes(out: &mut dyn Write, sample: &Sample, now: Nanos) -> io::Result<()> {
    writeln!(out, "\nruntimes: {}", sample.runtimes.len())?;
    for row in &sample.runtimes {
        runtime(out, row, now)?;
        for worker in sample.workers.iter().filter(|worker| worker.id.runtime == row.runtime.id) {
            self::worker(out, worker, now)?;
        }
    }
    Ok(())
}

fn runtime(out: &mut dyn Write, row: &RuntimeRow, now: Nanos) -> io::Result<()> {
    let RuntimeRow { runtime, workers, whole, verdicts, driven, .. } = row;
    let flavor = match runtime.flavor {
        Flavor::CurrentThread => "current-thread",
        Flavor::MultiThread => "multi-thread",
    };
    let busy = whole.blocking_threads.saturating_sub(whole.idle_blocking_threads);
    writeln!(
        out,
        "  {}: {flavor}, {workers} workers, {} tasks, {} in the global queue, blocking {busy} of {} threads busy, {} jobs queued",
        plain(&runtime.label()),
        whole.alive_tasks,
        whole.global_queue_depth,
        whole.blocking_threads,
        whole.blocking_queue_depth,
    )?;
    if *driven == Some(false) {
        writeln!(out, "    nobody drives it: no block_on, no worker")?;
    }
    for verdict in verdicts {
        let said = match verdict.kind {
            Kind::AllWorkersStuck => "all workers are stuck: nothing on this runtime goes on",
            Kind::DriverBlocked => "the I/O driver is blocked: timers and I/O stand still",
            Kind::QueuedWhileIdle => "tasks are queued while workers are idle",
            Kind::BlockingPoolFull => "the blocking pool is full: jobs wait for a thread",
        };
        writeln!(out, "    {said}, for {}", span(now.since(verdict.since)))?;
    }
    Ok(())
}

fn worker(out: &mut dyn Write, row: &WorkerRow, now: Nanos) -> io::Result<()> {
    write!(out, "    worker {}: ", row.id.index)?;
    match &row.thread {
        Some(thread) => write!(out, "thread {} (tid {}), ", plain(&thread.name), thread.tid)?,
        None => write!(out, "no thread at the moment, ")?,
    }
    match row.polling {
        Some(polling) => write!(out, "polls {} for {}", task_of(polling.task), span(now.since(polling.since)))?,
        None if row.metrics.parks_and_unparks % 2 == 1 => write!(out, "is parked")?,
        None => write!(out, "polls nothing")?,
    }
    write!(out, ", {} queued, {} polls, busy {}", row.metrics.queue_depth, row.metrics.polls, span(row.busy))?;
    if let Some(waited) = row.cpu_wait {
        write!(out, ", its thread waited {} for a processor", span(waited))?;
    }
    writeln!(out)
}
