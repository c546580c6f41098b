//! One client and what it has yet to be told. Pages are made when there is room for them, so that a slow client gets fewer
//! and newer ones, and never makes anybody wait.

use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};
use tonic::Status;

/// Pages that are made ahead of the network.
const AHEAD: usize = 2;

/// What a client is sent.
pub(super) type Stream<M> = tokio_stream::wrappers::ReceiverStream<Result<M, Status>>;

/// Something of which pages can be made.
pub(super) trait Pages: Send + 'static {
    type Page: Send + 'static;

    /// The next page; `None` when there is nothing to say.
    fn next(&mut self) -> Option<Self::Page>;
}

/// A client as the hub sees it.
#[derive(Debug)]
pub(super) struct Subscription<P> {
    shared: Arc<Shared<P>>,
    gone: mpsc::WeakSender<()>,
}

#[derive(Debug)]
struct Shared<P> {
    pages: Mutex<P>,
    more: Notify,
}

/// Begins to send: the subscription, and what the client reads.
pub(super) fn start<P: Pages>(pages: P) -> (Subscription<P>, Stream<P::Page>) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    // Held by the task alone: when it is gone, so is the client.
    let (alive, _) = mpsc::channel(1);
    let shared = Arc::new(Shared { pages: Mutex::new(pages), more: Notify::new() });
    let subscription = Subscription { shared: Arc::clone(&shared), gone: alive.downgrade() };
    tokio::spawn(async move {
        send(&shared, sender).await;
        drop(alive);
    });
    (subscription, Stream::new(receiver))
}

async fn send<P: Pages>(shared: &Shared<P>, sender: mpsc::Sender<Result<P::Page, Status>>) {
    while let Ok(room) = sender.reserve().await {
        let page = loop {
            let page = shared.pages.lock().next();
            if let Some(page) = page {
                break page;
            }
            tokio::select! {
                () = shared.more.notified() => {}
                () = sender.closed() => return,
            }
        };
        room.send(Ok(page));
        // Between two pages of a large state, others have their turn.
        tokio::task::yield_now().await;
    }
}

impl<P> Subscription<P> {
    /// Whether the client is still there.
    pub(super) fn is_alive(&self) -> bool {
        self.gone.upgrade().is_some()
    }

    /// Notes what the client is to be told with the next round.
    pub(super) fn note(&self, note: impl FnOnce(&mut P)) {
        note(&mut self.shared.pages.lock());
    }

    /// Notes the same, and has it told as soon as there is room.
    pub(super) fn tell(&self, note: impl FnOnce(&mut P)) {
        self.note(note);
        self.shared.more.notify_one();
    }
}
