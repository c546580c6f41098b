//! Processes with nothing built in, of `tests/memory/victims`: built by the test itself, as services are.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

/// The executable that is built so, once for all tests: where the tests of the crate that reads memory have theirs.
pub(crate) fn built(package: &str, profile: &str) -> PathBuf {
    static BUILT: OnceLock<Mutex<HashMap<(String, String), PathBuf>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let file = built.entry((package.to_owned(), profile.to_owned())).or_insert_with(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = root.join("target/victims");
        let status = Command::new(env!("CARGO"))
            .current_dir(root.join("tests/memory/victims"))
            .args(["build", "--quiet", "--locked", "--package", package, "--profile", profile, "--target-dir"])
            .arg(&target)
            // Not what the workspace sets for everything below it.
            .env("RUSTFLAGS", "")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_TARGET_DIR")
            .status();
        assert!(status.is_ok_and(|status| status.success()), "the victims do not build");
        target.join(profile).join(package)
    });
    file.clone()
}

/// One that runs. It ends with its stdin.
pub(crate) struct Victim {
    child: Child,
    _stdin: Option<ChildStdin>,
}

impl Victim {
    /// Starts a case of `finds`, and waits until it stands where it will.
    pub(crate) fn start(profile: &str, case: &[&str]) -> Self {
        Self::start_of("finds", profile, case)
    }

    /// The same of another program.
    pub(crate) fn start_of(package: &str, profile: &str, case: &[&str]) -> Self {
        let mut child = Command::new(built(package, profile))
            .args(case)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it speaks");
        assert!(line.starts_with("ready"), "{case:?}: {line}");
        Self { child, _stdin: stdin }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debug information is read by a holdup that is not optimized, and by several at the same time.
const READ_WITHIN: [&str; 2] = ["--connect-timeout", "120s"];

/// What comes of a run with these arguments. All runs have one home: what is kept of an executable's debug information is read once.
pub(crate) fn run(arguments: &[&str]) -> Output {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    let home = HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!("home-of-", env!("CARGO_CRATE_NAME")));
        // Nothing of an earlier run is believed. There may be none.
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).expect("a folder");
        home
    });
    Command::new(env!("CARGO_BIN_EXE_holdup"))
        .args(arguments)
        .args(if arguments.first() == Some(&"check") { READ_WITHIN.as_slice() } else { &[] })
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

/// What it prints.
pub(crate) fn holdup(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(!stdout.is_empty(), "it says nothing: {stderr}");
    stdout
}
