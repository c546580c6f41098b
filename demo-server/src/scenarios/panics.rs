//! Tasks that end in a panic, which Tokio catches and nobody looks at.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, Raised, Scenario};
use crate::unstable::spawn_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "panics",
    kind: Kind::Trouble,
    says: "Every 2 s a task panics, and whoever spawned it never asks for its result.",
    from_agent: Some(&[Raised { lint: "panicked", severity: "warning" }]),
    tasks: &["panics"],
    file: file!(),
    within: Duration::from_secs(4),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let service = ctx.service().clone();
    ctx.spawn("spawns-and-forgets", async move {
        loop {
            let panics = async {
                sleep(Duration::from_millis(100)).await;
                panic!("the demo was asked for a panic");
            };
            if spawn_named(&service, "panics", panics).is_err() {
                return;
            }
            sleep(Duration::from_secs(2)).await;
        }
    })
}
