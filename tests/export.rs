//! `holdup export` as it is shipped, asked over plain HTTP as Prometheus asks: stock consoles, agents and processes by their memory, side by side.
#![cfg(all(feature = "demo", tokio_unstable))]

#[path = "export/alerts.rs"]
mod alerts;
#[path = "export/dashboard.rs"]
mod dashboard;
#[cfg(feature = "otlp")]
#[path = "export/otlp.rs"]
mod otlp;
mod process;
#[path = "export/prometheus.rs"]
mod prometheus;
#[path = "export/restarts.rs"]
mod restarts;
#[path = "process/running.rs"]
#[allow(dead_code, reason = "an export says where it listens, and has a struct of its own")]
mod running;

use holdup_metrics::{Sources, TABLE, Type};
use process::{Ended, holdup, run};
use running::{Server, with_agent};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// How long anything may take. Far above what it needs: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(120);

/// An export that is under way, which ends with the test.
struct Export {
    child: Child,
    address: SocketAddr,
    says: Receiver<String>,
    _home: tempfile::TempDir,
}

impl Export {
    fn start(args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = holdup(home.path());
        command.args(["export", "--prometheus", "127.0.0.1:0"]).args(args).stderr(Stdio::piped());
        // It is there for other programs, and nobody is told by OTLP.
        command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent").env("OTEL_EXPORTER_OTLP_COMPRESSION", "zip");
        let mut child = command.spawn().unwrap();
        let (tell, says) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let line = says.recv_timeout(PATIENCE).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        Self { child, address, says, _home: home }
    }

    /// The answer to a request, head and body.
    fn asked(&self, line: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
        (head.to_owned(), body.to_owned())
    }

    fn scrape(&self) -> Scrape {
        let (head, body) = self.asked("GET /metrics", "");
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"), "{head}");
        Scrape::of(&body)
    }

    /// Scrapes until it holds.
    fn until(&self, what: &str, holds: impl Fn(&Scrape) -> bool) -> Scrape {
        let begun = Instant::now();
        loop {
            let scrape = self.scrape();
            if holds(&scrape) {
                return scrape;
            }
            assert!(begun.elapsed() < PATIENCE, "never: {what}\n{scrape:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn says(&self, what: &str) {
        while !self.says.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it never says {what:?}")).contains(what) {}
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Labels = BTreeMap<String, String>;

/// Series by name and labels.
#[derive(Debug)]
struct Scrape(Vec<(String, Labels, f64)>);

impl Scrape {
    /// What has no quotes and braces in its labels.
    fn of(text: &str) -> Self {
        let line = |line: &str| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
            let labels = labels.map(|label| {
                let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                (name.to_owned(), value.trim_end_matches('"').to_owned())
            });
            (name.to_owned(), labels.collect(), value.parse().unwrap())
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).map(line).collect())
    }

    fn of_target<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a (String, Labels, f64)> {
        self.0.iter().filter(move |(_, labels, _)| labels.get("target").is_some_and(|of| of == target))
    }

    fn names<'a>(&'a self, target: &'a str) -> BTreeSet<&'a str> {
        self.of_target(target).map(|(name, ..)| name.as_str()).collect()
    }

    fn values(&self, name: &str, target: &str) -> Vec<f64> {
        self.of_target(target).filter(|(of, ..)| of == name).map(|(.., value)| *value).collect()
    }

    fn sum(&self, name: &str, target: &str) -> f64 {
        self.values(name, target).iter().sum()
    }

    fn is_up(&self, target: &str) -> bool {
        self.values("holdup_target_up", target) == [1.0]
    }

    fn is_down(&self, target: &str) -> bool {
        self.values("holdup_target_up", target) == [0.0]
    }

    /// What there is without a target.
    fn own(&self, name: &str) -> Option<f64> {
        let own = self.0.iter().find(|(of, labels, _)| of == name && !labels.contains_key("target"));
        own.map(|(.., value)| *value)
    }
}

/// The names of series that this source can have.
fn of_source(source: Sources) -> BTreeSet<String> {
    let can = TABLE.iter().filter(|family| family.from.has(source) || family.from.has(Sources::EXPORT));
    let names = can.flat_map(|family| match family.kind {
        Type::Histogram => ["_bucket", "_count", "_sum"].map(|part| format!("{}{part}", family.name())).to_vec(),
        _ => vec![family.name()],
    });
    names.collect()
}

#[test]
fn each_target_tells_what_its_source_can_know_and_nothing_else() {
    let (stock, agent) = (Server::start("contended-lock"), with_agent("contended-lock,two-runtimes"));
    let (process, nobody) = (format!("pid:{}", stock.pid()), "http://127.0.0.1:1");
    let export = Export::start(&[&stock.target, &agent.target, &stock.pid().to_string(), nobody]);
    let sources = [
        (stock.target.as_str(), Sources::STOCK, "console-subscriber"),
        (&agent.target, Sources::AGENT, "agent"),
        (&process, Sources::MEMORY, "memory"),
    ];
    let scrape = export.until("all are up and tell of tasks", |scrape| {
        sources.iter().all(|(target, ..)| scrape.is_up(target) && scrape.sum("holdup_tasks", target) > 0.0)
    });
    assert!(export.asked("GET /-/ready", "").0.starts_with("HTTP/1.1 200"));
    for (target, source, instrument) in sources {
        let known = of_source(source);
        let names = scrape.names(target);
        let strange: Vec<_> = names.iter().filter(|name| !known.contains(**name)).collect();
        assert!(strange.is_empty(), "{target}: {strange:?}");
        let info = scrape.of_target(target).find(|(name, ..)| name == "holdup_target_info").unwrap();
        assert_eq!(info.1["instrument"], instrument);
        // A build without types has no locks to be seen in its memory.
        for lint in if source == Sources::MEMORY { ["large-future"; 2] } else { ["deadlock", "large-future"] } {
            let of_lint = |name: &str| {
                let of_lint = scrape.of_target(target).filter(move |(of, ..)| of == name);
                of_lint.filter(|(_, labels, _)| labels["lint"] == lint).count()
            };
            let told = ["holdup_findings", "holdup_findings_begun_total", "holdup_finding_age_seconds"].map(of_lint);
            assert!(told.iter().all(|series| *series > 0), "{target}: {lint}: {told:?}");
        }
        let judges =
            |lint: &str| scrape.of_target(target).any(|(_, labels, _)| labels.get("lint").is_some_and(|of| of == lint));
        assert_eq!(
            judges("stalled-worker"),
            source == Sources::AGENT,
            "{target}: a lint that cannot judge says nothing"
        );
    }
    for name in ["holdup_task_polls_total", "tokio_spawned_tasks_count_total", "holdup_lock_acquisitions_total"] {
        assert!(scrape.sum(name, &stock.target) > 0.0 && scrape.sum(name, &agent.target) > 0.0, "{name}");
        assert!(scrape.values(name, &process).is_empty(), "memory has no past: {name}");
    }
    assert!(scrape.sum("tokio_workers", &agent.target) > 1.0);
    let alive = [&stock.target, &agent.target].map(|target| scrape.sum("tokio_alive_tasks", target));
    assert!(alive.iter().all(|alive| *alive > 0.0), "{alive:?}");
    // Nothing is known of the one that is not there, and that is no error.
    assert_eq!(scrape.of_target(nobody).count(), 1);
    assert!(scrape.is_down(nobody));
    assert_eq!(scrape.own("holdup_target_list_errors_total"), Some(0.0));
    assert_eq!(scrape.own("holdup_build_info"), Some(1.0));
    // Counters go on.
    let polls = scrape.sum("holdup_task_polls_total", &agent.target);
    export.until("more polls", |scrape| scrape.sum("holdup_task_polls_total", &agent.target) > polls);
}

#[test]
fn a_request_is_answered_in_the_form_that_it_asks_for() {
    let export = Export::start(&["127.0.0.1:1"]);
    let openmetrics = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
    let (head, body) = export.asked("GET /metrics", openmetrics);
    assert!(head.contains("application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    assert!(!export.asked("GET /metrics", "").1.contains("# EOF"));
    assert!(export.asked("GET /-/healthy", "").0.starts_with("HTTP/1.1 200"));
    for nowhere in ["/", "/probe?target=127.0.0.1:6669", "/metrics/"] {
        assert!(export.asked(&format!("GET {nowhere}"), "").0.starts_with("HTTP/1.1 404"), "{nowhere}");
    }
    assert!(export.asked("POST /metrics", "Content-Length: 0\r\n").0.starts_with("HTTP/1.1 405"));
    let mut stream = TcpStream::connect(export.address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: evil.example:9670\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "a name that somebody else chose: {answer}");
}

#[test]
fn it_is_ready_once_every_target_was_tried() {
    // This one lets itself be connected to, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let export = Export::start(&[&target]);
    assert!(export.asked("GET /-/ready", "").0.starts_with("HTTP/1.1 503"));
    drop(silent);
    let begun = Instant::now();
    while !export.asked("GET /-/ready", "").0.starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < PATIENCE, "never ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(export.scrape().is_down(&format!("http://{target}")));
}

#[test]
fn a_target_that_is_lost_tells_nothing_until_it_is_back() {
    let start_at: [fn(&str, &str) -> Server; 2] = [Server::start_at, running::with_agent_at];
    for start in start_at {
        let server = start("127.0.0.1:0", "contended-lock");
        let target = server.target.clone();
        let export = Export::start(&[&target]);
        let polls = |scrape: &Scrape| scrape.sum("holdup_task_polls_total", &target);
        let before = export.until("it is up", |scrape| polls(scrape) > 1_000.0);
        drop(server);
        let lost = export.until("it is down", |scrape| scrape.is_down(&target));
        let left = ["holdup_target_last_update_timestamp_seconds", "holdup_target_up"];
        assert_eq!(lost.names(&target), left.into_iter().collect());
        let _server = start(target.strip_prefix("http://").unwrap(), "contended-lock");
        let back = export.until("it is back", |scrape| polls(scrape) > 0.0);
        assert!(polls(&back) < polls(&before), "another process counts anew");
        let heard = |scrape: &Scrape| scrape.sum("holdup_target_last_update_timestamp_seconds", &target);
        assert!(heard(&back) > heard(&lost));
    }
}

/// Writes a file as those do who have others read it meanwhile.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn a_list_is_read_again_when_it_changes_and_a_broken_one_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("targets.json");
    let (one, other) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
    fs::write(&list, format!("# by hand\n{one}\n")).unwrap();
    let export = Export::start(&["--targets", list.to_str().unwrap()]);
    let scrape = export.scrape();
    assert!(scrape.is_down(one) && scrape.of_target(other).count() == 0);

    let listed = r#"[{"targets": ["127.0.0.1:1"], "labels": {"env": "prod", "target": "x", "lint": "y\"}\n", "__meta": "z"}},
                     {"targets": ["127.0.0.1:2"]}]"#;
    replace(&list, listed);
    let scrape = export.until("both are there", |scrape| scrape.is_down(one) && scrape.is_down(other));
    let (_, labels, _) = scrape.of_target(one).next().unwrap();
    let names: Vec<&str> = labels.keys().map(String::as_str).collect();
    assert_eq!(names, ["env", "exported_lint", "exported_target", "target"]);
    assert_eq!((labels["env"].as_str(), labels["exported_target"].as_str()), ("prod", "x"));

    for (broken, said) in [
        (r#"[{"targets": ["127.0.0.1:3"], "labels": {"a-b": "x"}}]"#, "label \"a-b\""),
        ("127.0.0.1:3\n127.0.0.1:0\n", "line 2: \"0\" is not a port"),
        ("core:/tmp/core.1\n", "is of a process as it was"),
    ] {
        let errors = export.scrape().own("holdup_target_list_errors_total").unwrap();
        replace(&list, broken);
        export.says(said);
        let counted = |scrape: &Scrape| scrape.own("holdup_target_list_errors_total") == Some(errors + 1.0);
        let scrape = export.until("it is counted", counted);
        assert!(scrape.is_down(one) && scrape.is_down(other) && scrape.of_target("http://127.0.0.1:3").count() == 0);
    }
    fs::remove_file(&list).unwrap();
    export.says("cannot be read");
    assert!(export.scrape().is_down(one));
    replace(&list, &format!("{other}\n"));
    let scrape = export.until("the first is gone", |scrape| scrape.of_target(one).count() == 0);
    assert!(scrape.is_down(other));
}

#[test]
#[cfg(feature = "otlp")]
fn a_compression_that_is_none_is_an_error_in_words() {
    let home = tempfile::tempdir().unwrap();
    let mut command = holdup(home.path());
    command.args(["export", "127.0.0.1:1", "--otlp", "http://127.0.0.1:1"]);
    let ended: Ended = command.env("OTEL_EXPORTER_OTLP_COMPRESSION", "zip").output().unwrap().into();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("OTEL_EXPORTER_OTLP_COMPRESSION: \"zip\" is none of: none, gzip"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_keeps_it_from_beginning_is_an_error_in_words() {
    let refused = |args: &[&str]| {
        let Ended { code, stdout, stderr } = run(&[&["export"], args].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        stderr
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(&["127.0.0.1:1", "--prometheus", &address]);
    assert!(said.contains(&format!("cannot listen on {address}")) && said.contains("another address"), "{said}");
    let said = refused(&["127.0.0.1:1", "--prometheus", "0.0.0.0:9670"]);
    assert!(
        said.contains("other machines") && said.contains("127.0.0.1:9670") && said.contains("--insecure"),
        "{said}"
    );
    let said = refused(&["--prometheus", "127.0.0.1:0"]);
    assert!(said.contains("TARGET"), "{said}");
    let said = refused(&["core:core.1", "--prometheus", "127.0.0.1:0"]);
    assert!(said.contains("as it was"), "{said}");
    let said = refused(&["--targets", "/nonexistent/list", "--prometheus", "127.0.0.1:0"]);
    assert!(said.contains("the list of targets /nonexistent/list: it cannot be read"), "{said}");
}

#[test]
fn whoever_asks_it_to_stop_ends_it_cleanly() {
    let server = Server::start("healthy");
    for signal in ["TERM", "INT"] {
        let mut export = Export::start(&[&server.target]);
        export.until("it is up", |scrape| scrape.is_up(&server.target));
        let sent = Command::new("kill").args(["-s", signal, &export.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(export.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn targets_that_restart_with_ever_new_spawn_locations_take_no_more_and_more() {
    let (lives, lasts) = (Duration::from_millis(600), Duration::from_secs(20));
    restarts::watched(restarts::Load { targets: 20, places: 200, lives, lasts }, 25);
}

#[test]
#[ignore = "ten minutes"]
fn fifty_targets_ten_thousand_restarts_and_a_million_spawn_locations() {
    let (lives, lasts) = (Duration::from_millis(2_450), Duration::from_secs(600));
    restarts::watched(restarts::Load { targets: 50, places: 105, lives, lasts }, 5);
}
