//! A current-thread runtime that is driven now and then, and nothing on it has anything to do in between.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, sync::mpsc, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "brief-block-ons",
    kind: Kind::Control,
    says: "A thread asks a task of its own runtime by block_on, once in 4 s; in between nobody drives the runtime, and nothing on it is woken.",
    tasks: &["brief-answers"],
    file: file!(),
    within: Duration::from_secs(8),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time();
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    let (ask, mut asked) = mpsc::unbounded_channel::<()>();
    let answers = async move { while asked.recv().await.is_some() {} };
    spawn_named(runtime.handle(), "brief-answers", answers)?;
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("brief-block-ons".to_owned()).spawn(move || {
        while !shutdown.is_cancelled() {
            let _ = ask.send(());
            runtime.block_on(async { sleep(Duration::from_millis(50)).await });
            thread::sleep(Duration::from_secs(4));
        }
    })?;
    Ok(())
}
