//! Many tasks that compute a little, one after the other: each waits for the others, and nobody for long.

use std::{io, time::Duration};

use tokio::{runtime::Builder, task::yield_now, time::sleep};

use super::{Ctx, Kind, Scenario, burn::burn};
use crate::unstable::{first_in_first_out, spawn_named};

/// Times [`TURN`], that is how long each waits: as in `short-of-processors`, without those who take the processors.
const CROWD: usize = 40;
const TURN: Duration = Duration::from_millis(1);

/// How long each leaves its worker to others: the machine is not to be full.
const REST: Duration = Duration::from_millis(40);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "in-turn",
    kind: Kind::Control,
    says: "Forty tasks share one worker, 1 ms each in turn, so that whoever is ready waits for 40 ms at most.",
    tasks: &["in-turn"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("in-turn-worker").enable_time().event_interval(1);
    first_in_first_out(&mut builder);
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    for _ in 0..CROWD {
        spawn_named(runtime.handle(), "in-turn", async {
            loop {
                burn(TURN);
                yield_now().await;
                sleep(REST).await;
            }
        })?;
    }
    ctx.keep(runtime);
    Ok(())
}
