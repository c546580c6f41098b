//! Objects and layouts that were damaged in every place are read to an end, in bounded time.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "../fuzz/bodies/debug.rs"]
mod bodies;

use object::{Object as _, ObjectSection as _};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// For how long each of the tests goes on.
const TIME: Duration = Duration::from_secs(4);
/// How long one file may take.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

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

fn damage(numbers: &mut Numbers, good: &[u8], places: &[Range<usize>]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let place = &places[numbers.below(places.len())];
    for _ in 0..=numbers.below(40) {
        // Close together as often as far apart.
        let at = place.start + numbers.below(place.len());
        for (offset, _) in (0..=numbers.below(4)).enumerate() {
            if let Some(byte) = bytes.get_mut(at + offset) {
                *byte = match numbers.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => *byte ^ (1 << numbers.below(8)),
                    _ => numbers.below(256) as u8,
                };
            }
        }
    }
    if numbers.below(10) == 0 {
        bytes.truncate(numbers.below(good.len()));
    }
    bytes
}

fn go_on(good: &[u8], places: &[Range<usize>], read: fn(&[u8])) {
    let (start, mut numbers, mut times) = (Instant::now(), Numbers(0x9e37_79b9_7f4a_7c15), 0);
    while start.elapsed() < TIME {
        let bytes = damage(&mut numbers, good, places);
        let before = Instant::now();
        read(&bytes);
        assert!(before.elapsed() < LONGEST, "the one after {times} others took {:?}", before.elapsed());
        times += 1;
    }
    assert!(times > 3, "{times}");
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
