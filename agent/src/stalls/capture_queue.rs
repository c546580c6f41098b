//! Has the stacks of stalled threads captured: at a bounded rate, without waiting for any of them.

use crate::{
    clock::Nanos,
    missing::Missing,
    stalls::{Stacks, record::Stalls},
};
use std::{sync::Arc, time::Duration};

/// What became of a wish for a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is captured, or under way, or cannot be had, and the stall says why.
    Done,
    /// There are too many at once: ask again.
    Later,
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::CaptureQueue;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use super::{Answer, Arc, Duration, Missing, Nanos, Stacks, Stalls};
    use crate::{
        capture::{
            Stack,
            buffer::{Refused, STACK_BYTES, Snapshot},
            running::{Armed, Interrupts},
            sleeping,
            worker::Reader,
        },
        clock,
        collect::thread_state::hide,
        missing::Part,
    };
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Between two captures, so that there are at most ten in a second.
    const PAUSE: Duration = Duration::from_millis(100);

    /// Captures that may happen in a row after a quiet time.
    const BURST: usize = 4;

    /// How long a running thread may take to use a CPU, and how long that is expected to take.
    const PATIENCE: Duration = Duration::from_secs(2);
    const EXPECTED: Duration = Duration::from_millis(30);

    pub(crate) struct CaptureQueue {
        stacks: Stacks,
        reader: Option<Reader>,
        interrupts: Result<Interrupts, Refused>,
        /// Memory that comes back when a copy has been read.
        spare: Receiver<Box<Snapshot>>,
        back: Sender<Box<Snapshot>>,
        stalls: Arc<Stalls>,
        missing: Arc<Missing>,
        /// When the latest captures were, oldest first.
        latest: [Option<Nanos>; BURST],
        /// A running thread that has not been captured yet.
        waiting: Option<Waiting>,
    }

    /// Why no thread can be interrupted.
    fn note(missing: &Missing, refused: &Refused) {
        missing.note(Part::Stacks, &format_args!("no stack of a thread that runs: {refused}"));
    }

    struct Waiting {
        stall: u64,
        tid: u32,
        armed: Armed,
        copy: Box<Snapshot>,
        since: Nanos,
    }

    impl CaptureQueue {
        pub(crate) fn new(stacks: Stacks, stalls: Arc<Stalls>, missing: Arc<Missing>) -> Self {
            let (back, spare) = channel();
            let off = |why: &str| Err(Refused::NotInterruptible(why.into()));
            let (reader, interrupts) = match stacks {
                Stacks::Off => (None, off("stacks are switched off")),
                Stacks::Asleep => (Reader::shared(hide).ok(), off("interrupting threads is switched off")),
                Stacks::All => (Reader::shared(hide).ok(), Interrupts::new()),
            };
            if reader.is_some() {
                for _ in 0..BURST {
                    // The receiver lives as long as the sender.
                    let _ = back.send(Box::new(Snapshot::new(STACK_BYTES)));
                }
            }
            if let Err(refused @ Refused::Never(_)) = &interrupts {
                note(&missing, refused);
            }
            Self { stacks, reader, interrupts, spare, back, stalls, missing, latest: [None; BURST], waiting: None }
        }

        /// Has a thread captured for a stall.
        pub(crate) fn capture(&mut self, stall: u64, tid: u32, now: Nanos) -> Answer {
            if self.reader.is_none() {
                let off = self.stacks == Stacks::Off;
                self.tell(
                    stall,
                    if off { "stacks are switched off" } else { "no thread could be started to read stacks" },
                );
                return Answer::Done;
            }
            if self.latest[0].is_some_and(|oldest| now.since(oldest) < PAUSE * BURST as u32) {
                return Answer::Later;
            }
            let Ok(mut copy) = self.spare.try_recv() else { return Answer::Later };
            match sleeping::asleep(tid, &mut copy) {
                Ok(()) => self.read(stall, copy),
                Err(Refused::Runs | Refused::Moved) => return self.wait(stall, tid, copy, now),
                Err(refused) => {
                    self.give_back(copy);
                    self.tell(stall, &refused.to_string());
                }
            }
            self.count(now);
            Answer::Done
        }

        /// Looks whether a running thread has been captured meanwhile. `lasts` says whether a stall does.
        pub(crate) fn look(&mut self, now: Nanos, lasts: impl Fn(u64) -> bool) {
            let Some(mut waiting) = self.waiting.take() else { return };
            let late = now.since(waiting.since);
            if waiting.armed.take(&mut waiting.copy) {
                self.read(waiting.stall, waiting.copy);
            } else if !lasts(waiting.stall) {
                self.give_back(waiting.copy);
            } else if late > EXPECTED && sleeping::asleep(waiting.tid, &mut waiting.copy).is_ok() {
                self.read(waiting.stall, waiting.copy);
            } else if late > PATIENCE {
                self.give_back(waiting.copy);
                self.tell(
                    waiting.stall,
                    "the thread runs, and the kernel gave it no CPU on which to capture its stack",
                );
            } else {
                self.waiting = Some(waiting);
            }
        }

        /// A capture is due any moment.
        pub(crate) fn is_hurried(&self, now: Nanos) -> bool {
            self.waiting.as_ref().is_some_and(|waiting| now.since(waiting.since) < EXPECTED)
        }

        fn wait(&mut self, stall: u64, tid: u32, copy: Box<Snapshot>, now: Nanos) -> Answer {
            if self.waiting.is_some() {
                self.give_back(copy);
                return Answer::Later;
            }
            match self.interrupts.as_mut().map_err(|refused| refused.clone()).and_then(|interrupts| interrupts.arm(tid))
            {
                Ok(armed) => {
                    self.missing.found(Part::Stacks);
                    self.waiting = Some(Waiting { stall, tid, armed, copy, since: now });
                }
                Err(Refused::Busy) => {
                    self.give_back(copy);
                    return Answer::Later;
                }
                Err(refused) => {
                    self.give_back(copy);
                    self.tell(stall, &refused.to_string());
                    if matches!(refused, Refused::Never(_)) {
                        note(&self.missing, &refused);
                    }
                }
            }
            self.count(now);
            Answer::Done
        }

        fn count(&mut self, now: Nanos) {
            self.latest.rotate_left(1);
            self.latest[BURST - 1] = Some(now);
        }

        fn give_back(&self, copy: Box<Snapshot>) {
            let _ = self.back.send(copy);
        }

        fn read(&self, stall: u64, copy: Box<Snapshot>) {
            let Some(reader) = &self.reader else { return };
            let (stalls, back) = (Arc::clone(&self.stalls), self.back.clone());
            let read = reader.read(copy, move |stack, copy| {
                let _ = back.send(copy);
                stalls.update(stall, |stall| stall.stack = Some(Arc::new(stack)));
            });
            if let Err(copy) = read {
                self.give_back(copy);
                self.tell(stall, "too many stacks wait to be read");
            }
        }

        /// Says why there is no stack. One that was captured before stays.
        fn tell(&self, stall: u64, limitation: &str) {
            self.stalls.update(stall, |stall| {
                stall.stack.get_or_insert_with(|| Arc::new(Stack::none(clock::now(), limitation)));
            });
        }
    }
}

/// On other systems there are no stacks, and a stall says so.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) struct CaptureQueue(Arc<Stalls>);

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
impl CaptureQueue {
    pub(crate) fn new(_: Stacks, stalls: Arc<Stalls>, _: Arc<Missing>) -> Self {
        Self(stalls)
    }

    pub(crate) fn capture(&mut self, stall: u64, _: u32, now: Nanos) -> Answer {
        let none = crate::capture::Stack::none(now, "stacks need Linux on x86-64 or aarch64");
        self.0.update(stall, |stall| stall.stack = Some(Arc::new(none)));
        Answer::Done
    }

    pub(crate) fn look(&mut self, _: Nanos, _: impl Fn(u64) -> bool) {}

    pub(crate) fn is_hurried(&self, _: Nanos) -> bool {
        false
    }
}
