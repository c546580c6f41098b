//! A receiver that waits for something else.

use std::{io, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{Ctx, InLean, Kind, Raised, Scenario};

/// The channel's room.
const ROOM: usize = 4;

/// Tasks that send.
const SENDERS: u32 = 3;

/// How long the other one takes.
const ANSWERS_AFTER: Duration = Duration::from_secs(3_600);

/// Messages after which the receiver asks somebody else.
const MESSAGES: usize = 10;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "held-up-receiver",
    kind: Kind::Trouble,
    says: "A task receives ten messages and asks another one what to do, which takes an hour; three tasks cannot send.",
    from_agent: Some(&[Raised { lint: "channel-stuck", severity: "warning" }]),
    in_lean: InLean::Nothing,
    tasks: &["asks-and-waits"],
    file: file!(),
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::channel(ROOM);
    let (asks, asked) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    ctx.spawn("answers-late", async move {
        let mut asked = asked;
        while let Some(_question) = asked.recv().await {
            sleep(ANSWERS_AFTER).await;
        }
    })?;
    ctx.spawn("asks-and-waits", async move {
        for _ in 0..MESSAGES {
            if receiver.recv().await.is_none() {
                return;
            }
        }
        let (answer, answered) = oneshot::channel();
        if asks.send(answer).is_ok() {
            let _ = answered.await;
        }
    })?;
    for _ in 0..SENDERS {
        let sender = sender.clone();
        ctx.spawn("cannot-send", async move {
            let mut message = 0u32;
            while sender.send(message).await.is_ok() {
                message = message.wrapping_add(1);
            }
        })?;
    }
    Ok(())
}
