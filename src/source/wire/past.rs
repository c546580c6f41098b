//! The past that an agent has kept, asked for once.

use super::{
    failure::{Failure, bounded},
    options::Options,
    transport,
};
use crate::source::Target;
use holdup_proto::v1::{FetchHistoryRequest, diagnostics_client::DiagnosticsClient};
use tokio::time::timeout;
use tonic::{Code, Status};

/// More than this no agent keeps.
const MOST: usize = 4 << 30;

/// Asks for it: the bytes of a file of it, or in words why there are none.
pub async fn fetch_past(target: &Target, options: &Options) -> Result<Vec<u8>, String> {
    let transport = transport::connect(target, options).await.map_err(|failure| failure.to_string())?;
    let shown = transport.shown;
    let refusal = |status: &Status| match status.code() {
        Code::Unimplemented => NO_AGENT.to_owned(),
        Code::FailedPrecondition => bounded(status.message()),
        _ => match Failure::of_status(status.code(), status.message(), shown) {
            Failure::Refusal { code, message } => format!("{} ({code})", bounded(&message)),
            failure => failure.to_string(),
        },
    };
    let waited = options.answer_timeout;
    let no_answer = |_| Failure::NoAnswer { target: target.short(), waited }.to_string();
    let mut client = DiagnosticsClient::new(transport.service);
    let answer = timeout(waited, client.fetch_history(FetchHistoryRequest {})).await.map_err(no_answer)?;
    let mut pieces = answer.map_err(|status| refusal(&status))?.into_inner();
    let mut bytes = Vec::new();
    loop {
        let piece = timeout(waited, pieces.message()).await.map_err(no_answer)?.map_err(|status| refusal(&status))?;
        let Some(piece) = piece else { return Ok(bytes) };
        if bytes.len() + piece.content.len() > MOST {
            return Err("it tells more than any agent keeps".to_owned());
        }
        bytes.extend(piece.content);
    }
}

/// What a console says, and an agent that is older.
const NO_AGENT: &str = "what answers there keeps no past: it is no agent, or one that is older than this client";
