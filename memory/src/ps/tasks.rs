//! How many tasks a process has, by a look that is as cheap as a list can bear: headers by the shape of their vtables, which needs no debug
//! information and no more time than to read what is present of its heaps.

use super::Listed;
use crate::{
    bytes::{Bytes, Live, proc, processor_time},
    objects::Object,
    thread::Threads,
    tokio::{
        header::word,
        scan::{heap, sweep},
        semaphore::read_all,
        vtable::vtables,
    },
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::time::Duration;

/// The tasks of a process with larger heaps are not counted: that would take longer than a list may.
const MOST: u64 = 128 << 20;
/// For all processes of a list together, of a processor.
pub(super) const TIME: Duration = Duration::from_secs(1);

/// Counts the tasks of those that may be read, the smallest first, until the time for it is over.
pub(super) fn count(processes: &mut [Listed]) {
    let mut all: Vec<&mut Listed> = processes.iter_mut().filter(|listed| listed.refused.is_none()).collect();
    all.sort_by_cached_key(|listed| resident(listed.pid));
    let began = processor_time();
    for listed in all {
        let pid = listed.pid;
        listed.tasks = if processor_time().saturating_sub(began) < TIME {
            tasks(pid)
        } else {
            Err("the list's time was over; `holdup PID` counts them".to_owned())
        };
    }
}

/// How many pages of a process are present.
fn resident(pid: u32) -> Option<u64> {
    proc::text(&format!("/proc/{pid}/statm"))?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The tasks of a process that are in a runtime's list; else why they were not counted, in words.
fn tasks(pid: u32) -> Result<u64, String> {
    let live = Live::open(pid).map_err(|error| error.to_string())?;
    let scene = live.scene().map_err(|error| error.to_string())?;
    if let Some(why) = live.blind() {
        return Err(why);
    }
    let heaps =
        scene.regions.iter().filter(|region| heap(region)).flat_map(|region| live.present(region.range.clone()));
    let size = heaps.map(|range| range.end - range.start).fold(0, u64::saturating_add);
    if size > MOST {
        return Err(format!("more than {} MB of heap; `holdup PID` counts them", MOST >> 20));
    }
    let mut threads = Threads::default();
    threads.renew(&scene, &live);
    let objects = threads.images().iter().map(|image| Object::new(image, &scene.regions, &live));
    let all: FxHashMap<u64, u64> =
        objects.flat_map(|object| vtables(&object, &live)).map(|vtable| (vtable.at, vtable.id)).collect();
    if all.is_empty() {
        return Err("no task's code was found in it".to_owned());
    }
    let span = all.keys().min().copied().unwrap_or(0)..all.keys().max().map_or(0, |last| last.saturating_add(1));
    let stacks: Vec<u64> = scene
        .threads
        .iter()
        .flat_map(|thread| {
            [thread.registers.map(|registers| registers.sp), threads.pointer(thread.id)].into_iter().flatten()
        })
        .collect();
    let found = sweep(&scene, &stacks, &live, &|word| all.contains_key(&word), span).candidates;
    // A job is in no list; a task that has ended has left it, and its bytes may be what is left of it.
    let ids: Vec<u64> = found
        .iter()
        .filter(|(_, header)| header.owner != 0 && !header.state.complete())
        .filter_map(|(at, header)| at.checked_add(*all.get(&header.vtable)?))
        .collect();
    let numbers = read_all(&live, &ids, 8).into_iter().flatten().filter_map(|bytes| word(&bytes, 0));
    // A task has one number, and no other task has it.
    let tasks: FxHashSet<u64> = numbers.filter(|number| (1..1 << 48).contains(number)).collect();
    Ok(tasks.len() as u64)
}
