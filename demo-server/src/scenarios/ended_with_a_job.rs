//! Tasks that have ended and left a job to a blocking thread.

use std::{io, thread, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

/// How long a job goes on after its task.
const JOB: Duration = Duration::from_secs(20);

/// Tasks that do so.
const HANDLERS: usize = 5;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ended-with-a-job",
    kind: Kind::Control,
    says: "Five tasks hand a job of 20 s to a blocking thread and end without waiting for it.",
    tasks: &["hands-over-a-job"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let service = ctx.service().clone();
    ctx.spawn("takes-requests", async move {
        for _ in 0..HANDLERS {
            let handler = async {
                // The job's span keeps the handler's open, so that the end of the task is told when the job ends.
                drop(spawn_blocking(|| thread::sleep(JOB)));
            };
            if spawn_named(&service, "hands-over-a-job", handler).is_err() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
}
