//! What naming takes of memory, however much debug information there is: held against the allocator's account. The file is written for
//! this, with 48 MB of it; another size is a variable:
//!
//! ```console
//! $ HOLDUP_DEBUG_MB=500 cargo test -p holdup-stack --test large -- --nocapture
//! ```

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

mod object_file;

use holdup_stack::{frame::Frame, memory::OwnMemory, modules::Loaded, symbolize::Symbols, unwind::Unwinder};
use object_file::{Written, write};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    env, fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Counts bytes that are allocated, and the most that were at once.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator is one")]
// SAFETY: all is the system's allocator, which is asked for the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What the agent promises, of all that is in its service.
const PROMISED: usize = 8 << 20;
/// What it keeps of names.
const KEPT: usize = 1 << 20;
/// Where the file is taken to be loaded.
const BIAS: u64 = 0x5000_0000_0000;

fn loaded(path: &Path, written: &Written) -> Unwinder {
    let mut unwinder = Unwinder::of_another();
    let range = BIAS..BIAS + written.end;
    let file = Loaded {
        path: path.display().to_string(),
        file: Some(path.to_owned()),
        bias: BIAS,
        range: range.clone(),
        code: vec![range],
        ..Loaded::default()
    };
    unwinder.load(vec![file], &OwnMemory);
    unwinder
}

/// The one function at an address of the file: its name, file and line.
fn one(symbols: &mut Symbols, unwinder: &Unwinder, address: u64) -> (String, String, u32) {
    let frames = symbols.name(&[BIAS + address], unwinder.modules());
    let [Frame { function, file, line, .. }] = frames.as_slice() else { panic!("{frames:?}") };
    (function.to_string(), file.to_string(), *line)
}

#[test]
fn a_few_megabytes_are_enough_for_any_file() {
    let megabytes = env::var("HOLDUP_DEBUG_MB").map_or(48, |text| text.parse().expect("a number of megabytes"));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large");
    let written = write(&path, megabytes << 20);
    let unwinder = loaded(&path, &written);

    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut symbols = Symbols::within(KEPT);
    // In the last of many units, in one that is a half of the file, in one that no table tells of, and in one with more kinds of entries
    // than any compiler makes.
    for at in [&written.small, &written.huge, &written.untold] {
        assert_eq!(one(&mut symbols, &unwinder, at.address), (at.name.clone(), "/build/src/large.rs".into(), at.line));
    }
    let odd = &written.odd;
    assert_eq!(one(&mut symbols, &unwinder, odd.address), (odd.name.clone(), String::new(), 0));
    // As many others as are kept, and more.
    let addresses: Vec<u64> = (0..10_000).map(|step| BIAS + written.small.address - 16 * step).collect();
    for stack in addresses.chunks(100) {
        assert!(symbols.name(stack, unwinder.modules()).iter().all(|frame| frame.line > 0));
    }
    let most = MOST.load(Ordering::Relaxed) - before;
    drop((symbols, addresses));
    let after = NOW.load(Ordering::Relaxed).saturating_sub(before);
    println!(
        "{} MB of debug information: {} KiB at most, {} KiB afterwards",
        written.bytes >> 20,
        most >> 10,
        after >> 10
    );
    assert!(most < PROMISED / 2, "{most} bytes at once");
    assert!(after < 64 << 10, "{after} bytes were not given back");
    fs::remove_file(&path).expect("it was written");
}
