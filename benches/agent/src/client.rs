//! A client, over the wire: what it is told of a service's tasks and stalls, and when.

use crate::{mode::STALL_THRESHOLD, service::SHORT_LINE};
use console_api::{
    instrument::{InstrumentRequest, Update, instrument_client::InstrumentClient},
    tasks::TaskUpdate,
};
use holdup_proto::v1::{Report, Stall, WatchRequest, diagnostics_client::DiagnosticsClient};
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};
use tokio::time::sleep;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

/// How long a service may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a service may send ahead, in bytes, on a stream and on all of them: what holdup allows.
const WINDOWS: [u32; 2] = [4 << 20, 8 << 20];

/// A client that is attached.
pub struct Client {
    updates: Streaming<Update>,
    /// Of an agent alone.
    reports: Option<Streaming<Report>>,
    /// What it has been told so far.
    pub seen: Seen,
}

/// What a client was told.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every task.
    pub tasks: HashSet<u64>,
    /// Short tasks of a flood that were announced, and those of them whose end was told too.
    short: HashSet<u64>,
    pub ended: HashSet<u64>,
    /// How old the oldest of them was when the client heard of it.
    pub oldest: Duration,
    /// Events on tasks that the service says it dropped.
    dropped: u64,
    /// What an agent says is lost of tasks, since it started.
    lost: u64,
    /// How long after the threshold a stall was told, by its id, and how long after it with its stack.
    pub stalls: HashMap<u64, Duration>,
    pub stacks: HashMap<u64, Duration>,
}

impl Client {
    /// Attaches, as soon as the service listens.
    pub async fn attach(address: SocketAddr) -> Result<Self, String> {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
        let endpoint = endpoint.initial_stream_window_size(WINDOWS[0]).initial_connection_window_size(WINDOWS[1]);
        let start = Instant::now();
        let channel = loop {
            match endpoint.connect().await {
                Ok(channel) => break channel,
                Err(error) if start.elapsed() > PATIENCE => return Err(format!("it does not listen: {error}")),
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        let updates = InstrumentClient::new(channel.clone()).watch_updates(InstrumentRequest {}).await;
        let updates = updates.map_err(|status| status.to_string())?.into_inner();
        Ok(Self { updates, reports: watch(channel).await, seen: Seen::default() })
    }

    /// Waits for the next message, and takes note of it. May be given up at any time.
    pub async fn hear(&mut self) -> Result<(), String> {
        let report = async {
            match &mut self.reports {
                Some(reports) => reports.message().await,
                None => std::future::pending().await,
            }
        };
        let ended = || "the stream has ended".to_owned();
        tokio::select! {
            update = self.updates.message() => {
                let update = update.map_err(|status| status.message().to_owned())?.ok_or_else(ended)?;
                self.seen.update(update);
            }
            report = report => {
                let report = report.map_err(|status| status.message().to_owned())?.ok_or_else(ended)?;
                self.seen.report(&report);
            }
        }
        Ok(())
    }

    /// Listens for a while.
    pub async fn listen(&mut self, while_: Duration) -> Result<(), String> {
        let end = tokio::time::Instant::now() + while_;
        while let Ok(heard) = tokio::time::timeout_at(end, self.hear()).await {
            heard?;
        }
        Ok(())
    }
}

/// What an agent tells beyond the console's format; `None` when it is none.
async fn watch(channel: Channel) -> Option<Streaming<Report>> {
    Some(DiagnosticsClient::new(channel).watch(WatchRequest {}).await.ok()?.into_inner())
}

impl Seen {
    /// What the service says was lost of tasks, whichever way it says so.
    pub fn told_lost(&self) -> u64 {
        self.dropped.max(self.lost)
    }

    fn update(&mut self, update: Update) {
        let TaskUpdate { new_tasks, stats_update, dropped_events } = update.task_update.unwrap_or_default();
        self.dropped += dropped_events;
        for task in new_tasks {
            let Some(id) = task.id else { continue };
            self.tasks.insert(id.id);
            if task.location.is_some_and(|location| location.line == Some(SHORT_LINE)) {
                self.short.insert(id.id);
                let created = stats_update.get(&id.id).and_then(|stats| stats.created_at);
                self.oldest = self.oldest.max(age(created));
            }
        }
        let ended = stats_update.into_iter().filter(|(_, stats)| stats.dropped_at.is_some());
        self.ended.extend(ended.map(|(id, _)| id).filter(|id| self.short.contains(id)));
    }

    fn report(&mut self, report: &Report) {
        // On the last page all of them are listed.
        if !report.losses.is_empty() {
            let of_tasks =
                report.losses.iter().filter(|loss| ["finished-tasks", "unseen"].contains(&loss.kind.as_str()));
            self.lost = of_tasks.map(|loss| loss.count).sum();
        }
        for Stall { id, since, stack, .. } in &report.stalls {
            let late = age(*since).saturating_sub(STALL_THRESHOLD);
            self.stalls.entry(*id).or_insert(late);
            if stack.is_some() {
                self.stacks.entry(*id).or_insert(late);
            }
        }
    }
}

/// How long ago a time was.
fn age(at: Option<prost_types::Timestamp>) -> Duration {
    let at = at.and_then(|at| SystemTime::try_from(at).ok());
    at.and_then(|at| at.elapsed().ok()).unwrap_or_default()
}
