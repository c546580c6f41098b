//! What Prometheus is told, over a real connection: while all workers are blocked, by whom it may be asked, and that counters only grow.

#![allow(clippy::float_cmp, reason = "counts are exact in a float")]

use crate::{
    process::{Roles, Service, play, say, until_stdin_ends, until_told},
    setup::free,
};
use holdup_agent::Agent;
use holdup_metrics::{Metric, Sources, TABLE, Type};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Mutex, RwLock},
};

pub(crate) const ROLES: Roles = &[
    ("metrics-blocked", blocked),
    ("metrics-busy", busy),
    ("metrics-guarded", guarded),
    ("metrics-many", many),
    ("metrics-taken-port", taken_port),
    ("metrics-exposed", exposed),
    ("metrics-none", none),
];

fn agent() -> Agent {
    let agent = holdup_agent::builder().from_env().address(free()).metrics(free()).name("orders").init();
    say(agent.metrics_address().expect("it listens"));
    agent
}

fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).name("main").enable_all().build().expect("a runtime")
}

/// Both workers of a runtime are in polls that last until it is told.
fn blocked() {
    let _agent = agent();
    let (runtime, free, stuck) = (two_workers(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..2 {
        let (free, stuck) = (Arc::clone(&free), Arc::clone(&stuck));
        runtime.spawn(async move {
            stuck.fetch_add(1, Ordering::SeqCst);
            while !free.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    }
    while stuck.load(Ordering::SeqCst) < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    say("blocked");
    until_told();
    free.store(true, Ordering::SeqCst);
    say("released");
    until_stdin_ends();
}

/// Everything of which there is a metric happens, and comes to an end: tasks, jobs, locks that are waited for, a panic, a runtime.
fn busy() {
    // The agent calls it, and is not called by one that comes after it.
    std::panic::set_hook(Box::new(|_| {}));
    let _agent = agent();
    let runtime = two_workers();
    loop {
        runtime.block_on(async {
            let (lock, table) = (Arc::new(Mutex::new(())), Arc::new(RwLock::new(())));
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let (lock, table) = (Arc::clone(&lock), Arc::clone(&table));
                    tokio::spawn(async move {
                        let _guard = lock.lock().await;
                        drop(table.read().await);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("it does not panic");
            }
            tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(20))).await.expect("nor does this");
            tokio::spawn(async { panic!("as the test wants") }).await.expect_err("this does");
        });
        let other = Builder::new_current_thread().name("brief").build().expect("a runtime");
        other.block_on(async { tokio::spawn(async {}).await.expect("it does not panic") });
        drop(other);
        say("round");
        if std::io::stdin().read_line(&mut String::new()).expect("stdin can be read") == 0 {
            return;
        }
    }
}

/// As the environment has it.
fn guarded() {
    let _agent = agent();
    until_stdin_ends();
}

/// A hundred thousand tasks that wait.
fn many() {
    let _agent = agent();
    let runtime = two_workers();
    for _ in 0..100_000 {
        runtime.spawn(std::future::pending::<()>());
    }
    until_stdin_ends();
    runtime.shutdown_background();
}

/// The address is another's at first.
fn taken_port() {
    let taken = TcpListener::bind(free()).expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    let agent = holdup_agent::builder().address(free()).metrics(address).init();
    say(address);
    say(agent.address().is_some());
    say(format_args!("{:?}", agent.missing()));
    until_told();
    drop(taken);
    while agent.metrics_address().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    say(format_args!("{:?}", agent.missing()));
    until_stdin_ends();
}

/// Other machines reach it, and nothing is asked for.
fn exposed() {
    let agent = holdup_agent::builder().address(free()).metrics(([0, 0, 0, 0], 0).into()).init();
    say(agent.metrics_address().is_some());
    say(agent.address().is_some());
    say(format_args!("{:?}", agent.missing()));
    say(holdup_agent::builder().metrics(([0, 0, 0, 0], 0).into()).try_init().is_err());
}

/// It is not asked for.
fn none() {
    let agent = holdup_agent::builder().from_env().address(free()).init();
    say(agent.metrics_address().is_some());
}

/// Far above what anything takes here: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is answered: all of it, as it came.
fn asked_with(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn asked(address: SocketAddr, headers: &str) -> String {
    asked_with(address, &format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n"))
}

/// Samples by their series.
fn scrape(address: SocketAddr) -> BTreeMap<String, f64> {
    let answer = asked(address, "");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    samples(body)
}

fn samples(body: &str) -> BTreeMap<String, f64> {
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        (series.to_owned(), value.parse().expect("a number"))
    };
    let told: Vec<(String, f64)> = lines.map(sample).collect();
    let by_series: BTreeMap<String, f64> = told.iter().cloned().collect();
    assert_eq!(by_series.len(), told.len(), "each series once");
    by_series
}

/// The series of a metric.
fn of(told: &BTreeMap<String, f64>, name: &str) -> BTreeMap<String, f64> {
    let is_of = |series: &&String| series.split('{').next() == Some(name);
    told.keys().filter(is_of).map(|series| (series.clone(), told[series])).collect()
}

/// The first scrape of which this holds.
fn until(address: SocketAddr, holds: impl Fn(&BTreeMap<String, f64>) -> bool) -> BTreeMap<String, f64> {
    let begun = std::time::Instant::now();
    loop {
        let told = scrape(address);
        if holds(&told) {
            return told;
        }
        assert!(begun.elapsed() < PATIENCE, "{told:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn it_answers_while_every_worker_is_blocked() {
    let mut service = Service::start("metrics-blocked", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "blocked");
    let stalled = "holdup_findings{lint=\"stalled-worker\",severity=\"critical\"}";
    let told = until(address, |told| told[stalled] >= 1.0);
    let polls = of(&told, "holdup_worker_current_poll_seconds");
    assert!(polls.len() == 2 && polls.values().all(|seconds| *seconds > 0.0), "{polls:?}");
    assert_eq!(told["tokio_workers{runtime=\"main\"}"], 2.0);
    assert_eq!(
        of(&told, "holdup_tasks").iter().filter(|(series, _)| series.contains("running")).map(|(_, n)| n).sum::<f64>(),
        2.0
    );
    assert_eq!(told["holdup_findings_begun_total{lint=\"stalled-worker\",severity=\"critical\"}"], 1.0, "of one place");
    // All that was before they go on.
    service.tell();
    assert_eq!(service.hear(), "released");
    until(address, |told| told[stalled] == 0.0);
}

#[test]
fn all_that_an_agent_tells_is_told_and_counters_only_grow() {
    let mut service = Service::start("metrics-busy", &[]);
    let address = service.address();
    let mut before: BTreeMap<String, f64> = BTreeMap::new();
    let is_counter = |series: &str| {
        TABLE.iter().any(|family| match family.kind {
            Type::Counter => series.split('{').next() == Some(&family.name()),
            Type::Histogram => series.starts_with(&family.name()),
            Type::Gauge | Type::GaugeOfLargest => false,
        })
    };
    for round in 1..=5_u32 {
        assert_eq!(service.hear(), "round");
        let acquired = |told: &BTreeMap<String, f64>, kind: &str| -> f64 {
            let of_kind = |series: &&String| series.contains(&format!("kind=\"{kind}\""));
            let acquired = of(told, "holdup_lock_acquisitions_total");
            acquired.keys().filter(of_kind).map(|series| acquired[series]).sum()
        };
        // The last task's handles may be let go of a moment later.
        let told = until(address, |told| {
            acquired(told, "Mutex") == f64::from(4 * round) && acquired(told, "RwLock") == f64::from(4 * round)
        });
        for (series, value) in before.iter().filter(|(series, _)| is_counter(series)) {
            assert!(
                told.get(series).is_some_and(|now| now >= value),
                "{series}: {value}, and then {:?}",
                told.get(series)
            );
        }
        before = told;
        service.tell();
    }
    for family in TABLE {
        let name = match family.kind {
            Type::Histogram => format!("{}_count", family.name()),
            _ => family.name(),
        };
        assert_eq!(of(&before, &name).is_empty(), !family.from.has(Sources::AGENT), "{name}");
    }
    assert_eq!(before["tokio_spawned_tasks_count_total{runtime=\"brief\"}"], 5.0, "of runtimes that are gone");
    assert!(of(&before, "holdup_lock_wait_seconds_total").values().any(|seconds| *seconds > 0.0), "{before:#?}");
    let begun = "holdup_findings_begun_total{lint=\"panicked\",severity=\"warning\"}";
    assert_eq!(before[begun], 1.0, "of one place within a minute");
    let polls: f64 = of(&before, "holdup_task_polls_total").values().sum();
    let without_jobs: f64 = of(&before, "holdup_poll_duration_seconds_count").values().sum();
    assert!(without_jobs >= 1.0 && polls >= without_jobs + 5.0, "{polls} polls, and {without_jobs} without jobs");
    // A job of 20 ms is no poll.
    let longest = of(&before, "holdup_poll_duration_seconds_bucket");
    let below = longest.iter().filter(|(series, _)| {
        series.contains("runtime=\"main\",le=\"+Inf\"") || series.contains("le=\"+Inf\",runtime=\"main\"")
    });
    assert_eq!(below.count(), 1, "{longest:?}");
    let here = Metric::TaskPolls.family().name() + "{location=\"agent/tests/service/metrics.rs:";
    assert!(before.keys().any(|series| series.starts_with(&here)), "{before:#?}");
}

#[test]
fn the_format_is_the_one_that_is_asked_for() {
    let mut service = Service::start("metrics-guarded", &[]);
    let address = service.address();
    let text = asked(address, "");
    assert!(text.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{text}");
    let openmetrics = asked(address, "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n");
    let kind = "\r\ncontent-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    assert!(openmetrics.contains(kind) && openmetrics.ends_with("\n# EOF\n"), "{openmetrics}");
    assert!(
        asked_with(address, &format!("POST /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n")).starts_with("HTTP/1.1 405 ")
    );
    assert!(asked_with(address, &format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n")).starts_with("HTTP/1.1 404 "));
}

#[test]
fn connections_that_say_nothing_keep_nobody_out_for_long() {
    let mut service = Service::start("metrics-guarded", &[]);
    let address = service.address();
    let silent: Vec<TcpStream> = (0..50).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    // As many at once as there may be, each for as long as it may.
    drop(silent.into_iter().skip(8).collect::<Vec<_>>());
    scrape(address);
}

#[test]
fn who_may_ask_is_who_may_look() {
    let mut service = Service::start("metrics-guarded", &[("HOLDUP_TOKEN", "0123456789abcdef0123456789abcdef")]);
    let address = service.address();
    let without = asked(address, "");
    assert!(without.starts_with("HTTP/1.1 401 ") && without.contains("\r\nwww-authenticate: Bearer\r\n"), "{without}");
    assert!(asked(address, "Authorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401 "));
    let with = asked(address, "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n");
    assert!(with.starts_with("HTTP/1.1 200 "), "{with}");
}

#[test]
fn a_page_in_a_browser_cannot_have_a_name_of_its_own_lead_here() {
    let mut service = Service::start("metrics-guarded", &[("HOLDUP_HOSTS", "orders.internal")]);
    let address = service.address();
    let by = |name: &str| asked_with(address, &format!("GET /metrics HTTP/1.1\r\nHost: {name}\r\n\r\n"));
    assert!(by("evil.example").starts_with("HTTP/1.1 403 "), "{}", by("evil.example"));
    for name in ["localhost:9669", "127.0.0.1", "orders.internal"] {
        assert!(by(name).starts_with("HTTP/1.1 200 "), "{name}");
    }
}

#[test]
fn a_port_that_is_taken_is_said_and_tried_again() {
    let mut service = Service::start("metrics-taken-port", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "true", "clients can come");
    let missing = service.hear();
    assert!(missing.contains("HOLDUP_METRICS") && missing.contains(&address.to_string()), "{missing}");
    service.tell();
    assert_eq!(service.hear(), "[]");
    assert!(scrape(address).contains_key("holdup_folded_series_total{label=\"location\"}"));
}

#[test]
fn where_others_could_come_something_is_asked_for_or_nobody_listens() {
    let said = play("metrics-exposed", &[]);
    assert_eq!((said[0].as_str(), said[1].as_str(), said[3].as_str()), ("false", "true", "true"));
    assert!(
        said[2].contains("0.0.0.0:0") && said[2].contains("HOLDUP_METRICS=") && said[2].contains("insecure"),
        "{said:?}"
    );
    let said = play("metrics-none", &[("HOLDUP_METRICS", "off")]);
    assert_eq!(said, ["false"]);
    let said = play("metrics-none", &[("HOLDUP_METRICS", "127.0.0.1:0")]);
    assert_eq!(said, ["true"]);
    let said = play("metrics-none", &[("HOLDUP_METRICS", "127.0.0.1:0"), ("HOLDUP_TLS_CLIENT_NAMES", "a=fly")]);
    assert_eq!(said, ["false"], "nobody may look where what says who may is not understood");
}

/// How long the agent's thread was on a processor.
#[cfg(target_os = "linux")]
fn agents_time(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs").flatten();
    let is_agents =
        |path: &PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "holdup-agent");
    let thread = threads.map(|entry| entry.path()).find(is_agents).expect("it has the thread");
    let told = fs::read_to_string(thread.join("schedstat")).expect("it is counted");
    Duration::from_nanos(told.split(' ').next().and_then(|time| time.parse().ok()).expect("a number"))
}

/// Says what a scrape takes: with `--nocapture`, and of a release build.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn a_hundred_thousand_tasks_are_told_in_less_than_half_a_mebibyte() {
    const SCRAPES: u32 = 10;
    let mut service = Service::start("metrics-many", &[("HOLDUP_MEMORY", "256MiB")]);
    let address = service.address();
    until(address, |told| of(told, "holdup_tasks").values().sum::<f64>() >= 100_000.0);
    let before = agents_time(service.id());
    let mut bytes = 0;
    for _ in 0..SCRAPES {
        // Asked more often, the agent tells the same again.
        std::thread::sleep(Duration::from_millis(500));
        bytes = bytes.max(asked(address, "").len());
    }
    let each = agents_time(service.id()).saturating_sub(before) / SCRAPES;
    println!(
        "100,000 tasks: {bytes} bytes and {each:.2?} of a processor for a scrape, with all else that the agent does in half a second"
    );
    assert!(bytes < 512 << 10, "{bytes}");
}

/// A folder of its own for each test, gone with it.
#[cfg(feature = "tls")]
struct Folder(PathBuf);

#[cfg(feature = "tls")]
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(feature = "tls")]
#[test]
fn by_tls_it_answers_by_tls_alone() {
    use std::sync::Arc;
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    let folder = Folder(std::env::temp_dir().join(format!("holdup-metrics-{}", std::process::id())));
    fs::create_dir_all(&folder.0).expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (folder.0.join("cert.pem"), folder.0.join("key.pem"));
    fs::write(&cert, made.cert.pem()).expect("it is written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("it is written");
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let [cert, key] = [&cert, &key].map(|path| path.to_str().expect("a path"));
    let token = "0123456789abcdef0123456789abcdef";
    let environment = [("HOLDUP_TLS_CERT", cert), ("HOLDUP_TLS_KEY", key), ("HOLDUP_TOKEN", token)];
    let mut service = Service::start("metrics-guarded", &environment);
    let address = service.address();

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("it is one");
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let name = "localhost".try_into().expect("a name");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time");
    let mut stream = StreamOwned::new(ClientConnection::new(config, name).expect("a client"), stream);
    // By TLS the certificate says who it is, and a name need not.
    let request = format!("GET /metrics HTTP/1.1\r\nHost: any.example\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    // An end without a farewell is one: the answer says how long it is.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("holdup_target_info{service=\"orders\",instrument=\"agent\""), "{answer}");

    let mut plain = TcpStream::connect(address).expect("it listens");
    plain.set_read_timeout(Some(PATIENCE)).expect("a time");
    plain.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it reads");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}
