//! A `LocalSet` that one of its tasks keeps from all others.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::LocalSet, time::sleep};

use super::{Ctx, Kind, STALLED, Scenario};
use crate::unstable::spawn_local_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stalled-local-set",
    kind: Kind::Trouble,
    says: "Of three tasks on a LocalSet, one calls std::thread::sleep for 1.5 s at a time, and the others wait.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    // The thread's own block_on is in that poll as well, and the others wait for their turn.
    also: &["long-polls", "starved"],
    tasks: &["stalls-its-set"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().name("stalled-set");
    let runtime = builder.build()?;
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("stalled-set".to_owned()).spawn(move || {
        LocalSet::new().block_on(&runtime, async {
            let stalls = spawn_local_named("stalls-its-set", async {
                loop {
                    sleep(Duration::from_secs(1)).await;
                    thread::sleep(Duration::from_millis(1500));
                }
            });
            for _ in 0..2 {
                let waits = spawn_local_named("waits-in-set", async {
                    loop {
                        sleep(Duration::from_millis(100)).await;
                    }
                });
                if waits.is_err() || stalls.is_err() {
                    return;
                }
            }
            shutdown.cancelled().await;
        });
    })?;
    Ok(())
}
