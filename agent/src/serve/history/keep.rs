//! Reads what there is to tell, as a client does.

use super::{
    pack::{Pack, Packer},
    window::Fill,
};
use crate::serve::{
    console::service::ask,
    holdup::pages::{Reports, Whole},
    hub::Command,
    pace::{Pace, Publish},
    subscription::PageStream,
};
use futures::StreamExt as _;
use holdup_proto::v1;
use prost::Message as _;
use std::{future::poll_fn, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

/// How often is read what has changed.
const EVERY: Duration = Duration::from_secs(1);

/// What share of one processor that takes, with the packing, at the most.
const SHARE: f64 = 0.01;

/// Somebody who asks for all of it waits so long for what has changed in this moment.
const SOON: Duration = Duration::from_secs(1);

/// A state that is too large is tried again after so long: it may have become less.
const AGAIN: Duration = Duration::from_secs(60);

/// All of it, or why it cannot be told.
pub(super) type All = io::Result<Vec<Arc<[u8]>>>;

/// What is asked for.
#[derive(Debug)]
pub(super) enum Ask {
    Fetch(oneshot::Sender<All>),
    /// To a file, for this reason.
    Write(&'static str),
}

/// Why a segment ends.
enum End {
    /// It is as long as one is.
    Full,
    /// Its state alone takes too much.
    TooLarge,
    /// The agent does.
    Stopping,
}

/// Where in a segment a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    State,
    Changes,
}

pub(super) struct Keeping {
    asked: mpsc::Receiver<Ask>,
    packer: Packer,
    pace: Pace,
    /// What reading has taken.
    reading: Duration,
}

impl Keeping {
    pub(super) fn new(asked: mpsc::Receiver<Ask>, packer: Packer) -> Self {
        let pace = Pace::new(SHARE, Instant::now(), Duration::ZERO);
        Self { asked, packer, pace, reading: Duration::ZERO }
    }

    pub(super) async fn run(mut self, hub: mpsc::Sender<Command>) {
        let mut before: Option<PageStream<Reports>> = None;
        loop {
            let Ok(mut reports) = ask(&hub, |answer| Command::Reports(Whole::Living, answer)).await else { return };
            // A state has what lives; what has ended up to then is told as what changed before it.
            if let Some(mut before) = before.take()
                && let Ok(None) = timeout(SOON, self.update(&mut before, Of::Changes, None)).await
            {
                return;
            }
            match self.segment(&mut reports).await.unwrap_or(End::Stopping) {
                End::Full => before = Some(reports),
                End::TooLarge if self.pause().await.is_some() => {}
                End::TooLarge | End::Stopping => return,
            }
        }
    }

    /// Waits until a state is tried again. `None` at the agent's end.
    async fn pause(&mut self) -> Option<()> {
        let mut over = pin!(sleep(AGAIN));
        loop {
            tokio::select! {
                () = &mut over => return Some(()),
                asked = self.asked.recv() => self.packer.send(Pack::Asked(asked?)).await?,
            }
        }
    }

    /// One segment. `None` at the agent's end.
    async fn segment(&mut self, reports: &mut PageStream<Reports>) -> Option<End> {
        self.packer.begin().await?;
        self.update(reports, Of::State, None).await?;
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        loop {
            if self.packer.is(Fill::TooLarge) {
                return Some(End::TooLarge);
            }
            if self.packer.is(Fill::Full) {
                return Some(End::Full);
            }
            tokio::select! {
                _ = tick.tick() => {
                    let spent = self.reading + self.packer.spent();
                    if let Publish::Now(every) = self.pace.round(Instant::now(), spent) {
                        self.update(reports, Of::Changes, every).await?;
                    }
                }
                asked = self.asked.recv() => {
                    // What of it is not told in time is told with the next.
                    if let Ok(None) = timeout(SOON, self.update(reports, Of::Changes, None)).await {
                        return None;
                    }
                    self.packer.send(Pack::Asked(asked?)).await?;
                }
            }
        }
    }

    /// One whole update. Dropped in the midst of it, the next one goes on with it.
    async fn update(&mut self, reports: &mut PageStream<Reports>, of: Of, every: Option<Duration>) -> Option<()> {
        loop {
            // A page that was taken has a place.
            let place = self.packer.reserve().await?;
            let reading = &mut self.reading;
            let page = poll_fn(|cx| {
                let began = Instant::now();
                let page = reports.poll_next_unpin(cx);
                *reading += began.elapsed();
                page
            });
            let mut page: v1::Report = page.await?.ok()?;
            let is_last = !page.more;
            if let (true, Some(every)) = (is_last, every) {
                page.told_every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
            }
            let began = Instant::now();
            place.send(Pack::Page(page.encode_length_delimited_to_vec(), of));
            *reading += began.elapsed();
            if is_last {
                return Some(());
            }
        }
    }
}
