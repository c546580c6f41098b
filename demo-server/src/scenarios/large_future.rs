//! A future that is large, though not large enough to be boxed.

use std::{hint::black_box, io, time::Duration};

use tokio::time::sleep;

use super::{Ctx, Kind, Scenario};

/// Above 1 KiB, and with the rest of the future below the 2 KiB from which Tokio boxes one in a debug build.
const SIZE: usize = 1_200;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "large-future",
    kind: Kind::Trouble,
    says: "A task keeps a buffer of 1,200 bytes across its awaits, and so its future is over 1 KiB.",
    raises: Some("large-future"),
    severity: Some("note"),
    tasks: &["large-future"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("large-future", async {
        let mut buffer = [0_u8; SIZE];
        loop {
            sleep(Duration::from_millis(250)).await;
            let first = &mut black_box(&mut buffer)[0];
            *first = first.wrapping_add(1);
        }
    })
}
