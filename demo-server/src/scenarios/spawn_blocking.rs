//! A blocking call where it belongs.

use std::{io, thread, time::Duration};

use tokio::{task, time::sleep};

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spawn-blocking",
    kind: Kind::Control,
    says: "A task hands a blocking call of 3 s to spawn_blocking, again and again, and awaits it.",
    tasks: &["blocking-caller"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("blocking-caller", async {
        // It fails when the runtime shuts down.
        while task::spawn_blocking(|| thread::sleep(Duration::from_secs(3))).await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    })
}
