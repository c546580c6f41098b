//! What an agent would tell, for services that are played by hand.

#![allow(dead_code, reason = "each test binary uses a part of this")]

use holdup::{
    source::Process,
    update::{
        Access, Across, Cause, Flavor, Frame, Holder, LockStats, OpId, Place, ResourceId, RuntimeId, RuntimeStats,
        SourcePlace, Stack, Stall, Stamp, TaskId, Thread, Update, Verdict, VerdictKind, Waiting, WorkerId, WorkerStats,
    },
};
use std::{sync::Arc, time::Duration};

/// The runtime of everything here that does not say another one.
pub(crate) const MAIN: RuntimeId = RuntimeId(1);

/// The process of an agent.
pub(crate) fn process() -> Process {
    Process {
        boot_id: "00ff".into(),
        pid: 4242,
        name: "echo-demo".into(),
        detail: "full".into(),
        agent_version: "0.1.0".into(),
        tokio_version: "1.54.1".into(),
        capabilities: [
            "tasks",
            "workers",
            "locks",
            "stalls",
            "stacks",
            "captures",
            "wakers",
            "permits",
            "driver-turns",
            "spawn-times",
        ]
        .map(String::from)
        .into(),
        limitations: vec!["no stacks: /proc/self/task cannot be read".into()],
        ..Process::default()
    }
}

/// A report of an instant, with nothing in it.
pub(crate) fn report(now: Stamp) -> Update {
    let (runtimes, workers, losses) = (Some(Vec::new()), Some(Vec::new()), Some(Vec::new()));
    Update { now: Some(now), runtimes, workers, losses, ..Update::default() }
}

/// The rows of one update and what is told beside them, as of one instant.
pub(crate) fn together(rows: Update, told: Update) -> Update {
    Update {
        metadata: rows.metadata,
        new_tasks: rows.new_tasks,
        task_stats: rows.task_stats,
        new_resources: rows.new_resources,
        resource_stats: rows.resource_stats,
        new_ops: rows.new_ops,
        op_stats: rows.op_stats,
        poll_ops: rows.poll_ops,
        ..told
    }
}

/// A runtime with this name.
pub(crate) fn runtime(id: u64, name: &str, workers: u64) -> RuntimeStats {
    RuntimeStats {
        id: RuntimeId(id),
        name: name.into(),
        flavor: Some(if workers == 1 { Flavor::CurrentThread } else { Flavor::MultiThread }),
        workers,
        alive_tasks: 118,
        blocking_threads: 4,
        idle_blocking_threads: 3,
        io_registered: 12,
        io_ready: 3_100,
        ..RuntimeStats::default()
    }
}

/// A judgement that holds since then.
pub(crate) fn verdict(kind: VerdictKind, since: Stamp) -> Verdict {
    Verdict { kind, since: Some(since) }
}

/// A worker that was this busy since its runtime began.
pub(crate) fn worker(index: u32, busy: Duration) -> WorkerStats {
    WorkerStats {
        id: WorkerId { runtime: MAIN, index },
        thread: Some(Thread { tid: 4_250 + index, name: format!("tokio-rt-worker-{index}") }),
        busy,
        ..WorkerStats::default()
    }
}

/// A frame of a stack.
pub(crate) fn frame(function: &str, file: &str, line: u32) -> Frame {
    let place = Place::from(SourcePlace { file: file.into(), line, column: 1 });
    Frame { function: function.into(), place, module: "echo-demo".into(), address: 0x5555_5555_0000, offset: 0 }
}

/// The stack of a thread that sleeps in the middle of a report.
pub(crate) fn sleeping(now: Stamp) -> Stack {
    let std = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src";
    let tokio = "/srv/.cargo/registry/src/index-1f/tokio-1.54.1/src/runtime";
    Stack {
        frames: vec![
            Frame { module: "libc.so.6".into(), address: 0x7fff_f7e5_2e7a, ..Frame::default() },
            frame("std::sys::thread::unix::Thread::sleep", &format!("{std}/sys/thread/unix.rs"), 571),
            frame("std::thread::functions::sleep", &format!("{std}/thread/functions.rs"), 312),
            frame("echo_demo::report::render", "src/report.rs", 88),
            frame("echo_demo::report::run::{async_fn#0}", "src/report.rs", 41),
            frame("tokio::runtime::task::core::Core<T,S>::poll", &format!("{tokio}/task/core.rs"), 375),
            frame("tokio::runtime::scheduler::multi_thread::worker::run", &format!("{tokio}/scheduler/mt.rs"), 560),
        ],
        captured: Some(now),
        ..Stack::default()
    }
}

/// A stall of a worker.
pub(crate) fn stall(id: u64, worker: Option<u32>, task: TaskId, since: Stamp) -> Stall {
    Stall {
        id,
        runtime: MAIN,
        worker: worker.map(|index| WorkerId { runtime: MAIN, index }),
        thread: Some(Thread { tid: 4_250, name: "tokio-rt-worker".into() }),
        task: Some(task),
        since,
        ended: None,
        cause: Cause::Sleep,
        system_call: "clock_nanosleep".into(),
        kernel_function: "hrtimer_nanosleep".into(),
        on_cpu: Duration::ZERO,
        queued: 14,
        stack: Some(Arc::new(sleeping(since))),
        limitation: String::new(),
    }
}

/// One who holds a lock alone.
pub(crate) fn holder(task: TaskId, since: Stamp) -> Holder {
    Holder {
        task: Some(task),
        thread: None,
        access: Access::Exclusive,
        since,
        across: Across::Await,
        acquired_at: None,
        suspended_at: None,
    }
}

/// One who waits for a lock, to have it alone.
pub(crate) fn waiting(op: u64, task: TaskId, since: Stamp) -> Waiting {
    Waiting { op: OpId(op), task: Some(task), access: Access::Exclusive, since: Some(since) }
}

/// A lock that these hold and these wait for.
pub(crate) fn lock(id: ResourceId, holders: Vec<Holder>, waiters: Vec<Waiting>) -> LockStats {
    LockStats { holders, waiters, acquisitions: 1_203, contended: 456, ..LockStats::new(id) }
}
