//! A blocking job that is meant to last, beside others that are not.

use std::{io, thread, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lasting-job",
    kind: Kind::Control,
    says: "A blocking job runs for as long as the service does, beside short ones that are spawned elsewhere.",
    tasks: &["starts-short-jobs"],
    file: file!(),
    within: Duration::from_secs(9),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let shutdown = ctx.shutdown.clone();
    ctx.spawn("starts-short-jobs", async move {
        drop(spawn_blocking(move || {
            while !shutdown.is_cancelled() {
                thread::sleep(Duration::from_millis(500));
            }
        }));
        // It fails when the runtime shuts down.
        while spawn_blocking(|| thread::sleep(Duration::from_millis(20))).await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    })
}
