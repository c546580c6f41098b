//! A task that sends into a channel that it alone receives from.

use std::{io, time::Duration};

use tokio::sync::mpsc;

use super::{Ctx, InLean, Kind, Raised, Scenario};

/// What a job makes of new ones: more than the channel has room for.
const NEW: u32 = 4;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "waits-for-itself",
    kind: Kind::Trouble,
    says: "A task takes jobs from a channel of two and sends the four new ones that each makes into the same channel: it waits for room that only it could make.",
    from_agent: Some(&[Raised { lint: "channel-stuck", severity: "warning" }]),
    in_lean: InLean::Nothing,
    tasks: &["waits-for-itself"],
    file: file!(),
    within: Duration::from_secs(7),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (queue, mut jobs) = mpsc::channel(2);
    ctx.spawn("waits-for-itself", async move {
        // There is room for the first.
        let _ = queue.send(0).await;
        while let Some(job) = jobs.recv().await {
            for new in 0..NEW {
                // It has the receiver itself.
                let _ = queue.send(job + new).await;
            }
        }
    })
}
