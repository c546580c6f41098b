//! The call `Watch` of an agent: reports for as long as the session lives.
//!
//! Reports come through tonic in whole messages of 4 MiB at most. They are taken apart here field by field, so that a message
//! that is full of tiny entries never becomes a structure a hundred times its size, and one that is broken costs itself alone.

use super::{
    calls::Told,
    decode,
    failure::Failure,
    protobuf::{Payload, Read, read_field},
    transport::Transport,
};
use crate::model::{
    report::Report,
    update::{DecodeIssues, Part},
};
use holdup_proto::v1 as proto;
use prost::{Message, bytes::Buf as _};
use std::time::Duration;
use tokio::{sync::mpsc, time::sleep};
use tonic::{
    Code, Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Bytes, http::uri::PathAndQuery},
};

const PATH: &str = "/holdup.v1.Diagnostics/Watch";

/// A stream that broke is asked for again after this long, for as long as the connection stands.
const AGAIN: Duration = Duration::from_secs(1);

/// An entry of more than this is skipped unread.
const MAX_ENTRY: usize = 256 * 1024;

/// Tells reports until the session ends, or the target turns out not to know the call: an older agent.
pub(super) async fn watch(transport: Transport, told: mpsc::Sender<Told>) {
    loop {
        let status = match open(&transport).await {
            Ok(mut reports) => deliver(&mut reports, &told).await,
            Err(status) => status,
        };
        tracing::debug!(code = ?status.code(), "the target's reports ended");
        let reason = match status.code() {
            Code::Unimplemented => "this agent is older, and does not tell of workers and stalls".to_owned(),
            Code::Ok => "the target ended its reports".to_owned(),
            code => Failure::of_status(code, status.message()).to_string(),
        };
        if told.send(Told::NoReports(reason)).await.is_err() || status.code() == Code::Unimplemented {
            return;
        }
        sleep(AGAIN).await;
    }
}

async fn open(transport: &Transport) -> Result<Streaming<Bytes>, Status> {
    let mut client = Grpc::new(transport.service.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::from_static(PATH);
    Ok(client.server_streaming(Request::new(()), path, Raw).await?.into_inner())
}

/// Tells reports until there are no more, and then how that came.
async fn deliver(reports: &mut Streaming<Bytes>, told: &mpsc::Sender<Told>) -> Status {
    loop {
        match reports.message().await {
            Ok(Some(bytes)) => {
                if told.send(Told::Report(Box::new(read(&bytes)))).await.is_err() {
                    return Status::ok("nobody listens");
                }
            }
            Ok(None) => return Status::ok("the stream ended"),
            Err(status) => return status,
        }
    }
}

/// One message as a report. What of it cannot be used is counted.
fn read(mut bytes: &[u8]) -> Report {
    let mut report = Report::default();
    while !bytes.is_empty() {
        let Read::Field(field, header) = read_field(bytes) else { return give_up(report) };
        let length = match field.payload {
            Payload::Varint(value) => {
                if field.number == 2 && value != 0 {
                    report.part = Part::More;
                }
                0
            }
            Payload::Fixed(length) => length,
            Payload::Bytes(length) => usize::try_from(length).unwrap_or(usize::MAX),
        };
        let Some((entry, rest)) = bytes.get(header..).and_then(|rest| rest.split_at_checked(length)) else {
            return give_up(report);
        };
        bytes = rest;
        if let Payload::Bytes(_) = field.payload {
            if length > MAX_ENTRY {
                report.issues.too_large += 1;
            } else {
                take(field.number, entry, &mut report);
            }
        }
    }
    report
}

/// What is here is not protobuf, and there is no way to find what follows it.
fn give_up(mut report: Report) -> Report {
    report.issues.malformed += 1;
    report
}

/// Takes one entry in, by its field number in `holdup.proto`.
fn take(number: u64, entry: &[u8], report: &mut Report) {
    let issues = &mut report.issues;
    match number {
        1 => {
            if let Some(now) = message(entry, issues) {
                report.now = decode::stamp(Some(now), issues);
            }
        }
        3 => report.runtimes.extend(message(entry, issues).map(|one| decode::runtime(one, issues))),
        4 => report.workers.extend(message(entry, issues).map(|one| decode::worker(one, issues))),
        5 => report.locks.extend(message(entry, issues).and_then(|one| decode::lock(one, issues))),
        6 => report.dropped_locks.extend(decode::packed_ids(entry, issues)),
        7 => report.stalls.extend(message(entry, issues).and_then(|one| decode::stall(one, issues))),
        8 => report.spans.extend(message(entry, issues).and_then(|one| decode::spans(one, issues))),
        9 => report.panics.extend(message(entry, issues).and_then(|one| decode::panic(one, issues))),
        10 => report.losses.extend(message::<proto::Loss>(entry, issues).map(|one| decode::loss(one, issues))),
        11 => report.tasks.extend(message(entry, issues).and_then(|one| decode::task_facts(&one, issues))),
        _ => {}
    }
}

fn message<M: Message + Default>(bytes: &[u8], issues: &mut DecodeIssues) -> Option<M> {
    let message = M::decode(bytes).ok();
    issues.malformed += u64::from(message.is_none());
    message
}

/// Sends a message without fields, and hands out messages as bytes.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = ();
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = ();
    type Error = Status;

    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(bytes.copy_to_bytes(bytes.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn a_report_is_read_field_by_field() {
        let worker = proto::Worker { runtime_id: 1, index: 3, polling: 17, ..proto::Worker::default() };
        let sent = proto::Report {
            now: Some(at(5)),
            more: true,
            workers: vec![worker],
            dropped_locks: vec![7, 300],
            ..proto::Report::default()
        };
        let report = read(&sent.encode_to_vec());
        assert_eq!((report.part, report.workers.len()), (Part::More, 1));
        assert_eq!(report.now.map(crate::model::Stamp::nanos), Some(5_000_000_000));
        assert_eq!(report.dropped_locks.iter().map(|id| id.0).collect::<Vec<_>>(), [7, 300]);
        assert_eq!(report.issues, DecodeIssues::default());
    }

    #[test]
    fn a_broken_entry_costs_itself_alone() {
        // A worker that is no message, and after it a loss that is one.
        let mut bytes = vec![0x22, 0x02, 0xff, 0xff];
        let loss = proto::Loss { kind: "finished-tasks".into(), count: 3 };
        bytes.extend(proto::Report { losses: vec![loss], ..proto::Report::default() }.encode_to_vec());
        let report = read(&bytes);
        assert_eq!((report.losses.len(), report.issues.malformed), (1, 1));
        // A length that leads past the end.
        bytes.extend([0x2a, 0x7f, 0x00]);
        assert_eq!(read(&bytes).issues.malformed, 2);
    }

    #[test]
    fn an_entry_that_is_too_large_is_skipped() {
        let loss = proto::Loss { kind: "x".repeat(MAX_ENTRY), count: 3 };
        let report = read(&proto::Report { losses: vec![loss], ..proto::Report::default() }.encode_to_vec());
        assert_eq!((report.losses.len(), report.issues.too_large), (0, 1));
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            read(&bytes);
        }

        #[test]
        fn nothing_that_almost_is_a_report_panics(cut in 0_usize..400, flip in 0_usize..400, bit in 0_u8..8) {
            let frame = proto::Frame { function: "f".into(), line: 7, ..proto::Frame::default() };
            let stack = proto::Stack { frames: vec![frame; 3], ..proto::Stack::default() };
            let holder = proto::lock::Holder {
                task_id: 3, since: Some(at(-1)), access: 9, acquired_at: Some(stack.clone()), ..Default::default()
            };
            let lock = proto::Lock { resource_id: 4, holders: vec![holder; 2], hold_times: vec![1; 70], ..Default::default() };
            let stall = proto::Stall { id: 1, since: Some(at(3)), stack: Some(stack), cause: -4, ..Default::default() };
            let sent = proto::Report { locks: vec![lock], stalls: vec![stall], ..Default::default() };
            let mut bytes = sent.encode_to_vec();
            bytes.truncate(cut.max(1).min(bytes.len()));
            let flip = flip % bytes.len();
            bytes[flip] ^= 1 << bit;
            read(&bytes);
        }
    }
}
