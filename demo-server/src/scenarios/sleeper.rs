//! A task that has nothing to do for an hour.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "sleeper",
    kind: Kind::Control,
    says: "A task sleeps for an hour at a time.",
    tasks: &["sleeper"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("sleeper", async {
        loop {
            sleep(Duration::from_secs(3600)).await;
        }
    })
}
