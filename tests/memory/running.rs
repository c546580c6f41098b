//! Builds victims, starts them, and asks them.

use crate::truth::Truth;
use holdup_memory::{Kept, Look, Options, Reader, Wants};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, OnceLock, mpsc},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is read is what was built, and not what an earlier run has kept of it.
pub(crate) fn options() -> Options {
    Options { kept: Kept::Ignored, ..Options::default() }
}

/// One way of building.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    /// The profile of `victims/Cargo.toml`.
    pub(crate) profile: &'static str,
    /// Flags for the compiler, with a folder of their own.
    pub(crate) flags: &'static str,
    /// What the victim has.
    pub(crate) cases: Cases,
}

/// Which cases are built.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Cases {
    All,
    /// Without those that are there for their chains: a quarter of the time.
    Few,
    /// Those made of the libraries that services are made of, alone.
    Served,
}

impl Way {
    pub(crate) const fn profile(profile: &'static str) -> Self {
        Self { profile, flags: "", cases: Cases::All }
    }
}

/// The folder with what was built so, once for all tests.
pub(crate) fn built(way: Way) -> PathBuf {
    static BUILT: OnceLock<Mutex<HashMap<Way, Arc<OnceLock<PathBuf>>>>> = OnceLock::new();
    let once = Arc::clone(BUILT.get_or_init(Mutex::default).lock().unwrap().entry(way).or_default());
    once.get_or_init(|| {
        let mut target = root().join("target/victims");
        if !way.flags.is_empty() {
            target.push(way.flags.replace([' ', '=', '+'], "_"));
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root().join("tests/memory/victims"));
        cargo.args(["build", "--quiet", "--locked", "--profile", way.profile, "--target-dir"]).arg(&target);
        if !way.flags.is_empty() {
            // With a target named, the flags are not those of what runs while it is built.
            cargo.args(["--target", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)]);
            target.push(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
        }
        match way.cases {
            Cases::Served => drop(cargo.args(["--package", "served"])),
            Cases::Few => drop(cargo.args(["--package", "victim", "--no-default-features"])),
            // The other programs are looked at in one way of building.
            Cases::All if way != Way::profile("release") => drop(cargo.args(["--package", "victim"])),
            Cases::All => {}
        }
        // Not what the workspace sets for everything below it.
        cargo.env("RUSTFLAGS", way.flags).env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target.join(if way.profile == "dev" { "debug" } else { way.profile })
    })
    .clone()
}

/// A victim that runs. It ends with its stdin.
pub(crate) struct Victim {
    child: Child,
    pid: u32,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Victim {
    /// Starts a case of the victim that was built so, and waits until it stands still.
    pub(crate) fn start(way: Way, case: &[&str]) -> Self {
        Self::start_file(&built(way).join("victim"), case)
    }

    pub(crate) fn start_file(file: &Path, arguments: &[&str]) -> Self {
        let mut victim = Self::spawn(file, arguments);
        let line = victim.line();
        // Its own, or that of a child that it speaks of.
        victim.pid = line.strip_prefix("ready ").and_then(|pid| pid.trim().parse().ok()).expect("it is ready");
        victim
    }

    /// One that tells its truth before it stands still.
    pub(crate) fn told(file: &Path) -> (Self, Vec<String>) {
        let mut victim = Self::spawn(file, &[]);
        let mut lines = Vec::new();
        loop {
            let line = victim.line();
            if line.starts_with("ready") {
                return (victim, lines);
            }
            lines.push(line);
        }
    }

    fn spawn(file: &Path, arguments: &[&str]) -> Self {
        let mut child =
            Command::new(file).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    break;
                }
            }
        });
        let pid = child.id();
        Self { child, pid, stdin, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The next line that it says.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it says nothing")
    }

    pub(crate) fn say(&mut self, text: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{text}").unwrap();
    }

    pub(crate) fn truth(&mut self) -> Truth {
        self.say("truth");
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.starts_with("{\"end\"") {
                return Truth::parse(&lines);
            }
            lines.push(line);
        }
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(self.pid(), &options()).unwrap()
    }

    pub(crate) fn look(&self) -> Look {
        self.reader().look(&Wants::default()).unwrap()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
