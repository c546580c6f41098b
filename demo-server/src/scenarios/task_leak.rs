//! Tasks that are spawned and never end.

use std::{io, sync::Arc, time::Duration};

use tokio::{runtime::Handle, sync::Notify, time::interval};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

/// Reached within seconds, so that nobody has to wait for long to see it.
const SOON: usize = 1_100;

/// Where it ends, since console-subscriber keeps about 50 KiB for each task.
const MOST: usize = 3_000;

/// How often tasks are spawned: four at a time at first, a few so that no poll is long; one every fifth time after [`SOON`].
const EVERY: Duration = Duration::from_millis(20);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "task-leak",
    kind: Kind::Trouble,
    says: "A task is spawned for each of many requests and waits for an answer that never comes: 1,100 in 6 s, then 10 a second up to 3,000.",
    raises: Some("task-leak"),
    severity: Some("warning"),
    tasks: &["leaked"],
    file: file!(),
    within: Duration::from_secs(75),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("leak-source", async {
        let answer = Arc::new(Notify::new());
        let mut every = interval(EVERY);
        let mut leaked = 0;
        for turn in 0.. {
            if leaked >= MOST {
                break;
            }
            every.tick().await;
            let now = if leaked < SOON { 4 } else { usize::from(turn % 5 == 0) };
            for _ in 0..now {
                let answer = Arc::clone(&answer);
                let waiting = async move { answer.notified().await };
                if spawn_named(&Handle::current(), "leaked", waiting).is_ok() {
                    leaked += 1;
                }
            }
        }
        // Never: the tasks stay until the process ends.
        answer.notified().await;
    })
}
