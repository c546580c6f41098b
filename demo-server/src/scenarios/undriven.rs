//! A runtime that was driven while it was set up, and is kept, and driven by nobody since.

use std::{io, thread, time::Duration};

use tokio::{runtime::Builder, sync::mpsc, time::sleep};

use super::{Ctx, InLean, Kind, Scenario};
use crate::unstable::spawn_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "undriven",
    kind: Kind::Trouble,
    says: "A current-thread runtime is driven while it is set up, and by nobody since: its writer is woken by each order, and never runs.",
    raises: Some("undriven"),
    severity: Some("warning"),
    in_lean: InLean::Nothing,
    tasks: &["undriven-writer"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().thread_name("undriven");
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    let (orders, mut received) = mpsc::unbounded_channel::<u64>();
    let writer = async move { while received.recv().await.is_some() {} };
    spawn_named(runtime.handle(), "undriven-writer", writer)?;
    let set_up = move || {
        // The writer is polled here, and waits for its first order.
        runtime.block_on(async { sleep(Duration::from_millis(100)).await });
        runtime
    };
    let runtime = thread::spawn(set_up).join().map_err(|_| io::Error::other("the setup panicked"))?;
    ctx.keep(runtime);
    ctx.spawn("undriven-orders", async move {
        for order in 0.. {
            if orders.send(order).is_err() {
                return;
            }
            sleep(Duration::from_millis(500)).await;
        }
    })
}
