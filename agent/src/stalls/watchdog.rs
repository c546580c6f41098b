//! The thread that watches, for as long as it is wanted.

use crate::{
    clock,
    collect::{thread_state::hide, threads},
    missing::Missing,
    stalls::{
        Roles, Settings,
        record::Stalls,
        round::{Order, Orders},
        watch::{Hurry, Watch},
    },
    standstills,
};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender},
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
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts to watch, and keeps `stalls` up to date; rounds are captured as they are ordered.
    /// What it has to do without is `missing`.
    pub(crate) fn start(
        settings: Settings,
        roles: Roles,
        stalls: &Arc<Stalls>,
        orders: Orders,
        missing: &Arc<Missing>,
    ) -> io::Result<Self> {
        let Orders { taken, latest, own } = orders;
        let mut watch = Watch::new(settings, roles, Arc::clone(stalls), latest, Arc::clone(missing));
        let thread = std::thread::Builder::new().name("holdup-watchdog".into()).spawn(move || {
            hide();
            let idle = (settings.threshold / 2).clamp(INTERVAL, LONGEST_INTERVAL);
            let mut interval = idle;
            standstills::look(interval);
            loop {
                let order = match taken.recv_timeout(interval) {
                    Ok(Order::Round(outcome)) => Some(outcome),
                    Err(RecvTimeoutError::Timeout) => None,
                    Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => break,
                };
                let now = standstills::notice();
                let threads = threads::all();
                if let Some(outcome) = order {
                    watch.begin_round(outcome, &threads, now);
                }
                watch.look(&threads, now);
                interval = match watch.hurry(clock::now()) {
                    Hurry::None => idle,
                    Hurry::Some => INTERVAL,
                    Hurry::Much => SHORT_INTERVAL,
                };
                standstills::look(interval);
            }
            standstills::end();
        })?;
        Ok(Self { orders: own, thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // It may have ended by itself, by a panic, which has been reported.
        let _ = self.orders.send(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
