//! Tasks that are ready and do not get their turn, because their worker has no processor: other threads of the process have them.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::yield_now};

use super::{Ctx, Kind, Processors, Scenario, burn::burn};
use crate::unstable::{first_in_first_out, spawn_named};

/// For each processor, so many threads that compute.
const THREADS: usize = 4;

/// For how long they do, and how long they leave the machine to others then.
const COMPUTE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_secs(2);

/// Tasks that share the one worker, 1 ms each in turn. By itself that is a wait of 40 ms, which is no trouble; with a fifth of a
/// processor it is five times that.
const CROWD: usize = 40;
const TURN: Duration = Duration::from_millis(1);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "short-of-processors",
    kind: Kind::Trouble,
    says: "Plain threads compute, four for each processor, so that a worker with 40 ms of work in line needs 0.2 s for it.",
    raises: Some("starved"),
    severity: Some("warning"),
    // Whoever is in a poll when the kernel takes the processor away is in a long one, for all that a console tells.
    also: &["long-polls", "never-yields"],
    tasks: &["short-of-processors"],
    file: file!(),
    within: Duration::from_secs(4),
    processors: Processors::Taken,
    start,
    ..Scenario::BASE
};

/// On a runtime of its own, as in `starved`; the service's other tasks have to share the processors all the same.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("short-worker").enable_time().event_interval(1);
    first_in_first_out(&mut builder);
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    for _ in 0..CROWD {
        spawn_named(runtime.handle(), "short-of-processors", async {
            loop {
                burn(TURN);
                yield_now().await;
            }
        })?;
    }
    ctx.keep(runtime);
    let processors = thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..processors * THREADS {
        thread::Builder::new().name("computes".into()).spawn(|| {
            loop {
                burn(COMPUTE);
                thread::sleep(PAUSE);
            }
        })?;
    }
    Ok(())
}
