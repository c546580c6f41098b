//! A task that nothing can wake any more.

use std::{
    future::{Future, poll_fn},
    io,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use tokio::time::sleep;

use super::{Ctx, InLean, Kind, Scenario};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-waker",
    kind: Kind::Trouble,
    says: "Two tasks read a mailbox that has room for one waker; the second's waker pushes out the first's, which sleeps for ever.",
    raises: Some("lost-waker"),
    severity: Some("critical"),
    in_lean: InLean::Nothing,
    tasks: &["lost-waker"],
    file: file!(),
    start,
    ..Scenario::BASE
};

/// A hand-made mailbox with the usual mistake: it remembers one reader only.
#[derive(Default)]
struct Mailbox {
    letter: Option<u64>,
    reader: Option<Waker>,
}

fn start(ctx: &Ctx) -> io::Result<()> {
    let mailbox = Arc::new(Mutex::new(Mailbox::default()));
    let first = Arc::clone(&mailbox);
    ctx.spawn("lost-waker", async move {
        read(&first).await;
    })?;
    ctx.spawn("lost-waker-second", async move {
        sleep(Duration::from_millis(500)).await;
        read(&mailbox).await;
    })
}

fn read(mailbox: &Mutex<Mailbox>) -> impl Future<Output = u64> + '_ {
    poll_fn(move |cx| {
        let mut mailbox = mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(letter) = mailbox.letter.take() {
            return Poll::Ready(letter);
        }
        mailbox.reader = Some(cx.waker().clone());
        Poll::Pending
    })
}
