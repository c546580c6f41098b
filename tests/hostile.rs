//! Clients that mean harm, against the demo server and its agent as they ship: the service goes on, a polite client is served, and what the agent takes
//! is bounded. `cargo run --release -p holdup-hostile` measures the same.
#![cfg(all(feature = "demo", tokio_unstable, target_os = "linux"))]

#[path = "process/mod.rs"]
#[expect(dead_code, reason = "other tests run it in a home of its own")]
mod process;

use demo_server::Listening;
use holdup_proto::v1::{WatchRequest, diagnostics_client::DiagnosticsClient};
use hostile::{Attack, Attackers, Echo, Usage, polite};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::sleep;

/// Far above what anything takes here: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// What an agent takes unless it is told otherwise.
const CLIENTS: usize = 16;

/// Connections to an agent that have made no call yet, and one more that takes the place of one of them.
const AT_THE_DOOR: usize = 33;

/// Connections that are not the agent's: of the service's own clients some come while others go.
const OF_THE_SERVICE: usize = 16;

/// File descriptors that the server may have.
const DESCRIPTORS: u64 = 1_024;

/// A demo server with the agent, whose tasks come and go by the thousand. It ends with the test.
struct Server {
    echo: SocketAddr,
    agent: SocketAddr,
    child: Child,
}

impl Server {
    fn start() -> Self {
        let words =
            "demo-server --exit-with-stdin --echo-addr 127.0.0.1:0 --console-addr 127.0.0.1:0 --scenario healthy,churn";
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -Sn {DESCRIPTORS} && exec \"$0\" {words}"), env!("CARGO_BIN_EXE_holdup")])
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self { echo: nowhere, agent: nowhere, child };
        for line in BufReader::new(stdout).lines() {
            match line.unwrap().parse() {
                Ok(Listening::Echo(address)) => server.echo = address,
                Ok(Listening::Console(address)) => server.agent = address,
                Err(()) => {}
            }
            if server.echo != nowhere && server.agent != nowhere {
                break;
            }
        }
        server
    }

    fn usage(&self) -> Usage {
        Usage::of(self.child.id()).unwrap()
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connections that say nothing: as many as this process may have, up to three thousand.
fn idle() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let most: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    3_000.min(most.saturating_sub(300))
}

/// Attacks for some seconds, over which the server must serve its own clients and a polite one of its agent. What more is resident then, in MiB.
fn attacked(attack: Attack) -> u64 {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // What is made for the first client is made, and a burst of tasks has passed.
        polite(server.agent, PATIENCE).await.unwrap();
        sleep(Duration::from_secs(4)).await;
        let before = server.usage();
        let most = server.descriptors() + CLIENTS + AT_THE_DOOR + OF_THE_SERVICE;
        let attackers = Attackers::start(attack, server.agent, idle()).unwrap();
        for _ in 0..4 {
            sleep(Duration::from_secs(3)).await;
            for _ in 0..25 {
                Echo::new(server.echo).connect().await.unwrap();
            }
            polite(server.agent, PATIENCE).await.unwrap();
            let descriptors = server.descriptors();
            assert!(descriptors <= most, "{descriptors} file descriptors, and not {most} at most");
        }
        let more = server.usage().resident.saturating_sub(before.resident) >> 20;
        drop(attackers);
        polite(server.agent, PATIENCE).await.unwrap();
        more
    })
}

#[test]
fn who_asks_for_everything_and_reads_nothing_costs_little_memory() {
    let more = attacked(Attack::Unread);
    assert!(more < 32, "{more} MiB more are resident");
}

#[test]
fn a_thousand_streams_of_one_connection_are_turned_away() {
    let more = attacked(Attack::Streams);
    assert!(more < 24, "{more} MiB more are resident");
}

#[test]
fn who_says_nothing_takes_no_descriptors_that_the_service_needs() {
    let more = attacked(Attack::Idle);
    assert!(more < 24, "{more} MiB more are resident");
}

#[test]
fn who_speaks_something_else_keeps_nobody_out() {
    let more = attacked(Attack::Garbage);
    assert!(more < 24, "{more} MiB more are resident");
}

#[test]
fn all_of_them_at_once_keep_nobody_out() {
    let more = attacked(Attack::All);
    assert!(more < 48, "{more} MiB more are resident");
}

#[test]
fn one_client_too_many_is_told_why_and_says_so() {
    let server = Server::start();
    let target = format!("http://{}", server.agent);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let watching = runtime.block_on(async {
        let mut watching = Vec::new();
        for _ in 0..CLIENTS {
            let mut client = DiagnosticsClient::connect(target.clone()).await.unwrap();
            watching.push(client.watch(WatchRequest {}).await.unwrap().into_inner());
        }
        watching
    });
    let check = || process::run(&["check", &target, "--for", "1s", "--connect-timeout", "10s"]);
    let refused = check();
    let said = "it refused: the agent has 16 clients, which is as many as it takes";
    assert!(refused.stderr.contains(said) && refused.stderr.contains("HOLDUP_CLIENTS"), "{refused:?}");
    assert_eq!(refused.code, Some(3), "{refused:?}");
    runtime.block_on(async { drop(watching) });
    drop(runtime);
    let later = check();
    assert!(matches!(later.code, Some(0 | 1)), "{later:?}");
}
