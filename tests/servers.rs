//! Servers that are well, and bear their load: whatever sees them, nothing that is more than a note is said of them. They are made of
//! well-known crates (`tests/servers`), built with debug information as services are, and each has its clients in a process of their own. The
//! demo's server is among them.
//!
//! ```console
//! $ cargo test --release --test servers -- --ignored --nocapture short     # twenty seconds each, once the servers are built
//! $ cargo test --release --test servers -- --ignored --nocapture long      # ten minutes each, or HOLDUP_SERVERS_FOR=1h
//! ```
//!
//! All servers that are seen in one way run at once. On a machine that has more to do than it can, some of what is said is true.
#![cfg(all(feature = "demo", target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[allow(dead_code, reason = "what runs to its end by itself is nothing here")]
mod process;

use demo_server::Listening;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Those of `tests/servers`.
const SERVERS: [&str; 5] = ["axum", "tonic", "sqlx", "websocket", "broker"];
/// Those that are seen in one way run alone: with all of them a small machine has too much to do.
static MACHINE: Mutex<()> = Mutex::new(());

/// Who tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Nothing is built in.
    Memory,
    Console,
    Agent,
}

impl By {
    /// What the servers call it, and what the demo's does.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Memory => ["none", "none"],
            Self::Console => ["console", "console-subscriber"],
            Self::Agent => ["agent", "agent"],
        }
    }

    /// The executable of the servers that can be seen so.
    fn built(self) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (folder, flags, features) = match self {
            Self::Memory => ("plain", "", ""),
            Self::Console | Self::Agent => ("seen", "--cfg tokio_unstable", "seen"),
        };
        let target = root.join("target/servers").join(folder);
        let status = Command::new(env!("CARGO"))
            .current_dir(root.join("tests/servers"))
            .args(["build", "--quiet", "--locked", "--release", "--features", features, "--target-dir"])
            .arg(&target)
            // Not what the workspace sets for everything below it.
            .env("RUSTFLAGS", flags)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_TARGET_DIR")
            .status();
        assert!(status.is_ok_and(|status| status.success()), "the servers do not build");
        target.join("release/servers")
    }
}

/// One that runs. It is ended when this is dropped, and its clients with it.
struct Server {
    name: &'static str,
    by: By,
    child: Child,
    /// What `check` is asked to watch.
    target: String,
}

impl Server {
    /// Starts one, and waits until its clients have been answered.
    fn start(file: &Path, name: &'static str, by: By) -> Self {
        let mut command = Command::new(file);
        command.args([name, by.names()[0]]);
        Self::run(command, name, by, |line| line.strip_prefix("ready ").map(str::to_owned))
    }

    /// The demo's, with nothing but its echo and the load of that.
    fn demo(by: By) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdup"));
        command.args(["demo-server", "--exit-with-stdin", "--scenario", "healthy", "--instrument", by.names()[1]]);
        command.args(["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"]);
        Self::run(command, "demo", by, |line| match line.parse() {
            Ok(Listening::Console(console)) => Some(format!("http://{console}")),
            // Without instrumentation it has no console.
            Ok(Listening::Echo(_)) if by == By::Memory => Some(String::new()),
            _ => None,
        })
    }

    fn run(mut command: Command, name: &'static str, by: By, ready: impl Fn(&str) -> Option<String>) -> Self {
        command.env_remove("RUST_LOG").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let console = lines.find_map(|line| ready(&line)).unwrap_or_else(|| panic!("{name} by {by:?} is not ready"));
        let target = if by == By::Memory { format!("pid:{}", child.id()) } else { console };
        Self { name, by, child, target }
    }

    /// What is found while it is watched, with these words more.
    fn check(&self, home: &Path, watched: &str, words: &[&str]) -> Value {
        let mut command = process::holdup(home);
        // To read the debug information of a whole service takes a while, the more so while others do.
        command.args(["check", &self.target, "--format", "json", "--connect-timeout", "5m", "--for", watched]);
        let ended: process::Ended = command.args(words).output().expect("it runs").into();
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{} by {:?}: {error}: {}", self.name, self.by, ended.stderr))
    }

    /// Nothing is found that is more than a note, and that is not for want of having seen it.
    fn is_well(&self, report: &Value) -> Result<(), String> {
        let findings: Vec<&Value> = report["findings"].as_array().into_iter().flatten().collect();
        let seen = report["counts"]["tasks"]["seen"].as_u64().unwrap_or(0);
        eprintln!("{} by {:?}: {seen} tasks, {} findings", self.name, self.by, findings.len());
        for finding in &findings {
            eprintln!(
                "  {}: {}: {} ({})",
                finding["severity"], finding["lint"], finding["message"], finding["subject"]
            );
        }
        let told = || format!("{} by {:?}: {report:#}", self.name, self.by);
        let is_right = seen > 0
            && findings.iter().all(|finding| finding["severity"] == "note")
            && (self.by != By::Memory || has_chains(report));
        if is_right { Ok(()) } else { Err(told()) }
    }
}

/// Whether what a task awaits is told down to a line of the service's own.
fn has_chains(report: &Value) -> bool {
    let chains = report["memory"]["chains"].as_array().into_iter().flatten();
    let mut frames = chains.flat_map(|chain| chain["frames"].as_array().into_iter().flatten());
    frames.any(|frame| frame["service"] == true && !frame["location"].is_null())
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its stdin, and its clients before it, which say nothing then.
        drop(self.child.stdin.take());
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of them, for so long.
fn are_well(by: By, watched: &str) {
    let _alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = by.built();
    let home = tempfile::tempdir().expect("a folder");
    let mut servers: Vec<Server> = SERVERS.iter().map(|name| Server::start(&file, name, by)).collect();
    servers.push(Server::demo(by));
    // What a console or an agent tells is also looked at without what memory adds to it, and takes from it.
    let ways: &[&[&str]] = if by == By::Memory { &[&[]] } else { &[&[], &["--no-memory"]] };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let checks = servers.iter().flat_map(|server| ways.iter().map(move |words| (server, *words)));
        let home = home.path();
        let checks: Vec<_> = checks
            .map(|(server, words)| scope.spawn(move || server.is_well(&server.check(home, watched, words))))
            .collect();
        checks.into_iter().filter_map(|check| check.join().expect("it does not panic").err()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! servers {
    ($($form:ident: $reason:literal, $watched:expr;)*) => {$(
        mod $form {
            use super::{By, are_well};

            #[test]
            #[ignore = $reason]
            fn by_memory() {
                are_well(By::Memory, &$watched);
            }

            #[test]
            #[ignore = $reason]
            fn by_console() {
                are_well(By::Console, &$watched);
            }

            #[test]
            #[ignore = $reason]
            fn by_agent() {
                are_well(By::Agent, &$watched);
            }
        }
    )*};
}

servers! {
    short: "builds servers of many crates", "20s";
    long: "builds servers of many crates, and watches them for half an hour",
        std::env::var("HOLDUP_SERVERS_FOR").unwrap_or_else(|_| "10m".to_owned());
}
