//! A lock that is taken very often, and never kept to the end of a poll.

use std::{io, time::Duration};

use tokio::{
    sync::Mutex,
    time::{MissedTickBehavior, interval},
};

use super::{Ctx, Kind, Scenario};

/// Times that the lock is taken and dropped in one poll.
const TIMES: usize = 6;

/// The time between two such polls. 240 locks a second make some 1,400 events, more than half of what console-subscriber
/// takes out of its buffer in a second: many more, and it would lag, which is another finding.
const EVERY: Duration = Duration::from_millis(25);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "brief-lock",
    kind: Kind::Control,
    says: "A task takes and drops a Mutex 240 times a second, always inside one poll.",
    tasks: &["brief-locker"],
    lock: Some("Mutex"),
    file: file!(),
    retention: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Mutex::new(0_u64);
    ctx.spawn("brief-locker", async move {
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            for _ in 0..TIMES {
                *counter.lock().await += 1;
            }
        }
    })
}
