//! The whole process stands still, as under a debugger, in a snapshot of its machine, or on a laptop that was closed.

use std::{
    io,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::task::yield_now;

use super::{Ctx, Kind, Raised, Scenario, burn::burn};

/// A shell stops its parent, which is this process, lets it go on 2 s later, and does so again until it is gone.
const SHELL: &str = "while sleep 3 && kill -STOP $PPID; do sleep 2; kill -CONT $PPID; sleep 5; done";

const STOOD_STILL: Raised = Raised { lint: "stood-still", severity: "warning" };

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stood-still",
    kind: Kind::Control,
    says: "The process is stopped by a signal for 2 s at a time while a task computes 4 ms at a time: no task of it is at fault.",
    raises: Some(STOOD_STILL.lint),
    severity: Some(STOOD_STILL.severity),
    tasks: &["computes-in-turns"],
    file: file!(),
    within: Duration::from_secs(8),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    Command::new("sh").args(["-c", SHELL]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    ctx.spawn("computes-in-turns", async {
        loop {
            burn(Duration::from_millis(4));
            yield_now().await;
        }
    })
}
