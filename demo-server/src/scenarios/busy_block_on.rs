//! A current-thread runtime that is driven, and has more to do than it can.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::yield_now};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

/// Tasks that take turns. Times [`TURN`], that is how long each waits for its own.
const CROWD: usize = 4;

/// What each of them does between two awaits.
const TURN: Duration = Duration::from_millis(4);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "busy-block-on",
    kind: Kind::Control,
    says: "Four tasks take turns of 4 ms on a current-thread runtime that a thread drives: it is busy, and driven.",
    tasks: &["busy-crowd"],
    file: file!(),
    within: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    // Who yielded is queued again after each turn.
    builder.enable_time().event_interval(1);
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    for _ in 0..CROWD {
        spawn_named(runtime.handle(), "busy-crowd", async {
            loop {
                thread::sleep(TURN);
                yield_now().await;
            }
        })?;
    }
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("busy-block-on".to_owned()).spawn(move || runtime.block_on(shutdown.cancelled()))?;
    Ok(())
}
