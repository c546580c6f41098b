//! A poller that wakes itself instead of waiting.

use std::{future::poll_fn, io, task::Poll, time::Duration};

use tokio::time::sleep;

use super::{Ctx, InLean, Kind, Scenario};

/// Wake-ups of its own for each one that it gets from the timer.
const OWN_WAKES: usize = 20;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "self-wakes",
    kind: Kind::Trouble,
    says: "A poller wakes itself twenty times, to look again, for each time that the timer wakes it.",
    raises: Some("self-wakes"),
    severity: Some("note"),
    in_lean: InLean::Nothing,
    tasks: &["self-waker"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("self-waker", async {
        loop {
            look_again(OWN_WAKES).await;
            sleep(Duration::from_millis(50)).await;
        }
    })
}

async fn look_again(times: usize) {
    let mut left = times;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
