//! Short-lived tasks, more than console-subscriber can follow.

use std::{io, time::Duration};

use tokio::{
    runtime::Handle,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{Ctx, Kind, Scenario};
use crate::{
    console::{EVENTS_PER_PUBLISH, PUBLISH_INTERVAL},
    unstable::spawn_named,
};

/// What console-subscriber can follow, in events per second. A task that is spawned is one.
const FOLLOWED: u32 = EVENTS_PER_PUBLISH * 1_000 / PUBLISH_INTERVAL.as_millis() as u32;

/// Tasks spawned in each second of a burst.
const RATE: u32 = 2 * FOLLOWED;

/// How long a burst lasts. At twice the rate that can be followed, the console is as much behind at its end.
const BURST: Duration = Duration::from_millis(2_500);

/// How long the pause is in which it catches up. Without one it would fall behind, and its process grow, for ever.
const PAUSE: Duration = Duration::from_secs(5);

/// Tasks spawned in one poll at the most. Each takes up to 0.2 ms, and this is not to be a task of long polls.
const AT_ONCE: u32 = 8;

const EVERY: Duration = Duration::from_millis(10);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "churn",
    kind: Kind::Control,
    says: "Five thousand tasks a second are spawned and end at once, in bursts of 2.5 s; console-subscriber shows them ever later.",
    raises: Some("lagging-target"),
    severity: Some("warning"),
    // The agent does not lag.
    from_agent: Some(&[]),
    tasks: &["churned"],
    file: file!(),
    retention: Duration::from_secs(1),
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
            let mut spawned = 0_u32;
            while start.elapsed() < BURST {
                every.tick().await;
                let due = (start.elapsed().as_secs_f64() * f64::from(RATE)) as u32;
                while spawned < due {
                    // A task that could not be spawned is as short-lived as any.
                    let _ = spawn_named(&Handle::current(), "churned", yield_now());
                    spawned += 1;
                    if spawned.is_multiple_of(AT_ONCE) {
                        yield_now().await;
                    }
                }
            }
            sleep(PAUSE).await;
        }
    })
}
