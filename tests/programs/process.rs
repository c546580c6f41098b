//! Programs in a process of their own, what they tell of themselves, and what `holdup check` tells of them.

use super::{
    program::{Program, Reached},
    victims,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdout, Command, Stdio},
};

/// How long each process is watched: a busy machine looks seldom.
const WATCHED: &str = "6s";

/// Which runtime they run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    CurrentThread,
    MultiThread,
}

/// Runs programs side by side until none of them moves, and has them looked at.
pub(crate) fn watch(programs: &[Program], runtime: Runtime) -> (Vec<Reached>, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("programs.json");
    let asked = json!({ "current_thread": runtime == Runtime::CurrentThread, "programs": programs });
    std::fs::write(&file, asked.to_string()).expect("it is written");
    let mut child = Command::new(victims::built("programs", "release"))
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let reached = told(&mut stdout, "ready");
    let pid = child.id().to_string();
    let said = victims::holdup(&["check", &pid, "--format", "json", "--fail-on", "never", "--for", WATCHED]);
    stdin.write_all(b"again\n").and_then(|()| stdin.flush()).expect("it listens");
    let again = told(&mut stdout, "again");
    drop(stdin);
    let _ = child.kill();
    let _ = child.wait();
    assert_eq!(reached, again, "they had not come to rest");
    (reached, serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
}

fn told(stdout: &mut BufReader<ChildStdout>, last: &str) -> Vec<Reached> {
    let (mut text, mut end) = (String::new(), String::new());
    stdout.read_line(&mut text).expect("it speaks");
    stdout.read_line(&mut end).expect("it speaks");
    assert_eq!(end.trim(), last, "{text}");
    serde_json::from_str(&text).expect("numbers")
}
