//! A loop that goes on although what it waits for is over.

use std::io;

use tokio::sync::watch;

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "closed-watch",
    kind: Kind::Untold,
    says: "A task goes round and round on a watch channel whose sender is gone, since it ignores the error: it is never idle.",
    tasks: &["closed-watch"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (gone, mut settings) = watch::channel(0u32);
    let (quiet, mut orders) = watch::channel(0u32);
    drop(gone);
    ctx.spawn("closed-watch", async move {
        loop {
            tokio::select! {
                _ = settings.changed() => {}
                order = orders.changed() => if order.is_err() { return },
            }
        }
    })?;
    ctx.spawn("gives-no-order", async move { quiet.closed().await })
}
