//! The two services' clients, with a deadline on everything that they wait for.

use console_api::{
    instrument::{InstrumentRequest, Update, instrument_client::InstrumentClient},
    tasks::TaskDetails,
};
use holdup_proto::v1::{
    self, DescribeRequest, DescribeResponse, Report, WatchRequest, WatchTaskRequest,
    diagnostics_client::DiagnosticsClient,
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// Far above what anything takes here: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Clients {
    pub instrument: InstrumentClient<InterceptedService<Channel, Shows>>,
    pub diagnostics: DiagnosticsClient<InterceptedService<Channel, Shows>>,
}

/// Shows a token with each call, if there is any.
#[derive(Clone)]
pub(crate) struct Shows(Option<MetadataValue<Ascii>>);

impl Interceptor for Shows {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl Clients {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, None).await
    }

    pub(crate) async fn connect_with(address: SocketAddr, token: Option<&str>) -> Self {
        let shows = Shows(token.map(|token| format!("Bearer {token}").parse().expect("a header")));
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let channel = timeout(PATIENCE, endpoint.connect()).await.expect("in time").expect("it listens");
        let instrument = InstrumentClient::with_interceptor(channel.clone(), shows.clone());
        Self { instrument, diagnostics: DiagnosticsClient::with_interceptor(channel, shows) }
    }

    /// The same, as soon as it answers there.
    pub(crate) async fn connect_later(address: SocketAddr) -> Self {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let answers = async {
            loop {
                if let Ok(channel) = endpoint.connect().await
                    && DiagnosticsClient::new(channel).describe(DescribeRequest {}).await.is_ok()
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, answers).await.expect("in time");
        Self::connect(address).await
    }

    pub(crate) async fn describe(&mut self) -> DescribeResponse {
        let answer = timeout(PATIENCE, self.diagnostics.describe(DescribeRequest {})).await.expect("in time");
        answer.expect("it answers").into_inner()
    }

    pub(crate) async fn reports(&mut self) -> Streaming<Report> {
        let answer = timeout(PATIENCE, self.diagnostics.watch(WatchRequest {})).await.expect("in time");
        answer.expect("it answers").into_inner()
    }

    pub(crate) async fn updates(&mut self) -> Streaming<Update> {
        let answer = timeout(PATIENCE, self.instrument.watch_updates(InstrumentRequest {})).await.expect("in time");
        answer.expect("it answers").into_inner()
    }

    pub(crate) async fn details(&mut self, task: u64) -> TaskDetails {
        let request = console_api::instrument::TaskDetailsRequest { id: Some(task.into()) };
        let answer = timeout(PATIENCE, self.instrument.watch_task_details(request)).await.expect("in time");
        next(&mut answer.expect("it answers").into_inner()).await
    }
}

impl Clients {
    /// What `Watch`'s own service tells of one task.
    pub(crate) async fn watched_details(&mut self, task_id: u64) -> Result<v1::TaskDetails, tonic::Status> {
        let asked = self.diagnostics.watch_task(WatchTaskRequest { task_id });
        let mut stream = timeout(PATIENCE, asked).await.expect("in time")?.into_inner();
        Ok(next(&mut stream).await)
    }
}

/// The next message of a stream that goes on.
pub(crate) async fn next<M>(stream: &mut Streaming<M>) -> M {
    let message = timeout(PATIENCE, stream.message()).await.expect("in time");
    message.expect("no error").expect("the stream goes on")
}

/// The first report, from now on, of which this holds.
pub(crate) async fn until(stream: &mut Streaming<Report>, mut holds: impl FnMut(&Report) -> bool) -> Report {
    loop {
        let report = next(stream).await;
        if holds(&report) {
            return report;
        }
    }
}

/// A runtime for a test's own side.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}
