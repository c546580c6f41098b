//! A runtime whose end waits for a blocking job.

use std::{io, thread, time::Duration};

use tokio::runtime::Builder;

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "shutdown-waits",
    kind: Kind::Untold,
    says: "A thread drops a runtime of its own, one of whose blocking jobs goes on, and waits for that.",
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("waited-for").build()?;
    let shutdown = ctx.shutdown.clone();
    runtime.spawn_blocking(move || {
        while !shutdown.is_cancelled() {
            thread::sleep(Duration::from_millis(500));
        }
    });
    thread::Builder::new().name("drops-a-runtime".to_owned()).spawn(move || drop(runtime))?;
    Ok(())
}
