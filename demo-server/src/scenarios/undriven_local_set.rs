//! A `LocalSet` that is filled and awaited by nobody, on a thread that waits for something else.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, task::LocalSet};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_local_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "undriven-local-set",
    kind: Kind::Trouble,
    says: "A task is spawned on a LocalSet, and its thread waits for the end of the service without awaiting the set.",
    raises: Some("undriven"),
    severity: Some("warning"),
    tasks: &["undriven-local"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time();
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("undriven-set".to_owned()).spawn(move || {
        let local = LocalSet::new();
        runtime.block_on(async {
            let entered = local.enter();
            let spawned = spawn_local_named("undriven-local", async {});
            drop(entered);
            if spawned.is_ok() {
                shutdown.cancelled().await;
            }
        });
    })?;
    Ok(())
}
