//! For this project's own benches: collecting alone, with nobody to read it.

use crate::collect::{Detail, read, subscriber::Subscriber};
use tracing_core::{Dispatch, dispatcher, subscriber::NoSubscriber};

/// Collects everything, or what lean detail is, in the whole process. False when a subscriber is there already.
pub fn collect(detail: &str) -> bool {
    let detail = if detail == "lean" { Detail::Lean } else { Detail::Full };
    dispatcher::set_global_default(Dispatch::new(Subscriber::new(NoSubscriber::new(), detail))).is_ok()
}

/// All that is known of the live tasks, counted: how many there are, and how many polls they had.
pub fn totals() -> (u64, u64) {
    let (mut tasks, mut polls) = (0, 0);
    read::tasks(&mut |task| {
        tasks += 1;
        polls += task.polls.count;
    });
    (tasks, polls)
}
