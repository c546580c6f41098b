//! Tasks that are always ready, and leave the driver no turn.

use std::{future::poll_fn, io, task::Poll, thread, time::Duration};

use tokio::{runtime::Builder, time::sleep};

use super::{Ctx, InLean, Kind, Raised, Scenario};
use crate::unstable::spawn_named;

/// What each of them does in a poll. Times 61, that is how long the driver waits for its turn.
const PIECE: Duration = Duration::from_millis(25);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "driver-late",
    kind: Kind::Trouble,
    says: "Two tasks that compute 25 ms at a time, and wake themselves, keep both workers of a runtime: whoever sleeps for 5 ms there sleeps for a second.",
    from_agent: Some(&[Raised { lint: "driver-late", severity: "warning" }]),
    in_lean: InLean::Nothing,
    // Each poll is over the 10 ms that a poll should take.
    also: &["long-polls"],
    tasks: &["late-sleeper"],
    file: file!(),
    within: Duration::from_secs(10),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: the service's other tasks are not to be late with them.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("late-driver").name("late-driver").enable_time();
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "late-sleeper", async {
        loop {
            sleep(Duration::from_millis(5)).await;
        }
    })?;
    for _ in 0..2 {
        let computes = poll_fn(|cx| {
            thread::sleep(PIECE);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        spawn_named(runtime.handle(), "late-computes", computes)?;
    }
    ctx.keep(runtime);
    Ok(())
}
