//! Every call but the one that tells everything, through the generated clients. Each that takes time is a task of its own, which tells
//! what came of it through one channel, so that none of them can hold up the updates.
//!
//! Their messages are small, and tonic's own limit of 4 MiB for each stays in force.

use super::{
    failure::{Failure, Shown, bounded},
    transport::{Requests, Transport},
};
use crate::{
    source::codec::{console, holdup},
    update::{Command, Process, TaskDetails, TaskId, Temporality},
};
use console_api::instrument::{
    self as api, PauseRequest, ResumeRequest, StateRequest, TaskDetailsRequest, instrument_client::InstrumentClient,
};
use holdup_proto::v1::{
    CaptureStacksRequest, DescribeRequest, WatchTaskRequest, diagnostics_client::DiagnosticsClient,
};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tonic::{Code, Status, transport::Channel};

/// What came of a call.
#[derive(Debug)]
pub(super) enum Answer {
    /// The target said whether it sends updates.
    Temporality(Temporality),
    /// Details of a task.
    Details(Box<TaskDetails>),
    /// No details of a task, or no more of them.
    NoDetails(TaskId, String),
    /// A command was carried out, or not.
    Performed(Command, Result<(), String>),
}

fn instrument(transport: &Transport) -> InstrumentClient<Requests<Channel>> {
    InstrumentClient::new(transport.service.clone())
}

/// Who answers, if it is an agent. One that has no room, or asks for a token, says so, and would be taken for a console otherwise; any other answer means that it is none.
pub(super) async fn describe(transport: Transport) -> Result<Option<Process>, Failure> {
    let (mut client, shown) = (DiagnosticsClient::new(transport.service), transport.shown);
    match client.describe(DescribeRequest {}).await {
        Ok(described) => Ok(Some(holdup::process(described.into_inner()))),
        Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::Unauthenticated) => {
            Err(Failure::of_status(status.code(), status.message(), shown))
        }
        Err(status) => {
            tracing::debug!(code = ?status.code(), "the target is no agent");
            Ok(None)
        }
    }
}

/// Tells the target's temporality until the target stops telling. One that does not know the call never tells.
pub(super) async fn watch_state(transport: Transport, answers: mpsc::Sender<Answer>) {
    let mut client = instrument(&transport);
    let watched = async {
        let mut states = client.watch_state(StateRequest {}).await?.into_inner();
        while let Some(state) = states.message().await? {
            let temporality = match api::Temporality::try_from(state.temporality) {
                Ok(api::Temporality::Live) => Temporality::Live,
                Ok(api::Temporality::Paused) => Temporality::Paused,
                Err(_) => continue,
            };
            if answers.send(Answer::Temporality(temporality)).await.is_err() {
                break;
            }
        }
        Ok::<_, Status>(())
    };
    if let Err(status) = watched.await {
        tracing::debug!(code = ?status.code(), "the target does not tell its temporality");
    }
}

/// Tells a task's details until there are no more.
pub(super) async fn watch_details(transport: Transport, task: TaskId, answers: mpsc::Sender<Answer>) {
    let (mut client, shown) = (instrument(&transport), transport.shown);
    let request = TaskDetailsRequest { id: Some(task.0.into()) };
    let watched = async {
        let mut details = client.watch_task_details(request).await?.into_inner();
        while let Some(details) = details.message().await? {
            if let Some(details) = console::task_details(task, &details)
                && answers.send(Answer::Details(Box::new(details))).await.is_err()
            {
                break;
            }
        }
        Ok::<_, Status>(())
    };
    tell_why(watched.await, task, shown, &answers).await;
}

/// Tells a task's details, as an agent tells them, until there are no more.
pub(super) async fn watch_agents_details(transport: Transport, task: TaskId, answers: mpsc::Sender<Answer>) {
    let (mut client, shown) = (DiagnosticsClient::new(transport.service), transport.shown);
    let watched = async {
        let mut details = client.watch_task(WatchTaskRequest { task_id: task.0 }).await?.into_inner();
        while let Some(details) = details.message().await? {
            if let Some(details) = holdup::details(task, details)
                && answers.send(Answer::Details(Box::new(details))).await.is_err()
            {
                break;
            }
        }
        Ok::<_, Status>(())
    };
    tell_why(watched.await, task, shown, &answers).await;
}

/// Tells why there are no details, or no more of them.
async fn tell_why(watched: Result<(), Status>, task: TaskId, shown: Shown, answers: &mpsc::Sender<Answer>) {
    let reason = match watched {
        Ok(()) => "the target sends no more details of this task; it has ended".to_owned(),
        Err(status) if status.code() == Code::NotFound => "the target does not know this task, or no longer".to_owned(),
        Err(status) => refusal(&status, shown),
    };
    // The connection may be over.
    let _ = answers.send(Answer::NoDetails(task, reason)).await;
}

/// Carries out commands in their order: a pause must not overtake the resume that was said before it.
pub(super) async fn perform(
    transport: Transport,
    patience: Duration,
    mut commands: mpsc::Receiver<Command>,
    answers: mpsc::Sender<Answer>,
) {
    let mut client = instrument(&transport);
    while let Some(command) = commands.recv().await {
        let call = async {
            match command {
                Command::PauseTarget => client.pause(PauseRequest {}).await.map(drop),
                Command::ResumeTarget | Command::CatchUp => client.resume(ResumeRequest {}).await.map(drop),
                Command::WatchTask(_)
                | Command::UnwatchTask
                | Command::RetryNow
                | Command::StopForStacks
                | Command::CaptureStacks
                | Command::ReadValues(_)
                | Command::LeaveValues
                | Command::ToggleMemory => Ok(()),
            }
        };
        let result = match timeout(patience, call).await {
            Ok(result) => result.map_err(|status| refusal(&status, transport.shown)),
            Err(_) => Err(format!("no answer within {} s", patience.as_secs_f32())),
        };
        if answers.send(Answer::Performed(command, result)).await.is_err() {
            return;
        }
    }
}

/// Has an agent capture what its workers do. What it finds comes with its updates.
pub(super) async fn capture_stacks(transport: Transport, patience: Duration, answers: mpsc::Sender<Answer>) {
    let (mut client, shown) = (DiagnosticsClient::new(transport.service), transport.shown);
    let result = match timeout(patience, client.capture_stacks(CaptureStacksRequest {})).await {
        Ok(captured) => captured.map(drop).map_err(|status| no_stacks(&status, shown)),
        Err(_) => Err(format!("no answer within {} s", patience.as_secs_f32())),
    };
    // The connection may be over.
    let _ = answers.send(Answer::Performed(Command::CaptureStacks, result)).await;
}

/// Why none were captured: the agent's own words where they say it.
fn no_stacks(status: &Status, shown: Shown) -> String {
    match status.code() {
        Code::Unimplemented => TOO_OLD.to_owned(),
        Code::PermissionDenied => NO_RIGHT.to_owned(),
        Code::ResourceExhausted | Code::FailedPrecondition => bounded(status.message()),
        _ => refusal(status, shown),
    }
}

/// What an agent says that does not know the call, in words.
const TOO_OLD: &str = "this service's agent is older than this client: it captures no stacks on demand";

/// What is missing, and what gives it.
const NO_RIGHT: &str = "no right to capture: a token needs `watch,capture` behind it, a name `=watch+capture`";

fn refusal(status: &Status, shown: Shown) -> String {
    match Failure::of_status(status.code(), status.message(), shown) {
        Failure::NotConsole => "the target does not know this call; it is older than this client".to_owned(),
        Failure::Refusal { code, message } => format!("{} ({code})", bounded(&message)),
        failure => failure.to_string(),
    }
}
