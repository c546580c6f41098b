//! `holdup export --otlp` against a collector that is not ours: Rotel. `.ci/outside` installs it, and runs this.

use super::{PATIENCE, holdup, with_agent};
use holdup_metrics::{Metric, Sources, TABLE, Type};
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

/// A process that ends with the test, and the lines that it writes.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = channel();
        let also = tell.clone();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| also.send(line)));
        Self { child, lines }
    }

    /// Reads on until it holds of all that was read.
    fn until(&self, all: &mut String, what: &str, holds: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !holds(all) {
            let Ok(line) = self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) else {
                panic!("never: {what}\n{all}");
            };
            all.push_str(&line);
            all.push('\n');
        }
    }
}

/// Whether one of the parts that begin so has all of these.
fn has(all: &str, begins: &str, parts: &[&str]) -> bool {
    all.split(begins).skip(1).any(|one| parts.iter().all(|part| one.contains(part)))
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
#[ignore = "needs Rotel, which .ci/outside installs"]
fn a_collector_that_is_not_ours_takes_metrics_and_findings() {
    let rotel = PathBuf::from(std::env::var_os("HOLDUP_TEST_ROTEL").expect("where .ci/outside has put Rotel"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (grpc, http) = (free(), free());
    let collector = Running::start(
        Command::new(rotel)
            .args(["start", "--exporter", "blackhole", "--debug-log", "metrics", "--debug-log", "logs"])
            .args(["--debug-log-verbosity", "detailed", "--otlp-grpc-endpoint", &grpc, "--otlp-http-endpoint", &http])
            .arg("--pid-file")
            .arg(file("pid"))
            .arg("--log-file")
            .arg(file("log")),
    );
    let server = with_agent("deadlock");
    let mut command = holdup(folder.path());
    command.args(["export", &server.target, "--otlp", &format!("http://{grpc}"), "--otlp-interval", "1s"]);
    command.args(["--otlp-compression", "gzip"]);
    let _export = Running::start(&mut command);

    let mut all = String::new();
    let of_target = format!("holdup.target: Str({})", server.target);
    let begun = [
        "EventName: holdup.finding",
        "SEVERITY_NUMBER_ERROR(17)",
        "state: Str(begun)",
        "Body: Str(deadlock: 2 tasks wait",
    ];
    collector.until(&mut all, "a deadlock begins", |all| has(all, "LogRecord #", &begun));
    assert!(has(
        &all,
        "LogRecord #",
        &["lint: Str(deadlock)", "code.file.path: Str(demo-server/src/scenarios/deadlock.rs)", "code.line.number: Int"]
    ));
    assert!(has(
        &all,
        "ResourceLog #",
        &[&of_target, "service.name: Str(echo-demo)", "process.pid: Int", "holdup.instrument: Str(agent)"]
    ));

    // All that an export tells Prometheus of an agent, and in the same words.
    let left_out =
        [Metric::BuildInfo, Metric::TargetInfo, Metric::PollDuration, Metric::ScheduleDelay, Metric::LockWait];
    let told = TABLE.iter().filter(|family| family.from.has(Sources::AGENT) || family.from.has(Sources::EXPORT));
    for family in told.filter(|family| !left_out.contains(&family.metric)) {
        let name = format!(" {}\n", family.otel_name());
        collector.until(&mut all, family.otel_name(), |all| has(all, "-> Name:", &[&name]));
        let kind = if family.kind == Type::Counter {
            ["DataType: Sum", "IsMonotonic: true", "TEMPORALITY_CUMULATIVE"]
        } else {
            ["DataType: Gauge"; 3]
        };
        assert!(has(&all, "-> Name:", &[&[name.as_str()][..], &kind].concat()), "{name}");
    }
    for left_out in left_out.map(|metric| metric.family().otel_name()) {
        assert!(!has(&all, "-> Name:", &[&format!(" {left_out}\n")]), "{left_out}");
    }
    let point = ["lint: Str(deadlock)", "severity: Str(critical)", "Value: 1\n"];
    collector.until(&mut all, "the gauge shows it", |all| has(all, "NumberDataPoints #", &point));

    drop(server);
    let lost = ["lint: Str(deadlock)", "state: Str(lost)", "holdup.finding.age: Double("];
    collector.until(&mut all, "it is lost with its target", |all| has(all, "LogRecord #", &lost));
}
