//! Objects and layouts that were damaged in every place are read to an end, in bounded time.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "../fuzz/bodies/debug.rs"]
mod bodies;
mod damage;

use damage::go_on;
use object::{Object as _, ObjectSection as _};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

fn program(directory: &Path, flags: &[&str]) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/debug/programs/tokio.rs");
    let to = directory.join("tokio");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2024", "--crate-name", "tokio", "-Cdebuginfo=2", "-Clink-arg=-Wl,--build-id"]);
    let output = command.args(flags).arg(from).arg("-o").arg(&to).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    to
}

/// Where damage does most: what says how everything else is read.
fn places(file: &[u8]) -> Vec<Range<usize>> {
    let object = object::File::parse(file).unwrap();
    let ranges = object.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".debug_")));
    let mut ranges: Vec<_> =
        ranges.filter_map(|section| section.file_range()).map(|(at, len)| at as usize..(at + len) as usize).collect();
    // The header, and the table of sections.
    ranges.push(0..64);
    ranges.push(file.len() - 4096..file.len());
    ranges.push(0..file.len());
    ranges
}

#[test]
fn damaged_objects_are_read_to_an_end() {
    let directory = tempfile::tempdir().unwrap();
    for flags in
        [&["-Cdwarf-version=4"][..], &["-Cdwarf-version=5"], &["-Clink-arg=-Wl,--compress-debug-sections=zlib"]]
    {
        let good = fs::read(program(directory.path(), flags)).unwrap();
        bodies::object(&good);
        go_on(&good, &places(&good), bodies::object);
    }
}

#[test]
fn damaged_layouts_are_read_to_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = program(directory.path(), &[]);
    let to = directory.path().join("layout");
    holdup_memory::debug::Debug::open(&file).unwrap().write_layout(&to).unwrap();
    let good = fs::read(&to).unwrap();
    // What is packed has a checksum: damage in it is found. What stands before it has none.
    go_on(&good, &[0..64, 0..good.len()], bodies::layout);
}
