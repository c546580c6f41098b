//! A task that never returns from its first poll.

use std::{future::poll_fn, io};

use super::{Ctx, Kind, STALLED, Scenario, burn::burn_for_ever};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "spin-first-poll",
    kind: Kind::Trouble,
    says: "A task spins in its very first poll and never yields; its worker is lost.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    tasks: &["spin-first"],
    file: file!(),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    ctx.spawn("spin-first", poll_fn(|_| burn_for_ever()))
}
