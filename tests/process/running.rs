//! The shipped executable as a process that is under way, which ends with its test.

use super::process::Ended;
use demo_server::Listening;
use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a process may take. Far above what it needs: a test that hangs is to fail instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo server.
pub(crate) struct Server {
    /// Where its console is, as a target.
    pub target: String,
    child: Child,
}

impl Server {
    /// Starts one on free ports.
    pub(crate) fn start(scenario: &str) -> Self {
        Self::start_at("127.0.0.1:0", scenario)
    }

    /// Starts one whose console listens there, and waits until it does.
    pub(crate) fn start_at(console: &str, scenario: &str) -> Self {
        Self::start_told_by("console-subscriber", console, scenario)
    }

    /// Its process id.
    #[allow(dead_code, reason = "not every test that starts a server looks at its process")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn start_told_by(instrument: &str, console: &str, scenario: &str) -> Self {
        Self::start_with(console, scenario, |command| command.args(["--instrument", instrument]))
    }

    fn start_with(console: &str, scenario: &str, more: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdup"));
        command
            .args(["demo-server", "--exit-with-stdin", "--echo-addr", "127.0.0.1:0", "--console-addr", console])
            .args(["--load", "10", "--scenario", scenario])
            .env_remove("RUST_LOG");
        let mut child =
            more(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let target = stdout
            .lines()
            .find_map(|line| match line.unwrap().parse() {
                Ok(Listening::Console(console)) => Some(format!("http://{console}")),
                _ => None,
            })
            .expect("the server says where it listens");
        Self { target, child }
    }

    /// Sends it a signal by its name.
    #[allow(dead_code, reason = "not every test that starts a server sends it signals")]
    pub(crate) fn signal(&self, name: &str) {
        send(name, &self.child);
    }
}

/// One that an agent tells of.
#[allow(dead_code, reason = "not every test has a server with an agent")]
pub(crate) fn with_agent(scenario: &str) -> Server {
    Server::start_told_by("agent", "127.0.0.1:0", scenario)
}

/// The same, whose agent listens there.
#[allow(dead_code, reason = "not every test starts one again where another was")]
pub(crate) fn with_agent_at(address: &str, scenario: &str) -> Server {
    Server::start_told_by("agent", address, scenario)
}

/// One that an agent tells of, also to Prometheus, and where it does that.
#[allow(dead_code, reason = "not every test asks an agent for its metrics")]
pub(crate) fn with_metrics(scenario: &str) -> (Server, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
    let server = Server::start_with("127.0.0.1:0", scenario, |command| {
        // Where it panics, it is asked to, and how it came to that is nothing to read.
        command
            .args(["--settings", "environment"])
            .env("HOLDUP_METRICS", address.to_string())
            .env("RUST_BACKTRACE", "0")
    });
    (server, address)
}

fn send(signal: &str, to: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &to.id().to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {signal}");
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that is under way, which ends with the test.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Sends it a signal by its name.
    #[allow(dead_code, reason = "not every test that starts a run sends it signals")]
    pub(crate) fn signal(&self, name: &str) {
        send(name, &self.0);
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
