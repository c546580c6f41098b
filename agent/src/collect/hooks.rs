//! What a runtime's own hooks tell that its spans do not, in lean detail: how long a task waited to be polled. In full detail
//! the wakes tell.

use crate::collect::{has_ended, task::slot::expect_waits, thread_state};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether any runtime tells it.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Whether it is known of any runtime for how long its tasks waited.
pub(crate) fn are_there() -> bool {
    HOOKED.load(Ordering::Relaxed)
}

/// Has a runtime that is about to be built tell it. Takes the builder's `on_before_task_poll`.
pub(crate) fn instrument(runtime: &mut tokio::runtime::Builder) {
    HOOKED.store(true, Ordering::Relaxed);
    expect_waits();
    runtime.track_task_schedule_latency().on_before_task_poll(|task| {
        if has_ended() {
            return;
        }
        let waited = task.schedule_latency().map_or(0, |waited| (waited.as_nanos() as u64).saturating_add(1));
        thread_state::with(|local| local.latency.set(waited));
    });
}
