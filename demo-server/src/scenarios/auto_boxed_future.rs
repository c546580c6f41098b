//! A future that is too large for the runtime to store as it is.

use std::{hint::black_box, io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, Scenario};

/// Above the 16 KiB (2 KiB in a debug build) from which Tokio boxes a future on its own account.
const SIZE: usize = 20 * 1024;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "auto-boxed-future",
    kind: Kind::Trouble,
    says: "A task keeps a buffer of 20 KiB across its awaits, and the runtime boxes its future for its size.",
    raises: Some("auto-boxed-future"),
    severity: Some("note"),
    tasks: &["auto-boxed"],
    file: file!(),
    start,
    ..Scenario::BASE
};

#[expect(clippy::large_stack_arrays, reason = "a future that is too large is what this is about")]
fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("auto-boxed", async {
        let mut buffer = [0_u8; SIZE];
        loop {
            sleep(Duration::from_millis(250)).await;
            let first = &mut black_box(&mut buffer)[0];
            *first = first.wrapping_add(1);
        }
    })
}
