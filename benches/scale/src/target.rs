//! A target that serves synthetic tasks over the console wire format, for measuring clients.
//!
//! `cargo run --release -p holdup-scale --bin synthetic-target -- --tasks 100000 --change 1`
//!
//! Tasks trip no lint unless that is asked for: `--flagged 2 --places 950` gives two percent of them a large future, spawned at
//! 950 places, and `--locks 10000` lets so many of them sleep with a mutex in their hands.
//!
//! It prints where it listens, and, when the first of a first message goes to a client, that it does.
//!
//! Most tasks are idle; each interval a share of them has been polled, and some end and others start. The first state comes as
//! one message, as console-subscriber sends it, or in pages, as an agent sends it and as a client with a limit of 4 MiB needs it.

mod connection;
mod locks;
mod proto;
mod state;

use clap::Parser;
use connection::Connection;
use console_api::instrument::{
    InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State, StateRequest,
    TaskDetailsRequest, Temporality, Update,
    instrument_server::{Instrument, InstrumentServer},
};
use console_api::tasks::TaskDetails;
use state::{Flagged, Tasks};
use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_stream::{
    StreamExt,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status};

/// Serves synthetic tasks over the console wire format.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// Where to listen; port 0 picks a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// Live tasks.
    #[arg(long, default_value_t = 1_000)]
    tasks: usize,
    /// Percentage of the tasks that is polled each second.
    #[arg(long, default_value_t = 1.0)]
    change: f64,
    /// Tasks that end, and others that start, each second.
    #[arg(long, default_value_t = 0)]
    churn: usize,
    /// Percentage of the tasks whose future is large, which is a finding for each of their places.
    #[arg(long, default_value_t = 0.0)]
    flagged: f64,
    /// Spawn locations that those are spread over.
    #[arg(long, default_value_t = 950)]
    places: u64,
    /// Mutexes, each held by a task that sleeps; not more than there are tasks.
    #[arg(long, default_value_t = 0)]
    locks: usize,
    /// Time between two updates.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// Tasks in each message of the first state, which is otherwise one message, as console-subscriber's is; an agent's is in
    /// pages of 500.
    #[arg(long)]
    page: Option<usize>,
    /// Targets, each on a port of its own.
    #[arg(long, default_value_t = 1)]
    listeners: u16,
    /// Let each connection end after so long, as of a target that is restarted again and again.
    #[arg(long, value_parser = humantime::parse_duration)]
    hang_up: Option<Duration>,
}

struct Target {
    args: Args,
    /// Made before anybody asks, so that a client's first wait is for the message and not for its making.
    prepared: Mutex<Option<Prepared>>,
}

struct Prepared {
    tasks: Tasks,
    first: Vec<Update>,
}

impl Prepared {
    fn new(args: &Args) -> Self {
        let flagged = Flagged { percent: args.flagged, places: args.places };
        let tasks = Tasks::new(args.tasks, flagged, args.locks);
        let page = args.page.unwrap_or(args.tasks).max(1);
        let first = tasks.first_state(page).collect();
        Self { tasks, first }
    }
}

#[tonic::async_trait]
impl Instrument for Target {
    type WatchUpdatesStream = ReceiverStream<Result<Update, Status>>;
    type WatchTaskDetailsStream = ReceiverStream<Result<TaskDetails, Status>>;
    type WatchStateStream = ReceiverStream<Result<State, Status>>;

    async fn watch_updates(&self, _: Request<InstrumentRequest>) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        let (updates, stream) = mpsc::channel(16);
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        tokio::spawn(serve(self.args.clone(), prepared, updates));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn watch_task_details(
        &self,
        _: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        Err(Status::not_found("synthetic tasks have no details"))
    }

    async fn watch_state(&self, _: Request<StateRequest>) -> Result<Response<Self::WatchStateStream>, Status> {
        let (states, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            // tokio-console connects only to a target that tells its state; this one never changes.
            if states.send(Ok(State { temporality: Temporality::Live.into() })).await.is_ok() {
                states.closed().await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn pause(&self, _: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        Err(Status::unimplemented("a synthetic target is always live"))
    }

    async fn resume(&self, _: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        Ok(Response::new(ResumeResponse {}))
    }
}

async fn serve(args: Args, prepared: Option<Prepared>, updates: mpsc::Sender<Result<Update, Status>>) {
    let Prepared { mut tasks, first } = prepared.unwrap_or_else(|| Prepared::new(&args));
    for update in first {
        if updates.send(Ok(update)).await.is_err() {
            return;
        }
    }
    let mut ticks = tokio::time::interval(args.interval);
    ticks.tick().await;
    let share = args.interval.as_secs_f64();
    let changed = (args.tasks as f64 * args.change / 100.0 * share).round() as usize;
    let churned = (args.churn as f64 * share).round() as usize;
    loop {
        ticks.tick().await;
        if updates.send(Ok(tasks.next_update(changed, churned))).await.is_err() {
            return;
        }
    }
}

async fn listen(target: Target, listener: tokio::net::TcpListener) -> Result<(), tonic::transport::Error> {
    let hang_up = target.args.hang_up;
    let connections = TcpListenerStream::new(listener);
    tonic::transport::Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 22)
        .add_service(InstrumentServer::new(target))
        .serve_with_incoming(connections.map(move |stream| stream.map(|stream| Connection::new(stream, hang_up))))
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut serving = tokio::task::JoinSet::new();
    for _ in 0..args.listeners {
        let target = Target { prepared: Mutex::new(Some(Prepared::new(&args))), args: args.clone() };
        let listener = tokio::net::TcpListener::bind(args.addr).await?;
        println!("console listening on http://{}", listener.local_addr()?);
        serving.spawn(listen(target, listener));
    }
    while let Some(ended) = serving.join_next().await {
        ended??;
    }
    Ok(())
}
