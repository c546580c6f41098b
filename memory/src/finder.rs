//! Where tasks are looked for: a sweep over memory at first, and then the heads of the lists that it led to. What is in no list (jobs,
//! tasks of a `LocalSet` that was not known) needs a sweep again, which is made when something says that one is missing, and takes a
//! small share of the time.

use crate::{
    bytes::{Bytes, Scene},
    round::Tasks,
    thread::Threads,
    tokio::{copy::Copy, header::Header, owned::Lists, scan::sweep},
    workers::Workers,
};
use rustc_hash::FxHashMap;
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// A sweep is made again when so many times as much time has passed as it took.
const REST: u32 = 20;
/// One that takes less than this needs no rest: looks are half a second apart.
const CHEAP: Duration = Duration::from_millis(5);

/// Finds tasks that are not known.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    lists: FxHashMap<u64, (u16, Lists)>,
    /// When the sweep before ended, and how long it took.
    swept: Option<(Instant, Duration)>,
    /// Something is missing.
    missing: Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Missing {
    #[default]
    Nothing,
    Something,
}

impl Finder {
    /// Headers that are not known, or may be others than they were.
    pub(crate) fn find(
        &mut self,
        tasks: &Tasks,
        copies: &[Copy],
        scene: &Scene,
        threads: &Threads,
        bytes: &dyn Bytes,
    ) -> Vec<(u64, Header)> {
        let rested = self.swept.is_none_or(|(ended, took)| took < CHEAP || ended.elapsed() >= took * REST);
        if self.swept.is_none() || (self.missing == Missing::Something && rested) {
            return self.sweep(copies, scene, threads, bytes);
        }
        let mut found = Vec::new();
        for (copy, lists) in self.lists.values() {
            let Some(copy) = copies.get(usize::from(*copy)) else { continue };
            let kind = |vtable: u64| copy.types.get(&vtable).cloned();
            let known = |at: u64, number: u64| tasks.get(at).is_some_and(|known| known.number == number);
            match lists.fresh(bytes, &kind, &known) {
                Some(fresh) => found.extend(fresh),
                None => return self.sweep(copies, scene, threads, bytes),
            }
        }
        found
    }

    fn sweep(&mut self, copies: &[Copy], scene: &Scene, threads: &Threads, bytes: &dyn Bytes) -> Vec<(u64, Header)> {
        let began = Instant::now();
        let is_vtable = |word: u64| copies.iter().any(|copy| copy.types.contains_key(&word));
        // A thread's stack is where its stack pointer leads, or where the C library keeps the thread. The first thread is kept apart
        // from its stack: in the heap itself, where all is linked statically.
        let stacks = scene.threads.iter().flat_map(|thread| {
            let kept = threads.pointer(thread.id).filter(|_| thread.id != scene.pid);
            [thread.registers.map(|registers| registers.sp), kept].into_iter().flatten()
        });
        let stacks: Vec<u64> = stacks.collect();
        let found = sweep(scene, &stacks, bytes, &is_vtable, span(copies));
        self.swept = Some((Instant::now(), began.elapsed()));
        found.candidates
    }

    /// What the look has led to, and whether it says that something was not found.
    pub(crate) fn learn(&mut self, workers: &mut Workers, tasks: &Tasks, bytes: &dyn Bytes) {
        self.lists = std::mem::take(&mut workers.lists);
        // What the lists say of themselves may be anything.
        let counts = self.lists.values().filter_map(|(_, lists)| lists.count(bytes));
        let counted = counts.fold(0, u64::saturating_add);
        let running: Vec<u64> = workers.runs.keys().copied().collect();
        self.missing =
            if counted > tasks.listed() || !tasks.has_all(&running) { Missing::Something } else { Missing::Nothing };
    }
}

/// Between which addresses all vtables are.
fn span(copies: &[Copy]) -> Range<u64> {
    let all = || copies.iter().flat_map(|copy| copy.types.keys().copied());
    all().min().unwrap_or(0)..all().max().map_or(0, |last| last.saturating_add(1))
}
