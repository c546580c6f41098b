//! A console server that does what a test tells it to, on a real socket and a runtime of its own: dropping it is a process
//! that dies.

use console_api::{
    instrument::{
        InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State, StateRequest,
        TaskDetailsRequest, Temporality, Update,
        instrument_server::{Instrument, InstrumentServer},
    },
    tasks::TaskDetails,
};
use futures::{StreamExt, stream::BoxStream};
use holdup_proto::v1::{
    CaptureStacksRequest, CaptureStacksResponse, DescribeRequest, DescribeResponse, FetchHistoryRequest, HistoryPiece,
    Process, Report, WatchRequest, WatchTaskRequest,
    diagnostics_server::{Diagnostics, DiagnosticsServer},
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use tokio::{
    net::UnixListener,
    runtime::Runtime,
    sync::{broadcast, watch},
};
use tokio_stream::wrappers::{BroadcastStream, TcpListenerStream, UnixListenerStream, WatchStream};
use tonic::{
    Request, Response, Status,
    service::Routes,
    transport::{Server, server::Connected},
};

/// Something that listens, and the runtime that it lives on.
pub(crate) struct Peer {
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Peer {
    /// Serves on a free port of the loopback interface.
    pub(crate) fn serve(routes: Routes) -> Self {
        Self::serve_at(([127, 0, 0, 1], 0).into(), routes)
    }

    /// Serves at an address, waiting for whoever had it to let it go.
    pub(crate) fn serve_at(address: SocketAddr, routes: Routes) -> Self {
        let listener = bind(address);
        Self::run(listener, move |listener| async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            serve(TcpListenerStream::new(listener), routes).await;
        })
    }

    /// Serves on a Unix socket.
    pub(crate) fn serve_unix(path: &Path, routes: Routes) -> Self {
        let path = path.to_owned();
        Self::run(bind(([127, 0, 0, 1], 0).into()), move |_| async move {
            let listener = UnixListener::bind(path).expect("a free path");
            serve(UnixListenerStream::new(listener), routes).await;
        })
    }

    /// Answers every connection with these bytes and closes it, or, without any, never says a word.
    pub(crate) fn say(bytes: &'static [u8]) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        Self::run(bind(([127, 0, 0, 1], 0).into()), move |listener| async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(async move {
                    let mut buffer = [0; 1024];
                    let _ = stream.read(&mut buffer).await;
                    if bytes.is_empty() {
                        std::future::pending::<()>().await;
                    }
                    let _ = stream.write_all(bytes).await;
                    let _ = stream.shutdown().await;
                    // Whatever else comes is read, so that closing is no reset.
                    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
                });
            }
        })
    }

    /// Lets something listen on a runtime of its own.
    pub(crate) fn run<F>(listener: TcpListener, serve: impl FnOnce(TcpListener) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().expect("a bound socket");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        runtime.spawn(serve(listener));
        Self { address, runtime: Some(runtime) }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An address of the loopback interface at which nothing listens.
pub(crate) fn free_address() -> SocketAddr {
    bind(([127, 0, 0, 1], 0).into()).local_addr().expect("a bound socket")
}

pub(crate) fn bind(address: SocketAddr) -> TcpListener {
    let listener = (0..500)
        .find_map(|_| {
            let bound = TcpListener::bind(address).ok();
            if bound.is_none() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            bound
        })
        .expect("an address that is free within ten seconds");
    listener.set_nonblocking(true).expect("a socket");
    listener
}

async fn serve<IO>(incoming: impl futures::Stream<Item = std::io::Result<IO>> + Send + Unpin, routes: Routes)
where
    IO: tokio::io::AsyncRead + tokio::io::AsyncWrite + Connected + Unpin + Send + 'static,
{
    Server::builder().add_routes(routes).serve_with_incoming(incoming).await.expect("a server");
}

/// What a subscriber is told of the target's temporality.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateCall {
    Told,
    Unimplemented,
}

/// What becomes of a request to pause.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseCall {
    Answered,
    NeverAnswered,
}

/// What an agent has to report.
#[derive(Clone)]
pub(crate) enum Reports {
    /// It is older than reports.
    Unimplemented,
    /// These, and then nothing more for as long as the connection stands.
    Lasting(Vec<Report>),
    /// These, and then the stream ends.
    Ending(Vec<Report>),
}

/// A console whose every answer is the test's.
#[derive(Clone)]
pub(crate) struct Console {
    /// What a new subscriber is sent first.
    pub first: Vec<Update>,
    pub state: StateCall,
    pub pause: PauseCall,
    /// What an agent says of itself; none for a stock console.
    pub agent: Option<DescribeResponse>,
    /// What an agent reports, each time that it is asked.
    pub reports: Reports,
    /// What it says when it is asked for stacks.
    pub captures: Result<(), Status>,
    /// The bytes of every task's histogram of poll times.
    pub histogram: Vec<u8>,
    pub live: broadcast::Sender<Update>,
    pub counts: Arc<Counts>,
    temporality: watch::Sender<Temporality>,
}

/// What happened at the console.
#[derive(Default)]
pub(crate) struct Counts {
    pub subscribers: AtomicU64,
    /// Updates that the transport asked for.
    pub sent: AtomicU64,
    pub details: AtomicU64,
    pub resumed: AtomicU64,
    pub paused: AtomicU64,
    pub captures: AtomicU64,
    pub states: AtomicU64,
}

/// What an agent that can tell this says of itself.
pub(crate) fn agent(capabilities: &[&str]) -> DescribeResponse {
    DescribeResponse {
        process: Some(Process {
            boot_id: vec![0xca, 0xfe],
            pid: 4242,
            name: "echo-demo".to_owned(),
            ..Process::default()
        }),
        capabilities: capabilities.iter().map(ToString::to_string).collect(),
        ..DescribeResponse::default()
    }
}

/// Counts a stream as long as it lives.
struct Counted(Arc<Counts>, fn(&Counts) -> &AtomicU64);

impl Counted {
    fn new(counts: &Arc<Counts>, of: fn(&Counts) -> &AtomicU64) -> Self {
        of(counts).fetch_add(1, SeqCst);
        Self(counts.clone(), of)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, SeqCst);
    }
}

impl Console {
    pub(crate) fn new(first: Vec<Update>) -> Self {
        Self {
            first,
            state: StateCall::Told,
            pause: PauseCall::Answered,
            agent: None,
            reports: Reports::Unimplemented,
            captures: Ok(()),
            histogram: Vec::new(),
            live: broadcast::channel(64).0,
            counts: Arc::default(),
            temporality: watch::channel(Temporality::Live).0,
        }
    }

    pub(crate) fn routes(&self) -> Routes {
        let routes = Routes::new(InstrumentServer::new(self.clone()));
        match self.agent {
            Some(_) => routes.add_service(DiagnosticsServer::new(self.clone())),
            None => routes,
        }
    }

    pub(crate) fn serve(&self) -> Peer {
        Peer::serve(self.routes())
    }
}

#[tonic::async_trait]
impl Instrument for Console {
    type WatchUpdatesStream = BoxStream<'static, Result<Update, Status>>;
    type WatchTaskDetailsStream = BoxStream<'static, Result<TaskDetails, Status>>;
    type WatchStateStream = BoxStream<'static, Result<State, Status>>;

    async fn watch_updates(&self, _: Request<InstrumentRequest>) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        let counted = Counted::new(&self.counts, |counts| &counts.subscribers);
        let live =
            BroadcastStream::new(self.live.subscribe()).map(|update| update.map_err(|_| Status::aborted("too slow")));
        let stream = futures::stream::iter(self.first.clone())
            .map(Ok)
            .chain(live)
            .inspect(move |_| _ = counted.0.sent.fetch_add(1, SeqCst));
        Ok(Response::new(stream.boxed()))
    }

    async fn watch_task_details(
        &self,
        request: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        use console_api::tasks::task_details::PollTimesHistogram;
        let task_id = request.into_inner().id;
        if task_id.is_none_or(|id| id.id >= 100) {
            return Err(Status::not_found("task not found"));
        }
        let counted = Counted::new(&self.counts, |counts| &counts.details);
        let details = TaskDetails {
            task_id,
            poll_times_histogram: Some(PollTimesHistogram::LegacyHistogram(self.histogram.clone())),
            ..TaskDetails::default()
        };
        let stream = futures::stream::once(async { Ok(details) })
            .chain(futures::stream::pending())
            .inspect(move |_| _ = &counted);
        Ok(Response::new(stream.boxed()))
    }

    async fn watch_state(&self, _: Request<StateRequest>) -> Result<Response<Self::WatchStateStream>, Status> {
        self.counts.states.fetch_add(1, SeqCst);
        if self.state == StateCall::Unimplemented {
            return Err(Status::unimplemented("an older subscriber"));
        }
        let states = WatchStream::new(self.temporality.subscribe())
            .map(|temporality| Ok(State { temporality: temporality.into() }));
        Ok(Response::new(states.boxed()))
    }

    async fn pause(&self, _: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        self.counts.paused.fetch_add(1, SeqCst);
        if self.pause == PauseCall::NeverAnswered {
            std::future::pending::<()>().await;
        }
        self.temporality.send_replace(Temporality::Paused);
        Ok(Response::new(PauseResponse {}))
    }

    async fn resume(&self, _: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        self.counts.resumed.fetch_add(1, SeqCst);
        self.temporality.send_replace(Temporality::Live);
        Ok(Response::new(ResumeResponse {}))
    }
}

#[tonic::async_trait]
impl Diagnostics for Console {
    type WatchStream = BoxStream<'static, Result<Report, Status>>;
    type WatchTaskStream = BoxStream<'static, Result<holdup_proto::v1::TaskDetails, Status>>;
    type FetchHistoryStream = BoxStream<'static, Result<HistoryPiece, Status>>;

    async fn watch_task(&self, request: Request<WatchTaskRequest>) -> Result<Response<Self::WatchTaskStream>, Status> {
        let task_id = request.into_inner().task_id;
        let bucket = holdup_proto::v1::histogram::Bucket { bound: 1_000, count: 3 };
        let times = holdup_proto::v1::Histogram { buckets: vec![bucket], ..Default::default() };
        let details = holdup_proto::v1::TaskDetails { task_id, poll_times: Some(times), ..Default::default() };
        Ok(Response::new(futures::stream::iter([Ok(details)]).chain(futures::stream::pending()).boxed()))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let told = |reports: &[Report]| futures::stream::iter(reports.to_vec()).map(Ok);
        Ok(Response::new(match &self.reports {
            Reports::Unimplemented => return Err(Status::unimplemented("this peer only describes itself")),
            Reports::Lasting(reports) => told(reports).chain(futures::stream::pending()).boxed(),
            Reports::Ending(reports) => told(reports).boxed(),
        }))
    }

    async fn capture_stacks(
        &self,
        _: Request<CaptureStacksRequest>,
    ) -> Result<Response<CaptureStacksResponse>, Status> {
        self.counts.captures.fetch_add(1, SeqCst);
        match &self.captures {
            Ok(()) => Ok(Response::new(CaptureStacksResponse {})),
            Err(status) => Err(status.clone()),
        }
    }

    async fn fetch_history(
        &self,
        _: Request<FetchHistoryRequest>,
    ) -> Result<Response<Self::FetchHistoryStream>, Status> {
        Err(Status::unimplemented("this peer keeps no past"))
    }

    async fn describe(&self, _: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        self.agent.clone().map(Response::new).ok_or_else(|| Status::unimplemented("a stock console"))
    }
}
