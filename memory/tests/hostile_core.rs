//! Core files and grabs that were damaged in every place are looked at to an end, in bounded time.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "../fuzz/bodies/core.rs"]
mod bodies;
mod damage;

use damage::go_on;
use holdup_memory::bytes::{Live, grab::grab};
use std::{
    fs,
    ops::Range,
    process::{Command, Stdio},
};

/// More of a file has nothing but memory.
const NOTES: usize = 64 << 10;

/// A grab of a small process, as it is and unpacked.
fn grabbed() -> (Vec<u8>, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("grab");
    let mut child = Command::new("sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
    let done = Live::open(child.id()).and_then(|live| grab(&live, &to, 8 << 20));
    child.kill().unwrap();
    child.wait().unwrap();
    done.unwrap();
    let packed = fs::read(&to).unwrap();
    let whole = zstd::decode_all(&*packed).unwrap();
    (packed, whole)
}

fn places(file: &[u8]) -> Vec<Range<usize>> {
    // The header, its segments, what is noted behind them, and all of it.
    vec![0..64, 64..4096, 0..NOTES.min(file.len()), 0..file.len()]
}

#[test]
fn damaged_core_files_are_looked_at_to_an_end() {
    let (packed, whole) = grabbed();
    bodies::core(&packed);
    go_on(&whole, &places(&whole), bodies::core);
}

#[test]
fn damaged_grabs_are_looked_at_to_an_end() {
    let (packed, whole) = grabbed();
    go_on(&packed, &places(&packed), bodies::core);
    go_on(&whole, &places(&whole), bodies::grab);
}
