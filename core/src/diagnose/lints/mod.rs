//! The lints, one in each file. To add one: write its file and its explanation, and name it here.

mod abandoned_wait;
mod accounts;
mod auto_boxed_future;
mod blind_target;
mod blocking_pool_full;
mod channel_stuck;
mod deadlock;
mod driver_late;
mod futurelock;
mod held_across_await;
mod job_stuck;
mod lagging_target;
mod large_future;
mod lock_convoy;
mod long_polls;
mod lost_events;
mod lost_waker;
mod never_idle;
mod never_polled;
mod never_yields;
mod panicked;
mod permits_gone;
mod queues;
mod self_wakes;
mod shutdown_waits;
mod stalled_worker;
mod starved;
mod stood_still;
mod stuck;
mod stuck_unless;
mod task_leak;
mod tells_nothing;
mod undriven;
mod waits_for_itself;

use super::Lint;

/// Every lint, the worst first. One that subsumes another stands before it.
pub static LINTS: &[&Lint] = &[
    &deadlock::LINT,
    &futurelock::LINT,
    &waits_for_itself::LINT,
    &stuck_unless::LINT,
    &stalled_worker::LINT,
    &never_yields::LINT,
    &lost_waker::LINT,
    &permits_gone::LINT,
    &channel_stuck::LINT,
    &held_across_await::LINT,
    &lock_convoy::LINT,
    &long_polls::LINT,
    &driver_late::LINT,
    &never_idle::LINT,
    &undriven::LINT,
    &starved::LINT,
    &never_polled::LINT,
    &blocking_pool_full::LINT,
    &job_stuck::LINT,
    &shutdown_waits::LINT,
    &task_leak::LINT,
    &panicked::LINT,
    &stood_still::LINT,
    &tells_nothing::LINT,
    &lost_events::LINT,
    &lagging_target::LINT,
    &blind_target::LINT,
    &abandoned_wait::LINT,
    &self_wakes::LINT,
    &auto_boxed_future::LINT,
    &large_future::LINT,
];

/// A lint by its name.
pub fn lint(name: &str) -> Option<&'static Lint> {
    LINTS.iter().find(|lint| lint.name == name).copied()
}
