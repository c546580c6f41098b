//! What the agent says by itself when something critical lasts, so that it stands in the service's own log although no client watches.
//!
//! A thread of its own sleeps until a stall changes, judges, and tells. A log that blocks, or a callback that does not return, keeps
//! that thread and nothing else: what the agent collects and serves goes on, and what comes meanwhile is judged as it is then.

mod alarm;
mod judge;

pub use alarm::{Alarm, AlarmKind, Stuck};

use crate::{clock, stalls::record::Stalls};
use judge::Judge;
use std::{
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What the service wants to be called.
type Call = dyn Fn(&Alarm) + Send + Sync;

/// The same, if it wants any.
#[derive(Clone, Default)]
pub(crate) struct Callback(pub(crate) Option<Arc<Call>>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Callback(..)" } else { "Callback(none)" })
    }
}

/// The thread. When this is dropped, it ends with the next look; nobody waits for it, since its log may.
#[derive(Debug)]
pub(crate) struct Alarms {
    stop: Arc<AtomicBool>,
    stalls: Arc<Stalls>,
}

impl Alarms {
    /// Starts to watch for what lasts longer than `after`.
    pub(crate) fn start(after: Duration, callback: Callback, stalls: &Arc<Stalls>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, theirs) = (Arc::clone(&stop), Arc::clone(stalls));
        // It is not hidden: what it logs is the service's to see.
        std::thread::Builder::new().name("holdup-alarms".into()).spawn(move || {
            let (mut judge, mut version) = (Judge::new(after), 0);
            while !stopped.load(Ordering::Acquire) {
                let (now_told, changed) = theirs.wait(version);
                version = now_told;
                for alarm in judge.judge(changed, clock::now()) {
                    tell(&alarm, &callback);
                }
            }
        })?;
        Ok(Self { stop, stalls: Arc::clone(stalls) })
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.stalls.call();
    }
}

/// The callback comes first: the log is what may block, for whoever is stuck may have a lock that it needs.
fn tell(alarm: &Alarm, callback: &Callback) {
    if let Some(callback) = &callback.0 {
        // What it panics with has been printed; the alarms go on.
        let _ = catch_unwind(AssertUnwindSafe(|| callback(alarm)));
    }
    let _ = catch_unwind(AssertUnwindSafe(|| log(alarm)));
}

fn log(alarm: &Alarm) {
    let (stack, lasted) = (alarm.stacks(), u64::try_from(alarm.lasted.as_millis()).unwrap_or(u64::MAX));
    tracing::error!(
        target: "holdup",
        kind = alarm.kind.word(),
        runtime = alarm.runtime.as_str(),
        lasted_ms = lasted,
        unsaid = alarm.unsaid,
        stack = stack.as_str(),
        "{}",
        alarm.headline()
    );
}
