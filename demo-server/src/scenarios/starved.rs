//! Tasks that are ready and do not get their turn, because the workers are busy with others.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::yield_now, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::{first_in_first_out, spawn_named};

/// Tasks that keep the only worker busy. Times [`TURN`], that is how long each task waits for its turn.
const CROWD: usize = 40;

/// What each of them does between two awaits: below what counts as a long poll.
const TURN: Duration = Duration::from_millis(5);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "starved",
    kind: Kind::Trouble,
    says: "Forty tasks share one worker, 5 ms each in turn, so that whoever is ready waits for 0.2 s to be polled.",
    raises: Some("starved"),
    severity: Some("warning"),
    tasks: &["starved", "starved-crowd"],
    file: file!(),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: the service's other tasks are not to starve with them.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    // The driver is polled and those who yielded are queued again after each poll, at the end of the line: everybody
    // waits for everybody else, and the wait is a scheduled one from its beginning.
    builder.worker_threads(1).thread_name("starved-worker").enable_time().event_interval(1);
    first_in_first_out(&mut builder);
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "starved", async {
        loop {
            sleep(Duration::from_millis(10)).await;
        }
    })?;
    for _ in 0..CROWD {
        spawn_named(runtime.handle(), "starved-crowd", async {
            loop {
                thread::sleep(TURN);
                yield_now().await;
            }
        })?;
    }
    ctx.keep(runtime);
    Ok(())
}
