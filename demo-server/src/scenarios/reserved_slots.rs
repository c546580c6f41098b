//! A channel that is empty, and has no room.

use std::{io, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{Ctx, InLean, Kind, Raised, Scenario};

/// The channel's room, and tasks that reserve a part of it each.
const ROOM: usize = 4;

/// Tasks that would send.
const SENDERS: usize = 6;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "reserved-slots",
    kind: Kind::Trouble,
    says: "Four forwarders reserve a slot of a channel of four each and wait for a source that sends nothing; six others cannot send.",
    from_agent: Some(&[Raised { lint: "channel-stuck", severity: "warning" }]),
    in_lean: InLean::Nothing,
    tasks: &["reserves-a-slot", "has-no-slot"],
    file: file!(),
    within: Duration::from_secs(7),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<u32>(ROOM);
    ctx.spawn("receives-nothing", async move { while receiver.recv().await.is_some() {} })?;
    let (source, quiet) = watch::channel(0u32);
    for _ in 0..ROOM {
        let (sender, mut quiet) = (sender.clone(), quiet.clone());
        ctx.spawn("reserves-a-slot", async move {
            let Ok(slot) = sender.reserve().await else { return };
            if quiet.changed().await.is_ok() {
                slot.send(*quiet.borrow());
            }
        })?;
    }
    ctx.spawn("source-of-nothing", async move { source.closed().await })?;
    for message in 0..SENDERS as u32 {
        let sender = sender.clone();
        ctx.spawn("has-no-slot", async move {
            // The forwarders came first: one of these that finds a slot leaves them one short.
            sleep(Duration::from_millis(100)).await;
            let _ = sender.send(message).await;
        })?;
    }
    Ok(())
}
