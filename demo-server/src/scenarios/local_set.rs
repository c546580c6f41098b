//! Tasks that stay on one thread, as tasks that are not `Send` must.

use std::{cell::Cell, io, rc::Rc, thread, time::Duration};

use tokio::{runtime::Builder, task::LocalSet, time::sleep};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_local_named;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "local-set",
    kind: Kind::Control,
    says: "Three tasks that share an Rc run on a LocalSet, on a thread of their own.",
    tasks: &["local"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let shutdown = ctx.shutdown.clone();
    thread::Builder::new().name("local-set".to_owned()).spawn(move || {
        let local = LocalSet::new();
        local.block_on(&runtime, async {
            let turns = Rc::new(Cell::new(0_u64));
            for _ in 0..3 {
                let turns = Rc::clone(&turns);
                let counting = async move {
                    loop {
                        turns.set(turns.get() + 1);
                        sleep(Duration::from_millis(100)).await;
                    }
                };
                if spawn_local_named("local", counting).is_err() {
                    return;
                }
            }
            shutdown.cancelled().await;
        });
    })?;
    Ok(())
}
