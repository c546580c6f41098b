//! A long blocking call that says so: its worker is handed to another thread, and nobody waits.

use std::{io, thread, time::Duration};

use tokio::{task::block_in_place, time::sleep};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "block-in-place",
    kind: Kind::Control,
    says: "A task blocks for 2 s at a time inside block_in_place, which costs nobody a worker.",
    // The task itself is away all the same, and the rest of a future that it is part of with it.
    raises: Some("never-yields"),
    severity: Some("critical"),
    // The agent knows that the worker was handed over.
    from_agent: Some(&[]),
    also: &["long-polls"],
    tasks: &["blocks-in-place"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("blocks-in-place", async {
        loop {
            sleep(Duration::from_secs(1)).await;
            block_in_place(|| thread::sleep(Duration::from_secs(2)));
        }
    })
}
