//! A second runtime in the process, with workers of its own.

use std::{io, time::Duration};

use tokio::{runtime::Builder, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "two-runtimes",
    kind: Kind::Control,
    says: "A runtime named reports, with two workers, runs four tasks that tick beside the main one.",
    tasks: &["report-ticker"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("reports").name("reports").enable_time();
    let runtime = builder.build()?;
    for _ in 0..4 {
        spawn_named(runtime.handle(), "report-ticker", async {
            loop {
                sleep(Duration::from_millis(50)).await;
            }
        })?;
    }
    ctx.keep(runtime);
    Ok(())
}
