//! Computation between awaits, too much for one poll and too little to lose a worker.

use std::{io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, Scenario, burn::burn};

/// The lengths of its polls, in ms, over and over. All below the 100 ms at which a poll in progress is a task that does
/// not yield: that is another trouble, with scenarios of its own.
const POLLS: [u64; 5] = [20, 50, 30, 75, 40];

pub(super) const SCENARIO: Scenario = Scenario {
    name: "long-polls",
    kind: Kind::Trouble,
    says: "A task computes for 20 to 75 ms between one await and the next.",
    raises: Some("long-polls"),
    severity: Some("warning"),
    tasks: &["long-polls"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("long-polls", async {
        for milliseconds in POLLS.into_iter().cycle() {
            burn(Duration::from_millis(milliseconds));
            // A pause, so that a small machine stays usable.
            sleep(Duration::from_millis(120)).await;
        }
    })
}
