//! The console's service, as console-subscriber serves it.

use crate::serve::{
    console::pages::Updates,
    hub::Command,
    subscription::{Messages, PageStream},
};
use console_api::{
    instrument::{
        InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State, StateRequest,
        TaskDetailsRequest, Temporality, instrument_server::Instrument,
    },
    tasks::TaskDetails,
};
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Response, Status, async_trait};

pub(crate) struct Service(pub(crate) mpsc::Sender<Command>);

/// Asks the hub.
pub(crate) async fn ask<T>(
    hub: &mpsc::Sender<Command>,
    command: impl FnOnce(oneshot::Sender<T>) -> Command,
) -> Result<T, Status> {
    let (answer, answered) = oneshot::channel();
    hub.send(command(answer)).await.map_err(|_| stopping())?;
    answered.await.map_err(|_| stopping())
}

/// What is said to those who ask while it ends.
pub(crate) fn stopping() -> Status {
    Status::unavailable("the agent is stopping")
}

#[async_trait]
impl Instrument for Service {
    type WatchUpdatesStream = PageStream<Updates>;
    type WatchTaskDetailsStream = Messages<TaskDetails>;
    type WatchStateStream = Messages<State>;

    async fn watch_updates(
        &self,
        _request: Request<InstrumentRequest>,
    ) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        ask(&self.0, Command::Updates).await.map(Response::new)
    }

    async fn watch_task_details(
        &self,
        request: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        let asked = request.into_inner().id.ok_or_else(|| Status::invalid_argument("missing task_id"))?.id;
        if asked == 0 {
            return Err(Status::invalid_argument("task_id cannot be 0"));
        }
        let stream = ask(&self.0, |answer| Command::Details(asked, answer)).await?;
        stream.map(Response::new).ok_or_else(|| Status::not_found("task not found"))
    }

    async fn watch_state(&self, _request: Request<StateRequest>) -> Result<Response<Self::WatchStateStream>, Status> {
        ask(&self.0, Command::State).await.map(Response::new)
    }

    async fn pause(&self, _request: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        self.0.send(Command::Set(Temporality::Paused)).await.map_err(|_| stopping())?;
        Ok(Response::new(PauseResponse {}))
    }

    async fn resume(&self, _request: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        self.0.send(Command::Set(Temporality::Live)).await.map_err(|_| stopping())?;
        Ok(Response::new(ResumeResponse {}))
    }
}
