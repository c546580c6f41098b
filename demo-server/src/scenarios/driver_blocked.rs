//! A worker that blocks right after it drove timers and I/O, while the other one sleeps and takes that over from nobody.

use std::{io, net::Ipv4Addr, thread, time::Duration};

use tokio::{net::TcpListener, runtime::Builder, time::sleep};

use super::{Ctx, Kind, STALLED, Scenario};
use crate::unstable::spawn_named;

/// Long enough for anybody who waits for a timer or a connection to notice.
const BLOCKED: Duration = Duration::from_secs(2);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "driver-blocked",
    kind: Kind::Trouble,
    says: "A second runtime has two workers; the one that its timer wakes sleeps in std::thread::sleep for 2 s, and no timer and no \
           socket of that runtime is served until it is back.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["blocks-driver"],
    file: file!(),
    within: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: the echo is to go on.
fn start(ctx: &Ctx) -> io::Result<()> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("driver-blocked").name("driver-blocked").enable_all();
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "blocks-driver", async {
        loop {
            // Whoever wakes up for the timer polls this task itself, and wakes nobody for one task.
            sleep(Duration::from_millis(20)).await;
            thread::sleep(BLOCKED);
        }
    })?;
    // Nobody calls it. It is what would have to wait.
    spawn_named(runtime.handle(), "listens", async {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            let _caller = listener.accept().await;
        }
    })?;
    ctx.keep(runtime);
    Ok(())
}
