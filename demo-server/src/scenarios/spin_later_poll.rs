//! A task that behaves, and then never returns from a later poll.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario, burn::burn_for_ever};

/// Polls in which it behaves.
const GOOD_TURNS: usize = 10;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spin-later-poll",
    kind: Kind::Trouble,
    says: "A task behaves for ten polls and two seconds, then spins in the next one and never yields; its worker is lost.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    tasks: &["spin-later"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("spin-later", async {
        for _ in 0..GOOD_TURNS {
            sleep(Duration::from_millis(200)).await;
        }
        burn_for_ever();
    })
}
