//! A second runtime in the process, with one thread.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "current-thread",
    kind: Kind::Control,
    says: "A current-thread runtime beside the main one runs three tasks that tick.",
    tasks: &["ticker"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    for _ in 0..3 {
        spawn_named(runtime.handle(), "ticker", async {
            loop {
                sleep(Duration::from_millis(100)).await;
            }
        })?;
    }
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("current-thread".to_owned()).spawn(move || runtime.block_on(shutdown.cancelled()))?;
    Ok(())
}
