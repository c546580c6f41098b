//! Debug information that cannot be read in place, since it is compressed or was split off: functions are named by symbols alone, unless
//! whoever asks has memory for all of it.

#![cfg(all(feature = "whole", target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use holdup_stack::{frame::Frame, memory::OwnMemory, modules::Loaded, symbolize::Symbols, unwind::Unwinder};
use object::{Object, ObjectSymbol};
use std::{fs, path::Path, process::Command};

const SOURCE: &str = "
#[inline(never)]
fn keeps_its_worker(number: u64) -> u64 {
    std::hint::black_box(number)
}

fn main() {
    assert_eq!(keeps_its_worker(7), 7);
}
";

/// The function of a program that is built like this, by each of the two ways.
fn both(name: &str, arguments: &[&str]) -> [Frame; 2] {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory");
    let (source, program) = (directory.join("program.rs"), directory.join("program"));
    fs::write(&source, SOURCE).expect("a file");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc.args(["--edition", "2024", "-Cdebuginfo=2", "-Copt-level=0"]).args(arguments);
    let built = rustc.arg("-o").arg(&program).arg(&source).current_dir(&directory).status();
    assert!(built.expect("rustc runs").success());

    let bytes = fs::read(&program).expect("it was built");
    let file = object::File::parse(&*bytes).expect("it is an executable");
    let is_it = |symbol: &object::Symbol<'_, '_>| symbol.name().is_ok_and(|name| name.contains("keeps_its_worker"));
    let at = file.symbols().find(is_it).expect("its function").address();
    let all = 0..u64::MAX;
    let loaded = Loaded { file: Some(program), range: all.clone(), code: vec![all], ..Loaded::default() };
    let mut unwinder = Unwinder::of_another();
    unwinder.load(vec![loaded], &OwnMemory);
    [Symbols::within(1 << 20), Symbols::at_any_cost(1 << 20)].map(|mut symbols| {
        let frames = symbols.name(&[at], unwinder.modules());
        frames.last().expect("a frame").clone()
    })
}

fn told(name: &str, arguments: &[&str]) {
    let [in_place, whole] = both(name, arguments);
    assert_eq!((&*in_place.function, &*in_place.file), ("program::keeps_its_worker", ""));
    assert_eq!((&*whole.function, whole.line), ("program::keeps_its_worker", 3));
    assert!(whole.file.ends_with("program.rs"), "{whole:?}");
}

#[test]
fn what_is_compressed_is_inflated_at_any_cost_alone() {
    told("compressed", &["-Clink-arg=-Wl,--compress-debug-sections=zlib"]);
}

#[test]
fn what_was_split_off_is_looked_for_at_any_cost_alone() {
    told("split", &["-Csplit-debuginfo=unpacked"]);
}
