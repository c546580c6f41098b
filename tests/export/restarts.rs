//! Services that restart again and again, each time with spawn locations that nobody has seen before, and what an export of them takes meanwhile.

use super::{Export, PATIENCE};
use console_api::{
    Location, PollStats,
    field::{self, Value},
    instrument::{
        InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State, StateRequest,
        TaskDetailsRequest, Update,
        instrument_server::{Instrument, InstrumentServer},
    },
    tasks::{Stats, Task, TaskDetails, TaskUpdate, task},
};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::{net::TcpListener, sync::mpsc, time::sleep};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

/// What an export may take.
const MOST: u64 = 150 << 20;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) targets: usize,
    /// Spawn locations of each process.
    pub(super) places: u64,
    /// How long a process lives.
    pub(super) lives: Duration,
    /// How long all of it lasts.
    pub(super) lasts: Duration,
}

/// What there was of all services together.
#[derive(Debug, Default)]
struct Seen {
    processes: AtomicU64,
    places: AtomicU64,
}

struct Restarting(Load, Arc<Seen>);

fn tasks(numbers: std::ops::Range<u64>, ended: Option<SystemTime>) -> Update {
    let now = SystemTime::now();
    let announced = |id: u64| Task {
        id: Some(id.into()),
        metadata: None,
        kind: task::Kind::Spawn.into(),
        fields: vec![console_api::Field {
            name: Some(field::Name::StrName("task.name".into())),
            value: Some(Value::DebugVal(format!("request-{id}"))),
            metadata_id: None,
        }],
        parents: Vec::new(),
        location: Some(Location {
            file: Some(format!("services/orders/src/made/of/{:05}.rs", id / 64)),
            module_path: None,
            line: Some(id as u32 % 64 + 1),
            column: Some(9),
        }),
    };
    let stats = Stats {
        created_at: Some(now.into()),
        dropped_at: ended.map(Into::into),
        poll_stats: Some(PollStats { polls: 3, ..PollStats::default() }),
        ..Stats::default()
    };
    let new_tasks = if ended.is_none() { numbers.clone().map(announced).collect() } else { Vec::new() };
    Update {
        now: Some(now.into()),
        task_update: Some(TaskUpdate {
            new_tasks,
            stats_update: numbers.map(|id| (id, stats)).collect(),
            dropped_events: 0,
        }),
        ..Update::default()
    }
}

#[tonic::async_trait]
impl Instrument for Restarting {
    type WatchUpdatesStream = ReceiverStream<Result<Update, Status>>;
    type WatchTaskDetailsStream = ReceiverStream<Result<TaskDetails, Status>>;
    type WatchStateStream = ReceiverStream<Result<State, Status>>;

    async fn watch_updates(&self, _: Request<InstrumentRequest>) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        let (Self(load, seen), (tell, told)) = (self, mpsc::channel(4));
        let (load, seen) = (*load, Arc::clone(seen));
        tokio::spawn(async move {
            seen.processes.fetch_add(1, Ordering::Relaxed);
            let first = seen.places.fetch_add(load.places, Ordering::Relaxed) + 1;
            let (half, end) = (first + load.places / 2, first + load.places);
            let parts = [tasks(first..half, None), tasks(half..end, None)];
            for part in parts.into_iter().chain([tasks(first..half, Some(SystemTime::now()))]) {
                // Whoever does not listen any more has gone.
                let _ = tell.send(Ok(part)).await;
                sleep(load.lives / 3).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(told)))
    }

    async fn watch_task_details(
        &self,
        _: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        Err(Status::not_found("there are none"))
    }

    async fn watch_state(&self, _: Request<StateRequest>) -> Result<Response<Self::WatchStateStream>, Status> {
        Err(Status::unimplemented("nobody pauses it"))
    }

    async fn pause(&self, _: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        Err(Status::unimplemented("nobody pauses it"))
    }

    async fn resume(&self, _: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        Err(Status::unimplemented("nobody pauses it"))
    }
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// Has an export watch them, and asks it twice a second. It takes no more than it may, and, where the last quarter may have so many percent more than the second, not more
/// than that.
pub(super) fn watched(load: Load, percent: u64) {
    let (runtime, seen) = (tokio::runtime::Runtime::new().unwrap(), Arc::new(Seen::default()));
    let serve = async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap().to_string();
        let service = InstrumentServer::new(Restarting(load, Arc::clone(&seen)));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        target
    };
    let targets = runtime.block_on(async {
        let mut targets = Vec::new();
        for _ in 0..load.targets {
            targets.push(serve().await);
        }
        targets
    });
    let export = Export::start(&targets.iter().map(String::as_str).collect::<Vec<_>>());
    let (begun, mut course, mut lines) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < load.lasts {
        let body = export.asked("GET /metrics", "").1;
        lines = lines.max(body.lines().count());
        for _ in 0..10 {
            course.push(resident(export.child.id()));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let part = |quarter: usize| &course[course.len() * quarter / 4..course.len() * (quarter + 1) / 4];
    let peaks = [0, 1, 2, 3].map(|quarter| part(quarter).iter().copied().max().unwrap());
    let [processes, places] = [&seen.processes, &seen.places].map(|count| count.load(Ordering::Relaxed));
    println!(
        "{} targets, {processes} processes, {places} spawn locations; {lines} lines at the most; KiB by quarters: {:?}",
        load.targets,
        peaks.map(|peak| peak >> 10)
    );
    assert!(processes > load.targets as u64, "nothing has restarted within {PATIENCE:?}");
    assert!(peaks.iter().all(|peak| *peak <= MOST), "more than {MOST}: {peaks:?}");
    assert!(peaks[3] * 100 <= peaks[1] * (100 + percent), "it grows: {peaks:?}");
}
