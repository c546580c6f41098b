//! A lock that several tasks want at once now and then, and nobody keeps.

use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::sleep};

use super::{Ctx, Kind, Scenario, burn::burn};

/// Who wants the lock. Their pauses, in ms, are of lengths without a common divisor, and so they meet at random.
const PAUSES: [u64; 4] = [17, 23, 29, 31];

/// How long each holds it, inside one poll.
const HELD: Duration = Duration::from_millis(1);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "contended-lock",
    kind: Kind::Control,
    says: "Four tasks take one Mutex for 1 ms each, without an await, and meet there at random.",
    tasks: &["brief-contender"],
    lock: Some("Mutex"),
    file: file!(),
    retention: Duration::from_secs(5),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let counter = Arc::new(Mutex::new(0_u64));
    for pause in PAUSES {
        let counter = Arc::clone(&counter);
        ctx.spawn("brief-contender", async move {
            loop {
                sleep(Duration::from_millis(pause)).await;
                let mut guard = counter.lock().await;
                burn(HELD);
                *guard += 1;
            }
        })?;
    }
    Ok(())
}
