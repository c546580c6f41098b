//! A channel that is full, as it is meant to be.

use std::{io, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{Ctx, Kind, Scenario};

/// The channel's room, and tasks that send.
const ROOM: usize = 2;
const SENDERS: u32 = 4;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "backpressure",
    kind: Kind::Control,
    says: "Four tasks send into a channel of two whose receiver takes half a second for each message; a fifth has a slot reserved until it is told to send.",
    tasks: &["sends-as-it-may", "takes-its-time", "keeps-a-slot", "tells-to-send"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel::<u32>(ROOM);
    ctx.spawn("takes-its-time", async move {
        while receiver.recv().await.is_some() {
            sleep(Duration::from_millis(500)).await;
        }
    })?;
    let (tell, mut told) = watch::channel(0);
    ctx.spawn("tells-to-send", async move {
        while tell.send(0).is_ok() {
            sleep(Duration::from_millis(700)).await;
        }
    })?;
    let reserves = sender.clone();
    ctx.spawn("keeps-a-slot", async move {
        while let Ok(slot) = reserves.reserve().await {
            if told.changed().await.is_err() {
                return;
            }
            slot.send(*told.borrow());
        }
    })?;
    for message in 0..SENDERS {
        let sender = sender.clone();
        ctx.spawn("sends-as-it-may", async move { while sender.send(message).await.is_ok() {} })?;
    }
    Ok(())
}
