//! The past that the agent keeps by itself, for a client that comes late, or for a file when something critical lasts: `HOLDUP_HISTORY`.
//!
//! ```text
//! keep       a client of the hub's like any other, which reads about once a second
//!   pack       a thread of its own, of the lowest priority: pages → zstd
//!     window     segments, each a whole state and what came after it; the oldest go
//!     file       all of it, as a file
//! ```
//!
//! What the service's threads do for it is what they do for whoever watches. What reads and packs takes at most a hundredth of a processor: where
//! that is too little it is read less often, and the past says so. Each segment begins with a state of its own, which is told anew: a client that has followed up to
//! there hears of nothing twice that it would count twice.

mod file;
mod keep;
mod pack;
mod window;

use crate::{
    missing::Part,
    serve::{holdup::report::Description, hub::Command},
    settings::Settings,
};
use futures::Stream;
use holdup_proto::v1::HistoryPiece;
use keep::{Ask, Keeping};
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tonic::Status;

/// Asks that may wait: there is no more than one client's, and one of each alarm.
const ASKS: usize = 8;

/// What is kept, for who asks for it. There is one of it, or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(Option<Kept>);

#[derive(Debug, Clone)]
struct Kept {
    asks: mpsc::Sender<Ask>,
    /// One is told all of it at a time: what is told stays, although it is too old to be kept.
    turn: Arc<Semaphore>,
}

/// All of it, in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    left: VecDeque<Arc<[u8]>>,
    _turn: OwnedSemaphorePermit,
}

/// What keeps it, to be run where the hub is.
pub(crate) struct Keeper(Option<Keeping>);

impl History {
    /// Gets ready to keep what the settings ask for. Without a thread of its own, nothing is.
    pub(crate) fn start(settings: &Settings, description: &Description) -> (Self, Keeper) {
        let Some(most) = settings.history else { return (Self::default(), Keeper(None)) };
        let (asks, asked) = mpsc::channel(ASKS);
        match pack::start(most, settings.history_dir.clone(), description.clone()) {
            Ok(packer) => {
                let kept = Kept { asks, turn: Arc::new(Semaphore::new(1)) };
                (Self(Some(kept)), Keeper(Some(Keeping::new(asked, packer))))
            }
            Err(error) => {
                description
                    .missing
                    .note(Part::History, &format_args!("no past is kept, since its thread cannot be started: {error}"));
                (Self::default(), Keeper(None))
            }
        }
    }

    /// All of it, up to now.
    pub(crate) async fn fetch(&self) -> Result<Pieces, Status> {
        let none = "this agent keeps no past; HOLDUP_HISTORY=64MiB switches that on";
        let Kept { asks, turn } = self.0.as_ref().ok_or_else(|| Status::failed_precondition(none))?;
        let turn = Arc::clone(turn).try_acquire_owned();
        let turn =
            turn.map_err(|_| Status::resource_exhausted("another client is told the past; try again when it is"))?;
        let stopping = |()| Status::unavailable("the agent is stopping");
        let (answer, answered) = oneshot::channel();
        asks.send(Ask::Fetch(answer)).await.map_err(|_| stopping(()))?;
        let all = answered.await.map_err(|_| stopping(()))?;
        Ok(Pieces { left: all.map_err(|error| Status::internal(error.to_string()))?.into(), _turn: turn })
    }

    /// Something critical lasts: all of it is to be written, if there is a folder for that. Nobody waits for it.
    pub(crate) fn critical(&self, kind: &'static str) {
        if let Some(kept) = &self.0 {
            // Where there is no room the same is about to be written.
            let _ = kept.asks.try_send(Ask::Write(kind));
        }
    }
}

impl Keeper {
    /// Keeps, until the agent ends.
    pub(crate) async fn run(self, hub: mpsc::Sender<Command>) {
        if let Some(keeping) = self.0 {
            keeping.run(hub).await;
        }
    }
}

impl Stream for Pieces {
    type Item = Result<HistoryPiece, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.left.pop_front().map(|piece| Ok(HistoryPiece { content: piece.to_vec() })))
    }
}
