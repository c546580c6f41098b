//! A worker that computes for seconds.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario, burn::burn};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stalled-by-loop",
    kind: Kind::Trouble,
    says: "A task computes for 1.5 s at a time without an await, with a second of good behaviour in between.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["stalled-by-loop"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("stalled-by-loop", async {
        loop {
            sleep(Duration::from_secs(1)).await;
            burn(Duration::from_millis(1500));
        }
    })
}
