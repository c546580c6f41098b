//! Short-lived tasks, more than console-subscriber can follow.

use std::{io, time::Duration};

use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Ctx, Kind, Scenario};
use crate::{
    console::{EVENTS_PER_PUBLISH, PUBLISH_INTERVAL},
    unstable::spawn_named,
};

/// Tasks spawned in each second of a burst: well above what console-subscriber takes out of its buffer.
const RATE: u32 = 2 * EVENTS_PER_PUBLISH * PER_SECOND;

const PER_SECOND: u32 = 1_000 / PUBLISH_INTERVAL.as_millis() as u32;

/// How long a burst lasts. At twice the rate that can be followed, the console is behind by as much at its end, and has
/// caught up when the pause of the same length is over: without one it would fall behind, and grow, without bound.
const BURST: Duration = Duration::from_secs(3);

const EVERY: Duration = Duration::from_millis(10);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "churn",
    kind: Kind::Control,
    says: "Five thousand tasks a second are spawned and end at once, in bursts of 3 s; console-subscriber shows them ever later.",
    raises: Some("lagging-target"),
    severity: Some("warning"),
    tasks: &["churned"],
    file: file!(),
    within: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("churn-source", async {
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let start = Instant::now();
            let mut spawned = 0;
            while start.elapsed() < BURST {
                every.tick().await;
                let due = (start.elapsed().as_secs_f64() * f64::from(RATE)) as u32;
                while spawned < due {
                    // A task that could not be spawned is as short-lived as any.
                    let _ = spawn_named(&Handle::current(), "churned", yield_now());
                    spawned += 1;
                }
            }
            tokio::time::sleep(BURST).await;
        }
    })
}
