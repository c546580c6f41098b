//! Runtimes whose end waits for a moment.

use std::{io, thread, time::Duration};

use tokio::runtime::Builder;

use super::{Ctx, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "brief-shutdowns",
    kind: Kind::Control,
    says: "A thread makes and drops a runtime every 0.5 s, and waits 0.2 s for a blocking job of each.",
    file: file!(),
    within: Duration::from_secs(6),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("brief-shutdowns".to_owned()).spawn(move || {
        while !shutdown.is_cancelled() {
            // Where there is no room for another thread there may be later.
            let Ok(runtime) = Builder::new_multi_thread().worker_threads(1).thread_name("brief").build() else {
                return;
            };
            runtime.spawn_blocking(|| thread::sleep(Duration::from_millis(200)));
            thread::sleep(Duration::from_millis(20));
            drop(runtime);
            thread::sleep(Duration::from_millis(280));
        }
    })?;
    Ok(())
}
