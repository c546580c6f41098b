//! An agent that is older than the capability `tasks`, as it really spoke: `tests/fixtures/agent-1bffb08` holds what the agent of that
//! commit sent of a service that holds a lock across an await, stalls a worker and panics.
//!
//! Each file is a list of messages, each with its length before it in four bytes, big-endian: one `DescribeResponse`, some `Update`s of
//! the console's service, some `Report`s of holdup's own.
#![cfg(feature = "demo")]

use console_api::instrument::{InstrumentRequest, instrument_client::InstrumentClient};
use holdup_proto::v1::{DescribeRequest, WatchRequest, diagnostics_client::DiagnosticsClient};
use prost::Message;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tonic::Streaming;

/// Messages of each kind that are kept.
const MOST: usize = 8;

/// How the fixture was made: by this, at the commit in its name, with the name of another folder. It is not to be made anew: an agent of
/// today says something else.
#[tokio::test]
#[ignore = "records the agent of today"]
async fn record() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_holdup"))
        .args(["demo-server", "--exit-with-stdin", "--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"])
        .args(["--instrument", "agent", "--workers", "2"])
        .args(["--scenario", "lock-across-await,stalled-by-sleep,panics"])
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the demo server starts");
    let output = server.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let url = lines.find_map(|line| match line.parse() {
        Ok(demo_server::Listening::Console(address)) => Some(format!("http://{address}")),
        _ => None,
    });
    let url = url.expect("it says where it listens");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut diagnostics = DiagnosticsClient::connect(url.clone()).await.expect("it listens");
    let described = diagnostics.describe(DescribeRequest {}).await.expect("it answers").into_inner();
    let updates = InstrumentClient::connect(url).await.expect("it listens").watch_updates(InstrumentRequest {}).await;
    let (updates, reports) = (updates.expect("it answers"), diagnostics.watch(WatchRequest {}).await);
    let (updates, reports) =
        tokio::join!(messages(updates.into_inner()), messages(reports.expect("it answers").into_inner()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agent-today");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, messages) in [("describe", vec![described.encode_to_vec()]), ("updates", updates), ("watch", reports)] {
        let framed = messages.iter().flat_map(|message| {
            let length = u32::try_from(message.len()).expect("a small message").to_be_bytes();
            length.into_iter().chain(message.iter().copied())
        });
        std::fs::write(folder.join(name), framed.collect::<Vec<u8>>()).expect("a file");
    }
    drop(server.stdin.take());
    server.wait().expect("it ends");
}

/// What comes within three seconds, as far as the first [`MOST`].
async fn messages<M: Message + Default>(mut stream: Streaming<M>) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let enough = tokio::time::sleep(Duration::from_secs(3));
    tokio::pin!(enough);
    loop {
        tokio::select! {
            () = &mut enough => return messages,
            message = stream.message(), if messages.len() < MOST => messages.push(message.expect("it goes on").expect("it goes on").encode_to_vec()),
        }
    }
}
