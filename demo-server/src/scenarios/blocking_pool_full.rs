//! More blocking jobs than threads for them.

use std::{io, thread, time::Duration};

use tokio::{
    runtime::Builder,
    task::{JoinSet, spawn_blocking},
};

use super::{Ctx, Kind, Raised, Scenario};
use crate::unstable::spawn_named;

/// Threads of the pool; five times as many jobs want one.
const THREADS: usize = 2;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "blocking-pool-full",
    kind: Kind::Trouble,
    says: "A second runtime may have two blocking threads, and has ten jobs of a second for them all the time.",
    from_agent: Some(&[Raised { lint: "blocking-pool-full", severity: "warning" }]),
    tasks: &["gives-jobs"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: the service's pool has hundreds of threads.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).max_blocking_threads(THREADS).thread_name("full-pool").name("full-pool").enable_time();
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "gives-jobs", async {
        let mut jobs = JoinSet::new();
        loop {
            while jobs.len() < 5 * THREADS {
                jobs.spawn(async {
                    // It fails when the runtime shuts down.
                    let _ = spawn_blocking(|| thread::sleep(Duration::from_secs(1))).await;
                });
            }
            jobs.join_next().await;
        }
    })?;
    ctx.keep(runtime);
    Ok(())
}
