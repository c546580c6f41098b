//! Two tasks that send to each other before they receive.

use std::{io, time::Duration};

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{Ctx, InLean, Kind, Raised, Scenario};

/// What each sends before it looks at what came: more than a channel has room for.
const MESSAGES: u32 = 4;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "full-channels",
    kind: Kind::Trouble,
    says: "Two tasks send four messages into a channel of one that the other receives from, and receive after that: each waits for the other.",
    from_agent: Some(&[Raised { lint: "channel-stuck", severity: "warning" }]),
    in_lean: InLean::Nothing,
    tasks: &["full-channels-a", "full-channels-b"],
    file: file!(),
    within: Duration::from_secs(7),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (to_b, from_a) = mpsc::channel(1);
    let (to_a, from_b) = mpsc::channel(1);
    ctx.spawn("full-channels-a", talk(to_b, from_b))?;
    ctx.spawn("full-channels-b", talk(to_a, from_a))
}

async fn talk(to: Sender<u32>, mut from: Receiver<u32>) {
    for message in 0..MESSAGES {
        // The other is gone only when the server stops.
        if to.send(message).await.is_err() {
            return;
        }
    }
    while from.recv().await.is_some() {}
}
