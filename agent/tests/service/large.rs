//! A service with much debug information: the first stall that is captured is named to its line, and costs a few megabytes.
//!
//! The service is this executable with its debug information repeated, 48 MB of it in all; another size is a variable:
//!
//! ```console
//! $ HOLDUP_DEBUG_MB=500 cargo test -p holdup-agent --test service large -- --nocapture
//! ```

use crate::{
    attach::agent,
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, until_stdin_ends},
};
use holdup_proto::v1::{Frame, Report};
use object::{Object, ObjectSection};
use std::{
    env, fs,
    io::{BufRead, Write as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::runtime::Builder;

pub(crate) const ROLES: Roles = &[("large-stall", stall)];

/// More than this of anonymous memory no capture may take.
const PROMISED: u64 = 8 << 20;

/// Stalls again and again, from when it is told to.
fn stall() {
    let _agent = agent();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("stdin can be read");
    runtime.spawn(async {
        loop {
            keeps_its_worker();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    until_stdin_ends();
}

#[inline(never)]
fn keeps_its_worker() {
    thread::sleep(Duration::from_millis(400));
}

/// This executable, with so much debug information.
fn grown(bytes: usize) -> PathBuf {
    let mut file = fs::read(env::current_exe().expect("this executable is known")).expect("it can be read");
    let object = object::File::parse(&*file).expect("it is one");
    let section = |name: &str| {
        let section = object.section_by_name(name).unwrap_or_else(|| panic!("no {name}"));
        (section.index().0, section.data().expect("it can be read").to_vec())
    };
    let (units_at, units) = section(".debug_info");
    let (table_at, table) = section(".debug_aranges");
    let copies = bytes.div_ceil(units.len()).max(1);
    // Where the copies are is said first, of addresses that nobody has, so that all of that has to be gone through.
    let mut tables = Vec::new();
    for copy in 1..copies {
        tables.extend(moved(&table, (units.len() * copy) as u32, (copy as u64) << 40));
    }
    tables.extend(&table);
    let headers = u64::from_le_bytes(file[40..48].try_into().expect("eight bytes")) as usize;
    for (index, bytes) in [(units_at, units.repeat(copies)), (table_at, tables)] {
        let (offset, size) = (file.len() as u64, bytes.len() as u64);
        file.extend(bytes);
        let header = headers + 64 * index;
        file[header + 24..header + 32].copy_from_slice(&offset.to_le_bytes());
        file[header + 32..header + 40].copy_from_slice(&size.to_le_bytes());
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large-service");
    let mut out = fs::File::create(&path).expect("a file");
    out.write_all(&file).expect("room");
    out.set_permissions(fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

/// The table of which unit has which code, for units that are so far on, and code that is.
fn moved(table: &[u8], units: u32, code: u64) -> Vec<u8> {
    let (mut table, mut at) = (table.to_vec(), 0);
    while at < table.len() {
        let word = |at: usize| u32::from_le_bytes(table[at..at + 4].try_into().expect("four bytes"));
        let (end, unit) = (at + 4 + word(at) as usize, word(at + 6) + units);
        table[at + 6..at + 10].copy_from_slice(&unit.to_le_bytes());
        // What follows the header is aligned as pairs of addresses are.
        for pair in (at + 16..end).step_by(16) {
            let start = u64::from_le_bytes(table[pair..pair + 8].try_into().expect("eight bytes"));
            if start != 0 {
                table[pair..pair + 8].copy_from_slice(&(start + code).to_le_bytes());
            }
        }
        at = end;
    }
    table
}

/// A process's anonymous memory, in bytes.
fn anonymous(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("it lives");
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// The function that stalls, where its stack is told.
fn stalled(report: &Report) -> Option<Frame> {
    let frames = report.stalls.iter().filter_map(|stall| stall.stack.as_ref()).flat_map(|stack| &stack.frames);
    frames.rev().find(|frame| frame.function == "service::large::keeps_its_worker").cloned()
}

#[test]
fn the_first_stall_is_named_for_a_few_megabytes() {
    let megabytes: usize = env::var("HOLDUP_DEBUG_MB").map_or(48, |text| text.parse().expect("a number of megabytes"));
    let executable = grown(megabytes << 20);
    let mut service = Service::start_as(&executable, "large-stall", &[]);
    let address = service.address();
    let process = service.id();
    let told = block_on(async {
        let mut clients = Clients::connect(address).await;
        let mut reports = clients.reports().await;
        until(&mut reports, |report| !report.more).await;
        next(&mut reports).await;
        let before = anonymous(process);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let watcher = thread::spawn(move || {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(anonymous(process));
            }
            most
        });
        service.tell();
        let mut frame = None;
        until(&mut reports, |report| {
            frame = frame.take().or_else(|| stalled(report));
            frame.is_some()
        })
        .await;
        over.store(true, Ordering::Relaxed);
        let most = watcher.join().expect("it lived");
        (frame, before, most, anonymous(process))
    });
    let (frame, before, most, after) = told;
    let frame = frame.expect("it was waited for");
    println!(
        "{megabytes} MB of debug information: {} KiB before, {} KiB at most, {} KiB after",
        before >> 10,
        most >> 10,
        after >> 10
    );
    assert!(frame.file.ends_with("tests/service/large.rs") && frame.line > 0, "{frame:?}");
    assert!(most < before + PROMISED, "{most} bytes, after {before}");
    assert!(after < before + PROMISED / 2, "{after} bytes, after {before}");
    fs::remove_file(&executable).expect("it was written");
}
