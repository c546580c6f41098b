//! A service without debug information, as `holdup check` sees it: its agent tells addresses, and holdup names them where it has the
//! debug information of that build, as somebody does who looks from another machine.
#![cfg(all(feature = "demo", target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use demo_server::Listening;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The executable with its debug information.
const HOLDUP: &str = env!("CARGO_BIN_EXE_holdup");

/// What the program is called that has none.
const NAME: &str = "stripped-holdup";

/// The same program without anything that only tools read: its header says that it has no sections.
fn stripped() -> PathBuf {
    let mut bytes = fs::read(HOLDUP).expect("it was built");
    // Where the table of sections is, how many there are, and which has their names.
    bytes[40..48].fill(0);
    bytes[60..64].fill(0);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAME);
    fs::write(&path, bytes).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

/// A server whose worker is kept by a poll again and again.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(executable: &Path) -> Self {
        let mut child = Command::new(executable)
            .args(["demo-server", "--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"])
            .args(["--instrument", "agent", "--scenario", "stalled-by-sleep"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo server starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
        let url = lines.into_iter().find_map(|line| match line.parse() {
            Ok(Listening::Console(address)) => Some(format!("http://{address}")),
            _ => None,
        });
        Self { child, url: url.expect("it says where its console listens") }
    }

    /// The frames in its executable of every stack that a finding shows: function, file and line.
    fn frames(&self, arguments: &[&str]) -> Vec<(String, String, u64)> {
        let output = Command::new(HOLDUP)
            .args(["check", &self.url, "--no-memory", "--format", "json", "--for", "4s", "--fail-on", "never"])
            .args(arguments)
            .env_remove("DEBUGINFOD_URLS")
            .output()
            .expect("holdup runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let findings = report["findings"].as_array().expect("findings").iter();
        let stacks = findings.flat_map(|finding| finding["related"]["stacks"].as_array().into_iter().flatten());
        let frames = stacks.flat_map(|stack| stack["frames"].as_array().into_iter().flatten());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = frames.filter(|frame| frame["module"] == NAME).map(|frame| {
            let place = &frame["location"];
            (text(&frame["function"]), text(&place["file"]), place["line"].as_u64().unwrap_or_default())
        });
        all.collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_stripped_is_named_where_its_debug_information_is() {
    let executable = stripped();
    let server = Server::start(&executable);
    let bare = server.frames(&[]);
    assert!(!bare.is_empty(), "no stack was told");
    assert!(bare.iter().all(|(function, file, _)| function.is_empty() && file.is_empty()), "{bare:?}");
    let named = server.frames(&["--debug", HOLDUP]);
    let is_it = |frame: &&(String, String, u64)| {
        frame.0.contains("stalled_by_sleep") && frame.1.ends_with("scenarios/stalled_by_sleep.rs") && frame.2 > 0
    };
    assert!(named.iter().any(|frame| is_it(&frame)), "{named:?}");
    fs::remove_file(executable).expect("it was written");
}
