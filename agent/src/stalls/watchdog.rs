//! The thread that watches, for as long as it is wanted.

use crate::{
    clock,
    collect::{thread_state::hide, threads},
    missing::Missing,
    stalls::{
        Roles, Settings,
        record::Stalls,
        watch::{Hurry, Watch},
    },
    standstills,
};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Between two looks, while a poll may become a stall, or has.
const INTERVAL: Duration = Duration::from_millis(25);

/// Between two looks at most, while there is nothing to see: waking up is what the watchdog costs.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);

/// Between two looks, while a running thread's capture is due any moment.
const SHORT_INTERVAL: Duration = Duration::from_millis(2);

/// The thread. When this is dropped, it ends within a look.
#[derive(Debug)]
pub(crate) struct Watchdog {
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts to watch, and keeps `stalls` up to date.
    /// What it has to do without is `missing`.
    pub(crate) fn start(
        settings: Settings,
        roles: Roles,
        stalls: &Arc<Stalls>,
        missing: &Arc<Missing>,
    ) -> io::Result<Self> {
        let (alive, ended) = channel::<()>();
        let mut watch = Watch::new(settings, roles, Arc::clone(stalls), Arc::clone(missing));
        let thread = std::thread::Builder::new().name("holdup-watchdog".into()).spawn(move || {
            hide();
            let idle = (settings.threshold / 2).clamp(INTERVAL, LONGEST_INTERVAL);
            let mut interval = idle;
            standstills::look(interval);
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let now = standstills::notice();
                watch.look(&threads::all(), now);
                interval = match watch.hurry(clock::now()) {
                    Hurry::None => idle,
                    Hurry::Some => INTERVAL,
                    Hurry::Much => SHORT_INTERVAL,
                };
                standstills::look(interval);
            }
            standstills::end();
        })?;
        Ok(Self { alive: Some(alive), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.alive.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell; if it panicked, the panic has been reported.
            let _ = thread.join();
        }
    }
}
