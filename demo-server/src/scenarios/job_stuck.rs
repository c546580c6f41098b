//! A blocking job that never ends, among others that do.

use std::{io, thread, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use super::{Ctx, Kind, Scenario};

/// Which of the jobs hangs.
const HANGS: u64 = 8;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "job-stuck",
    kind: Kind::Trouble,
    says: "A blocking job of 20 ms is started every 0.1 s, and the eighth never ends.",
    raises: Some("job-stuck"),
    severity: Some("warning"),
    file: file!(),
    tasks: &[""],
    within: Duration::from_secs(9),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let shutdown = ctx.shutdown.clone();
    ctx.spawn("starts-jobs", async move {
        for number in 1.. {
            let shutdown = shutdown.clone();
            drop(spawn_blocking(move || {
                thread::sleep(Duration::from_millis(20));
                while number == HANGS && !shutdown.is_cancelled() {
                    thread::sleep(Duration::from_millis(500));
                }
            }));
            sleep(Duration::from_millis(100)).await;
        }
    })
}
