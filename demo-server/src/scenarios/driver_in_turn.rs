//! Tasks that are always ready, and let the driver have its turn.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::yield_now, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

/// What each of them does in a poll: below what counts as a long one.
const PIECE: Duration = Duration::from_millis(4);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "driver-in-turn",
    kind: Kind::Control,
    says: "Two tasks that compute 4 ms at a time and await yield_now keep both workers of a runtime, and timers there are on time.",
    tasks: &["sleeper-in-turn"],
    file: file!(),
    within: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("driver-in-turn").name("driver-in-turn").enable_time();
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "sleeper-in-turn", async {
        loop {
            sleep(Duration::from_millis(5)).await;
        }
    })?;
    for _ in 0..2 {
        spawn_named(runtime.handle(), "computes-in-turn", async {
            loop {
                thread::sleep(PIECE);
                yield_now().await;
            }
        })?;
    }
    ctx.keep(runtime);
    Ok(())
}
