//! A client, over the wire: what it is told of a service's tasks and stalls, and when. Of an agent, holdup reads `Watch` and nothing
//! else; tokio-console reads the console's service, of whoever has it.

use crate::{
    mode::{Reader, STALL_THRESHOLD},
    service::SHORT_LINE,
};
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
use tonic::{Status, Streaming, transport::Endpoint};

/// How long a service may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a service may send ahead, in bytes, on a stream and on all of them: what holdup allows.
const WINDOWS: [u32; 2] = [4 << 20, 8 << 20];

/// What is read.
enum Messages {
    Updates(Streaming<Update>),
    Reports(Streaming<Report>),
}

/// A client that is attached.
pub(crate) struct Client {
    messages: Messages,
    /// What it has been told so far.
    pub seen: Seen,
}

/// What a client was told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
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
    pub(crate) async fn attach(address: SocketAddr, reader: Reader) -> Result<Self, String> {
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
        let messages = match reader {
            Reader::Holdup => Messages::Reports(
                DiagnosticsClient::new(channel).watch(WatchRequest {}).await.map_err(told)?.into_inner(),
            ),
            Reader::Console => {
                let updates = InstrumentClient::new(channel).watch_updates(InstrumentRequest {}).await;
                Messages::Updates(updates.map_err(told)?.into_inner())
            }
        };
        Ok(Self { messages, seen: Seen::default() })
    }

    /// Waits for the next message, and takes note of it. May be given up at any time.
    pub(crate) async fn hear(&mut self) -> Result<(), String> {
        let ended = || "the stream has ended".to_owned();
        match &mut self.messages {
            Messages::Updates(updates) => self.seen.update(updates.message().await.map_err(told)?.ok_or_else(ended)?),
            Messages::Reports(reports) => self.seen.report(reports.message().await.map_err(told)?.ok_or_else(ended)?),
        }
        Ok(())
    }

    /// Listens for a while.
    pub(crate) async fn listen(&mut self, while_: Duration) -> Result<(), String> {
        let end = tokio::time::Instant::now() + while_;
        while let Ok(heard) = tokio::time::timeout_at(end, self.hear()).await {
            heard?;
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn told(status: Status) -> String {
    status.message().to_owned()
}

impl Seen {
    /// What the service says was lost of tasks, whichever way it says so.
    pub(crate) fn told_lost(&self) -> u64 {
        self.dropped.max(self.lost)
    }

    fn update(&mut self, update: Update) {
        let TaskUpdate { new_tasks, stats_update, dropped_events } = update.task_update.unwrap_or_default();
        self.dropped += dropped_events;
        for task in new_tasks {
            let Some(id) = task.id else { continue };
            let line = task.location.and_then(|location| location.line);
            self.begun(id.id, line, stats_update.get(&id.id).and_then(|stats| stats.created_at));
        }
        let ended = stats_update.into_iter().filter(|(_, stats)| stats.dropped_at.is_some());
        self.ended.extend(ended.map(|(id, _)| id).filter(|id| self.short.contains(id)));
    }

    fn begun(&mut self, id: u64, line: Option<u32>, created: Option<prost_types::Timestamp>) {
        self.tasks.insert(id);
        if line == Some(SHORT_LINE) {
            self.short.insert(id);
            self.oldest = self.oldest.max(age(created));
        }
    }

    fn report(&mut self, report: Report) {
        let created: HashMap<u64, _> = report.task_stats.iter().map(|stats| (stats.id, stats.created_at)).collect();
        for task in report.new_tasks {
            let line = task.location.map(|location| location.line);
            self.begun(task.id, line, created.get(&task.id).copied().flatten());
        }
        let ended = report.task_stats.iter().filter(|stats| stats.dropped_at.is_some());
        self.ended.extend(ended.map(|stats| stats.id).filter(|id| self.short.contains(id)));
        // On the last page all of them are listed.
        if !report.losses.is_empty() {
            let of_tasks = report
                .losses
                .iter()
                .filter(|loss| ["finished-tasks", "unseen", "unsent-tasks"].contains(&loss.kind.as_str()));
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
