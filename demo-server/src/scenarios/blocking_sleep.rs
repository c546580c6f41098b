//! A blocking call where a worker cannot afford one.

use std::{io, thread, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "blocking-sleep",
    kind: Kind::Trouble,
    says: "A task calls std::thread::sleep for 2 s at a time in async code, with a second of good behaviour in between.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    // Each of these polls does end, and has been a long one then.
    also: &["long-polls"],
    tasks: &["blocking-sleep"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("blocking-sleep", async {
        loop {
            sleep(Duration::from_secs(1)).await;
            thread::sleep(Duration::from_secs(2));
        }
    })
}
