//! A runtime of which nothing is left.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, time::sleep};

use super::{Ctx, Kind, STALLED, Scenario};
use crate::unstable::spawn_named;

const WORKERS: usize = 2;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "all-workers-stalled",
    kind: Kind::Trouble,
    says: "A second runtime has two workers, and both sleep in std::thread::sleep for 2 s at a time.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    // Whoever wants to be polled there has to wait for them.
    also: &["long-polls", "starved"],
    tasks: &["sleeps-on-worker"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: the echo is to go on.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_name("stalled-pool").name("stalled-pool").enable_time();
    let runtime = builder.build()?;
    for _ in 0..WORKERS {
        spawn_named(runtime.handle(), "sleeps-on-worker", async {
            loop {
                thread::sleep(Duration::from_secs(2));
                sleep(Duration::from_millis(10)).await;
            }
        })?;
    }
    ctx.keep(runtime);
    Ok(())
}
