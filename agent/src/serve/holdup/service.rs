//! holdup's own service.

use super::report::{self, Description, Hears};
use crate::{
    collect::subscriber::agent_spawns,
    serve::{
        console::service::{ask, stopping},
        history::{History, Pieces},
        holdup::pages::{Reports, Whole},
        hub::Command,
        subscription::{Messages, PageStream},
    },
    stalls::round::{NoRound, Rounds},
};
use holdup_proto::v1::{
    CaptureStacksRequest, CaptureStacksResponse, DescribeRequest, DescribeResponse, FetchHistoryRequest, TaskDetails,
    WatchRequest, WatchTaskRequest, diagnostics_server::Diagnostics,
};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tonic::{Request, Response, Status, async_trait};

/// A round is over sooner, unless its thread does not run.
const ROUND: Duration = Duration::from_secs(4);

pub(crate) struct Service {
    pub(crate) hub: mpsc::Sender<Command>,
    pub(crate) rounds: Rounds,
    pub(crate) history: History,
    pub(crate) description: Description,
}

#[async_trait]
impl Diagnostics for Service {
    type WatchStream = PageStream<Reports>;
    type WatchTaskStream = Messages<TaskDetails>;
    type FetchHistoryStream = Pieces;

    /// Asks nobody: it is answered also when there is much to be told to others. It tries whether tokio's events arrive.
    async fn describe(&self, _request: Request<DescribeRequest>) -> Result<Response<DescribeResponse>, Status> {
        let before = agent_spawns();
        // It does not panic.
        let _ = tokio::spawn(async {}).await;
        let hears = if agent_spawns() > before { Hears::Tasks } else { Hears::Nothing };
        Ok(Response::new(report::description(&self.description, hears)))
    }

    async fn watch(&self, _request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        ask(&self.hub, |answer| Command::Reports(Whole::All, answer)).await.map(Response::new)
    }

    async fn watch_task(&self, request: Request<WatchTaskRequest>) -> Result<Response<Self::WatchTaskStream>, Status> {
        let task = request.into_inner().task_id;
        if task == 0 {
            return Err(Status::invalid_argument("task_id cannot be 0"));
        }
        let stream = ask(&self.hub, |answer| Command::ReportDetails(task, answer)).await?;
        stream.map(Response::new).ok_or_else(|| Status::not_found("there is no such task, or no longer"))
    }

    /// How often that may be asked for, and by whom, is the gate's to say. When whoever asks leaves, the round goes on to its end.
    async fn capture_stacks(
        &self,
        _request: Request<CaptureStacksRequest>,
    ) -> Result<Response<CaptureStacksResponse>, Status> {
        let told = self.rounds.ask().map_err(no_round)?;
        match timeout(ROUND, told).await {
            Ok(Ok(Ok(()))) => Ok(Response::new(CaptureStacksResponse {})),
            Ok(Ok(Err(none))) => Err(no_round(none)),
            Ok(Err(_)) => Err(stopping()),
            Err(_) => Err(Status::deadline_exceeded("the thread that captures stacks does not answer")),
        }
    }

    async fn fetch_history(
        &self,
        _request: Request<FetchHistoryRequest>,
    ) -> Result<Response<Self::FetchHistoryStream>, Status> {
        self.history.fetch().await.map(Response::new)
    }
}

fn no_round(none: NoRound) -> Status {
    let said = none.to_string();
    match none {
        NoRound::UnderWay => Status::resource_exhausted(said),
        NoRound::Off | NoRound::NoWorkers | NoRound::NoWatchdog => Status::failed_precondition(said),
    }
}
