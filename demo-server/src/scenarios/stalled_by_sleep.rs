//! A worker asleep on purpose, for a moment at a time.

use std::{io, thread, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario};

/// Longer than a worker may be away, and too short to be critical to whoever knows of tasks only.
const ASLEEP: Duration = Duration::from_millis(400);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stalled-by-sleep",
    kind: Kind::Trouble,
    says: "A task calls std::thread::sleep for 0.4 s at a time in async code.",
    raises: Some("never-yields"),
    severity: Some("warning"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["stalled-by-sleep"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("stalled-by-sleep", async {
        loop {
            thread::sleep(ASLEEP);
            sleep(Duration::from_millis(300)).await;
        }
    })
}
