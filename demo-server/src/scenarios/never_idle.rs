//! A task that waits by asking.

use std::{future::poll_fn, io, task::Poll, thread, time::Duration};

use tokio::runtime::Builder;

use super::{Ctx, InLean, Kind, Scenario};
use crate::unstable::spawn_named;

/// How long each look takes: it keeps the processor free for others, which a task that asks without a pause would not.
const LOOK: Duration = Duration::from_micros(100);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "never-idle",
    kind: Kind::Trouble,
    says: "A task looks for a flag thousands of times a second, waking itself each time, and nobody ever sets it.",
    raises: Some("never-idle"),
    severity: Some("warning"),
    in_lean: InLean::Nothing,
    tasks: &["never-idle"],
    file: file!(),
    within: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: others are not to wait for a turn beside it.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("never-idle").name("never-idle");
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    let shutdown = ctx.shutdown.clone();
    let asks = poll_fn(move |cx| {
        if shutdown.is_cancelled() {
            return Poll::Ready(());
        }
        thread::sleep(LOOK);
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    spawn_named(runtime.handle(), "never-idle", asks)?;
    ctx.keep(runtime);
    Ok(())
}
