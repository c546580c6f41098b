//! The stalls that are known: those that last, and the latest of those that are over. Written by the watchdog, read by
//! whoever serves them; no thread of the service ever takes this lock.

use crate::{capture::Stack, clock::Nanos, stalls::cause::Cause};
use parking_lot::{Condvar, Mutex};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Finished stalls that are kept.
const FINISHED: usize = 64;

/// A poll that lasts, or lasted, longer than the threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stall {
    /// Unique in the process.
    pub(crate) id: u64,
    /// Tokio's own number of the runtime.
    pub(crate) runtime: u64,
    /// The worker's index.
    pub(crate) worker: u32,
    /// The system's id of the thread; 0 where there is none.
    pub(crate) tid: u32,
    /// The thread's name; empty where it has none.
    pub(crate) thread: Arc<str>,
    /// The task, in the console's format.
    pub(crate) task: u64,
    /// When the poll began; where the thread became a worker during the poll, when that was.
    pub(crate) since: Nanos,
    /// When it was over, one way or the other; `None` while it lasts.
    pub(crate) ended_at: Option<Nanos>,
    /// Why it lasts, as of the last look; `None` where it could not be told.
    pub(crate) cause: Option<Cause>,
    /// The system call that the thread sleeps in; empty where there is none or it is not known.
    pub(crate) system_call: String,
    /// Where in the kernel it sleeps; empty where that is not told.
    pub(crate) kernel_function: String,
    /// Time on a CPU since the stall was noticed.
    pub(crate) on_cpu: Duration,
    /// Tasks in the worker's own queue, as of the last look.
    pub(crate) queued: u64,
    /// `None` until it is captured, which takes a moment.
    pub(crate) stack: Option<Arc<Stack>>,
    /// What is not known, in words; empty when nothing is missing.
    pub(crate) limitation: String,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Stalls {
    records: Mutex<Records>,
    version: watch::Sender<u64>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Records {
    version: u64,
    ids: u64,
    /// With the version of its last change.
    ongoing: Vec<(u64, Stall)>,
    finished: VecDeque<(u64, Stall)>,
}

impl Default for Stalls {
    fn default() -> Self {
        Self { records: Mutex::default(), version: watch::Sender::new(0), changed: Condvar::new() }
    }
}

impl Stalls {
    /// What has changed after `version`, oldest first, and the version to ask with next time. Everything, for version 0.
    pub(crate) fn since(&self, version: u64) -> (u64, Vec<Stall>) {
        self.records.lock().since(version)
    }

    /// The same, once there is something; the thread sleeps until then.
    pub(crate) fn wait(&self, version: u64) -> (u64, Vec<Stall>) {
        let mut records = self.records.lock();
        self.changed.wait_while(&mut records, |records| records.version <= version);
        records.since(version)
    }

    /// Wakes whoever waits although nothing has changed.
    pub(crate) fn call(&self) {
        self.change(|_| ());
    }

    /// Wakes whoever waits for changes: the value is the version.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Adds a stall, and gives it its id.
    pub(crate) fn begin(&self, stall: Stall) -> u64 {
        self.change(|records| {
            records.ids += 1;
            let (id, version) = (records.ids, records.version);
            records.ongoing.push((version, Stall { id, ..stall }));
            id
        })
    }

    /// Changes one that lasts, or whose stack comes late.
    pub(crate) fn update(&self, id: u64, with: impl FnOnce(&mut Stall)) {
        self.change(|records| {
            let version = records.version;
            let mut all = records.ongoing.iter_mut().chain(&mut records.finished);
            if let Some((changed, stall)) = all.find(|(_, stall)| stall.id == id) {
                with(stall);
                *changed = version;
            }
        });
    }

    /// Ends one.
    pub(crate) fn end(&self, id: u64, at: Nanos) {
        self.change(|records| {
            let Some(index) = records.ongoing.iter().position(|(_, stall)| stall.id == id) else { return };
            let (_, stall) = records.ongoing.remove(index);
            records.finished.push_back((records.version, Stall { ended_at: Some(at), ..stall }));
            if records.finished.len() > FINISHED {
                records.finished.pop_front();
            }
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Records) -> T) -> T {
        let mut records = self.records.lock();
        records.version += 1;
        let result = change(&mut records);
        let version = records.version;
        drop(records);
        self.changed.notify_all();
        self.version.send_modify(|told| *told = version.max(*told));
        result
    }
}

impl Records {
    /// What has changed after `version`, oldest first.
    fn since(&self, version: u64) -> (u64, Vec<Stall>) {
        let all = self.finished.iter().chain(&self.ongoing);
        let mut changed: Vec<Stall> =
            all.filter(|(changed, _)| *changed > version).map(|(_, stall)| stall.clone()).collect();
        changed.sort_unstable_by_key(|stall| stall.id);
        (self.version, changed)
    }
}

#[cfg(test)]
impl Stall {
    /// One of which nothing is known but where and since when it lasts.
    pub(crate) fn of_worker(id: u64, worker: u32, since: Nanos) -> Self {
        Self {
            id,
            runtime: 1,
            worker,
            tid: 7,
            thread: "w".into(),
            task: 3,
            since,
            ended_at: None,
            cause: None,
            system_call: String::new(),
            kernel_function: String::new(),
            on_cpu: Duration::ZERO,
            queued: 0,
            stack: None,
            limitation: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn stall() -> Stall {
        Stall::of_worker(0, 0, clock::now())
    }

    #[test]
    fn changes_are_told_once() {
        let stalls = Stalls::default();
        let told = stalls.subscribe();
        let (first, second) = (stalls.begin(stall()), stalls.begin(stall()));
        assert!(told.has_changed().unwrap());
        let (version, all) = stalls.since(0);
        assert_eq!(all.iter().map(|stall| stall.id).collect::<Vec<_>>(), [first, second]);
        assert_eq!(stalls.since(version), (version, Vec::new()));
        stalls.update(second, |stall| stall.queued = 9);
        let (version, changed) = stalls.since(version);
        assert_eq!(changed.iter().map(|stall| (stall.id, stall.queued)).collect::<Vec<_>>(), [(second, 9)]);
        stalls.end(first, clock::now());
        let (_, changed) = stalls.since(version);
        assert!(changed.len() == 1 && changed[0].id == first && changed[0].ended_at.is_some());
    }

    #[test]
    fn the_latest_of_those_that_are_over_stay() {
        let stalls = Stalls::default();
        let lasting = stalls.begin(stall());
        for _ in 0..FINISHED + 5 {
            let id = stalls.begin(stall());
            stalls.end(id, clock::now());
        }
        let (_, all) = stalls.since(0);
        assert_eq!(all.len(), FINISHED + 1);
        assert_eq!((all[0].id, all[1].id), (lasting, lasting + 6));
    }
}
