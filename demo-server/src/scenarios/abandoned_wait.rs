//! A barrier for more tasks than there are.

use std::{io, sync::Arc};

use tokio::sync::Barrier;

use super::{Ctx, Kind, Scenario};

/// For how many the barrier is, and how many come.
const PARTIES: usize = 3;
const COME: usize = 2;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "abandoned-wait",
    kind: Kind::Untold,
    says: "Two tasks wait at a barrier that was made for three, and there is no third.",
    tasks: &["abandoned-wait"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let barrier = Arc::new(Barrier::new(PARTIES));
    for _ in 0..COME {
        let barrier = Arc::clone(&barrier);
        ctx.spawn("abandoned-wait", async move {
            barrier.wait().await;
        })?;
    }
    Ok(())
}
