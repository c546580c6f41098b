//! What becomes of metrics and records where the collector refuses them, is away, or takes a part. That the wire is right is shown by a collector that is not ours:
//! `tests/export/otlp.rs`.

use super::{Compression, Endpoint, Headers, Plan, Teller};
use crate::{
    diagnose::{Confidence, Finding, FindingId, LINTS, Related, Severity, Status, Subject},
    export::{
        Watching,
        findings::{Heard, Turn},
        keeping::Keeping,
        whose::Whose,
    },
    model::Retention,
    source,
    update::{Span, Stamp},
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
    },
    logs::v1::LogRecord,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status as Refusal, codec::CompressionEncoding, transport::Server};

/// A collector that does as it is told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    records: Vec<LogRecord>,
    requests: usize,
    keys: Vec<String>,
    refuses: Option<Refusal>,
    rejects: i64,
    /// How each request was compressed.
    encodings: Vec<String>,
}

impl Collector {
    fn asked<T>(&self, request: Request<T>) -> Result<T, Refusal> {
        let mut received = self.0.lock().unwrap();
        received.requests += 1;
        let key = request.metadata().get("api-key").map(|key| key.to_str().unwrap().to_owned());
        received.keys.extend(key);
        let encoding = request.metadata().get("grpc-encoding").map(|encoding| encoding.to_str().unwrap().to_owned());
        received.encodings.push(encoding.unwrap_or_default());
        received.refuses.clone().map_or(Ok(()), Err)?;
        Ok(request.into_inner())
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Refusal> {
        self.asked(request)?;
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Refusal> {
        let request = self.asked(request)?;
        let mut received = self.0.lock().unwrap();
        let scopes = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
        received.records.extend(scopes.flat_map(|scope| scope.log_records));
        let rejected = received.rejects;
        let partial_success = (rejected > 0)
            .then(|| ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: "too old".into() });
        Ok(Response::new(ExportLogsServiceResponse { partial_success }))
    }
}

async fn listen(address: &str) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn serve(listener: TcpListener, collector: &Collector) {
    let serving = Server::builder()
        .add_service(MetricsServiceServer::new(collector.clone()).accept_compressed(CompressionEncoding::Gzip))
        .add_service(LogsServiceServer::new(collector.clone()).accept_compressed(CompressionEncoding::Gzip));
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
}

fn keeping() -> Keeping {
    let retention = Retention { keep: None, most: 1, max_bytes: 1 << 20, beside: 0 };
    let settings = crate::diagnose::Settings::default();
    let mut keeping = Keeping::new(Watching { source: source::Options::default(), settings, retention });
    keeping.otlp = Some(Arc::default());
    keeping
}

fn plan(address: SocketAddr) -> Plan {
    let headers: Headers = "api-key=s3cret".parse().unwrap();
    let endpoint: Endpoint = format!("http://{address}").parse().unwrap();
    Plan { endpoint, headers, every: Duration::from_secs(3_600), compression: Compression::None }
}

/// A finding, and what is heard of it.
fn heard(keeping: &Keeping, message: &str, turn: Turn, spans: &[Span]) {
    let lint = LINTS.iter().find(|lint| lint.name == "deadlock").unwrap();
    let finding = Finding {
        id: FindingId(1),
        lint,
        severity: Severity::Critical,
        confidence: Confidence::Exact,
        status: Status::Active,
        subject: Subject::Target,
        since: Stamp::MIN,
        first_seen: Stamp::MIN,
        last_seen: Stamp::MIN,
        episodes: 1,
        message: message.to_owned(),
        evidence: Vec::new(),
        related: Related::default(),
    };
    let whose = Whose {
        service: "orders".into(),
        instrument: "agent",
        tokio: String::new(),
        boot: "b".into(),
        pid: Some(7),
        since: 1,
    };
    let place = "src/db.rs:42".to_owned();
    let lasted = Duration::from_secs(3);
    let heard = Heard { finding: &finding, turn, place, spans, lasted, whose: &whose, now: 5_000_000_000 };
    keeping.otlp.as_ref().unwrap().add("http://orders:6669", &heard);
}

fn bodies(collector: &Collector) -> Vec<String> {
    let received = collector.0.lock().unwrap();
    received.records.iter().map(|record| format!("{:?}", record.body).split('"').nth(1).unwrap().to_owned()).collect()
}

fn counted(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_a_collector_that_is_away_and_the_oldest_go_where_there_is_no_room() {
    let (listener, address) = listen("127.0.0.1:0").await;
    drop(listener);
    let keeping = keeping();
    let outbox = Arc::clone(keeping.otlp.as_ref().unwrap());
    let said = Mutex::new(Vec::new());
    let say = |text: &str| said.lock().unwrap().push(text.to_owned());
    let mut teller = Teller::begin(Some(plan(address)), &keeping, say).unwrap().unwrap();
    for number in 0..5_000 {
        heard(&keeping, &number.to_string(), Turn::Begun, &[]);
    }
    teller.tell_metrics().await;
    teller.tell_records().await;
    assert_eq!((counted(&outbox.errors), counted(&outbox.dropped_records)), (2, 904));
    assert!(counted(&outbox.dropped_points) > 0, "what is told of this program has points");
    let words = said.lock().unwrap().join("\n");
    assert_eq!(words.matches("cannot be reached").count(), 1, "{words}");
    assert!(words.contains("Connection refused") && words.contains("usually 4317"), "{words}");

    let (listener, _) = listen(&address.to_string()).await;
    let collector = Collector::default();
    serve(listener, &collector);
    teller.tell_records().await;
    let bodies = bodies(&collector);
    assert_eq!((bodies.len(), bodies[0].as_str(), bodies[4_095].as_str()), (4_096, "deadlock: 904", "deadlock: 4999"));
    let is_well = || said.lock().unwrap().last().unwrap().contains("is taken again");
    assert!(!is_well(), "metrics are still to be taken");
    teller.tell_metrics().await;
    assert!(is_well());
    assert!(collector.0.lock().unwrap().keys.iter().all(|key| key == "s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_let_go_of_and_what_is_rejected_is_counted() {
    let (listener, address) = listen("127.0.0.1:0").await;
    let collector = Collector::default();
    serve(listener, &collector);
    let keeping = keeping();
    let outbox = Arc::clone(keeping.otlp.as_ref().unwrap());
    let said = Mutex::new(Vec::new());
    let say = |text: &str| said.lock().unwrap().push(text.to_owned());
    let mut teller = Teller::begin(Some(plan(address)), &keeping, say).unwrap().unwrap();
    let refuse = |code: Option<Code>| {
        collector.0.lock().unwrap().refuses = code.map(|code| Refusal::new(code, "not today"));
    };

    refuse(Some(Code::Unauthenticated));
    heard(&keeping, "refused", Turn::Begun, &[]);
    teller.tell_records().await;
    assert_eq!((counted(&outbox.errors), counted(&outbox.dropped_records)), (1, 1));
    refuse(Some(Code::Unavailable));
    heard(&keeping, "later", Turn::Begun, &[]);
    teller.tell_records().await;
    assert_eq!((counted(&outbox.errors), counted(&outbox.dropped_records)), (2, 1));
    refuse(None);
    collector.0.lock().unwrap().rejects = 1;
    teller.tell_records().await;
    assert_eq!(bodies(&collector), ["deadlock: later"]);
    assert_eq!((counted(&outbox.errors), counted(&outbox.dropped_records)), (2, 2));
    let words = said.lock().unwrap().join("\n");
    for part in ["OTEL_EXPORTER_OTLP_HEADERS?", "not take it now: not today", "rejected: too old"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let page = keeping.own();
    assert_eq!(page.value(holdup_metrics::Metric::OtlpErrors, &[]), Some(2.0));
    assert_eq!(page.value(holdup_metrics::Metric::OtlpDropped, &["records"]), Some(2.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_asks_to_be_left_alone_is_and_what_is_compressed_arrives() {
    let (listener, address) = listen("127.0.0.1:0").await;
    let collector = Collector::default();
    serve(listener, &collector);
    let keeping = keeping();
    let plan = Plan { compression: Compression::Gzip, ..plan(address) };
    let mut teller = Teller::begin(Some(plan), &keeping, |_: &str| {}).unwrap().unwrap();
    let requests = || collector.0.lock().unwrap().requests;

    // A `google.rpc.Status` with a `RetryInfo` of a second and a half.
    let retry = [&[0x0a, 0x08, 0x08, 0x01, 0x10][..], &[0x80, 0xca, 0xb5, 0xee, 0x01]].concat();
    let url = b"type.googleapis.com/google.rpc.RetryInfo";
    let any = [&[0x0a, url.len() as u8][..], url, &[0x12, retry.len() as u8], &retry].concat();
    let details = [&[0x1a, any.len() as u8][..], &any].concat();
    let busy = Refusal::with_details(Code::Unavailable, "busy", details.into());
    collector.0.lock().unwrap().refuses = Some(busy);
    heard(&keeping, "waits", Turn::Begun, &[]);
    let begun = Instant::now();
    teller.tell_records().await;
    collector.0.lock().unwrap().refuses = None;
    while bodies(&collector).is_empty() {
        teller.tell_metrics().await;
        teller.tell_records().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(1_500), "{:?}", begun.elapsed());
    assert_eq!(bodies(&collector), ["deadlock: waits"]);
    // The one that was refused, and then the metrics and the record, or the record alone.
    assert!((2..=3).contains(&requests()), "{}", requests());
    let encodings = collector.0.lock().unwrap().encodings.clone();
    assert!(encodings.iter().all(|encoding| encoding == "gzip"), "{encodings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_one_kind_is_said_once_while_the_other_is_taken() {
    let (listener, address) = listen("127.0.0.1:0").await;
    let collector = Collector::default();
    serve(listener, &collector);
    collector.0.lock().unwrap().rejects = 1;
    let keeping = keeping();
    let said = Mutex::new(Vec::new());
    let say = |text: &str| said.lock().unwrap().push(text.to_owned());
    let mut teller = Teller::begin(Some(plan(address)), &keeping, say).unwrap().unwrap();
    let mut round = async || {
        heard(&keeping, "old", Turn::Begun, &[]);
        teller.tell_metrics().await;
        teller.tell_records().await;
    };
    for _ in 0..3 {
        round().await;
    }
    collector.0.lock().unwrap().rejects = 0;
    round().await;
    let words = said.lock().unwrap().join("\n");
    assert_eq!((words.matches("too old").count(), words.matches("taken again").count()), (1, 1), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_what_began_since_when_where_and_in_which_trace() {
    let (listener, address) = listen("127.0.0.1:0").await;
    let collector = Collector::default();
    serve(listener, &collector);
    let keeping = keeping();
    let mut teller = Teller::begin(Some(plan(address)), &keeping, |_: &str| {}).unwrap().unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let traced = Span {
        name: "request".into(),
        fields: vec![field("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"), field("span_id", "00f067aa0ba902b7")],
    };
    let inner = Span { name: "query".into(), fields: vec![field("trace_id", "none")] };
    heard(&keeping, "two", Turn::Begun, &[traced, inner]);
    heard(&keeping, "two", Turn::Over, &[]);
    teller.tell_records().await;
    let received = collector.0.lock().unwrap();
    let [begun, over] = received.records.as_slice() else { panic!("{:?}", received.records) };
    assert_eq!((begun.event_name.as_str(), begun.severity_number), ("holdup.finding", 17));
    assert_eq!((begun.time_unix_nano, over.time_unix_nano), (2_000_000_000, 5_000_000_000));
    assert_eq!((begun.trace_id[..2].to_vec(), begun.span_id.len()), (vec![0x4b, 0xf9], 8));
    assert_eq!((over.trace_id.len(), over.span_id.len()), (0, 0), "no trace is made up");
    let attribute = |record: &LogRecord, key: &str| {
        let found = record.attributes.iter().find(|attribute| attribute.key == key);
        format!("{:?}", found.and_then(|attribute| attribute.value.clone()))
    };
    for (record, key, value) in [
        (begun, "holdup.finding.state", "begun"),
        (over, "holdup.finding.state", "over"),
        (over, "holdup.finding.age", "3.0"),
        (begun, "code.file.path", "src/db.rs"),
        (begun, "code.line.number", "42"),
        (begun, "lint", "deadlock"),
        (begun, "severity", "critical"),
    ] {
        assert!(attribute(record, key).contains(value), "{key}: {}", attribute(record, key));
    }
}
