//! Has the stacks of threads captured, without waiting for any of them: of those that are stalled, at a bounded rate, and of workers in a round
//! that somebody asked for.

use crate::{
    clock::Nanos,
    missing::Missing,
    stalls::{Stacks, record::Stalls, round::Doing, whose::Whose},
};
use std::{sync::Arc, time::Duration};

/// What became of a wish for a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is captured, or under way, or cannot be had, and whose it is was told why.
    Done,
    /// There are too many at once: ask again.
    Later,
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use linux::CaptureQueue;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux {
    use super::{Answer, Arc, Doing, Duration, Missing, Nanos, Stacks, Stalls, Whose};
    use crate::{
        capture::{
            buffer::{Refused, STACK_BYTES, Snapshot},
            running::{Armed, Interrupts},
            sleeping,
            worker::Reader,
        },
        collect::thread_state::hide,
        missing::Part,
    };
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Between two captures of stalls, so that there are at most ten in a second.
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
        /// When the latest captures of stalls were, oldest first.
        latest: [Option<Nanos>; BURST],
        /// A running thread that has not been captured yet.
        waiting: Option<Waiting>,
    }

    /// Whether the queue bounds how often it captures: a round is bounded by whoever asks for it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Bounded {
        Yes,
        No,
    }

    impl Bounded {
        fn of(whose: &Whose) -> Self {
            if matches!(whose, Whose::Stall(_)) { Self::Yes } else { Self::No }
        }
    }

    /// Why no thread can be interrupted.
    fn note(missing: &Missing, refused: &Refused) {
        missing.note(Part::Stacks, &format_args!("no stack of a thread that runs: {refused}"));
    }

    /// What is said of a thread that runs and is never on a processor.
    const NO_PROCESSOR: &str = "the thread runs, and the kernel gave it no CPU on which to capture its stack";

    struct Waiting {
        whose: Whose,
        tid: u32,
        armed: Armed,
        copy: Box<Snapshot>,
        since: Nanos,
    }

    impl Waiting {
        /// Captures it if it sleeps by now. If not, what was known when it was armed stays: it may have been interrupted since.
        fn asleep(&mut self) -> Option<Whose> {
            let mut whose = self.whose.clone();
            asleep(&mut whose, self.tid, &mut self.copy).is_ok().then_some(whose)
        }
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

        /// Has a thread captured.
        pub(crate) fn capture(&mut self, mut whose: Whose, tid: u32, now: Nanos) -> Answer {
            if self.reader.is_none() {
                let off = self.stacks == Stacks::Off;
                let why = if off { "stacks are switched off" } else { "no thread could be started to read stacks" };
                self.tell(&whose, Doing::Unknown, why);
                return Answer::Done;
            }
            let bounded = Bounded::of(&whose);
            if bounded == Bounded::Yes && self.latest[0].is_some_and(|oldest| now.since(oldest) < PAUSE * BURST as u32)
            {
                return Answer::Later;
            }
            let Ok(mut copy) = self.spare.try_recv() else { return Answer::Later };
            match asleep(&mut whose, tid, &mut copy) {
                Ok(()) => self.read(whose, Doing::Sleeps, copy),
                Err(Refused::Runs | Refused::Moved) => return self.wait(whose, tid, copy, now),
                Err(refused) => {
                    self.give_back(copy);
                    self.tell(&whose, Doing::Unknown, &refused.to_string());
                }
            }
            self.count(bounded, now);
            Answer::Done
        }

        /// Looks whether a running thread has been captured meanwhile. `lasts` says whether a stall does, or a round.
        pub(crate) fn look(&mut self, now: Nanos, lasts: impl Fn(&Whose) -> bool) {
            let Some(mut waiting) = self.waiting.take() else { return };
            let late = now.since(waiting.since);
            if waiting.armed.take(&mut waiting.copy) {
                self.read(waiting.whose, Doing::Runs, waiting.copy);
            } else if !lasts(&waiting.whose) {
                self.give_back(waiting.copy);
                if matches!(waiting.whose, Whose::Worker(_)) {
                    self.tell(&waiting.whose, Doing::Runs, NO_PROCESSOR);
                }
            } else if late > EXPECTED
                && let Some(whose) = waiting.asleep()
            {
                self.read(whose, Doing::Sleeps, waiting.copy);
            } else if late > PATIENCE {
                self.give_back(waiting.copy);
                self.tell(&waiting.whose, Doing::Runs, NO_PROCESSOR);
            } else {
                self.waiting = Some(waiting);
            }
        }

        /// A running thread is waited for.
        pub(crate) fn is_waiting(&self) -> bool {
            self.waiting.is_some()
        }

        /// A capture is due any moment.
        pub(crate) fn is_hurried(&self, now: Nanos) -> bool {
            self.waiting.as_ref().is_some_and(|waiting| now.since(waiting.since) < EXPECTED)
        }

        fn wait(&mut self, whose: Whose, tid: u32, copy: Box<Snapshot>, now: Nanos) -> Answer {
            if self.waiting.is_some() {
                self.give_back(copy);
                return Answer::Later;
            }
            let bounded = Bounded::of(&whose);
            match self.interrupts.as_mut().map_err(|refused| refused.clone()).and_then(|interrupts| interrupts.arm(tid))
            {
                Ok(armed) => {
                    self.missing.found(Part::Stacks);
                    self.waiting = Some(Waiting { whose, tid, armed, copy, since: now });
                }
                Err(Refused::Busy) => {
                    self.give_back(copy);
                    return Answer::Later;
                }
                Err(refused) => {
                    self.give_back(copy);
                    let runs = matches!(refused, Refused::NotInterruptible(_) | Refused::Never(_));
                    let doing = if runs { Doing::Runs } else { Doing::Unknown };
                    self.tell(&whose, doing, &refused.to_string());
                    if matches!(refused, Refused::Never(_)) {
                        note(&self.missing, &refused);
                    }
                }
            }
            self.count(bounded, now);
            Answer::Done
        }

        fn count(&mut self, bounded: Bounded, now: Nanos) {
            if bounded == Bounded::Yes {
                self.latest.rotate_left(1);
                self.latest[BURST - 1] = Some(now);
            }
        }

        fn give_back(&self, copy: Box<Snapshot>) {
            let _ = self.back.send(copy);
        }

        fn read(&self, mut whose: Whose, doing: Doing, copy: Box<Snapshot>) {
            let Some(reader) = &self.reader else { return };
            whose.copied();
            if doing == Doing::Sleeps && whose.is_idle() {
                self.give_back(copy);
                return self.tell(&whose, Doing::Parked, "");
            }
            let (stalls, back) = (Arc::clone(&self.stalls), self.back.clone());
            let theirs = whose.clone();
            let read = reader.read(copy, move |stack, copy| {
                let _ = back.send(copy);
                theirs.take(doing, stack, &stalls);
            });
            if let Err(copy) = read {
                self.give_back(copy);
                self.tell(&whose, doing, "too many stacks wait to be read");
            }
        }

        fn tell(&self, whose: &Whose, doing: Doing, limitation: &str) {
            whose.tell(doing, limitation, &self.stalls);
        }
    }

    /// Captures a thread that sleeps, and goes on with what it did.
    fn asleep(whose: &mut Whose, tid: u32, copy: &mut Snapshot) -> Result<(), Refused> {
        whose.look();
        sleeping::asleep(tid, copy)?;
        if whose.has_moved_on() { Err(Refused::Moved) } else { Ok(()) }
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

    pub(crate) fn capture(&mut self, whose: Whose, _: u32, _: Nanos) -> Answer {
        whose.tell(Doing::Unknown, "stacks need Linux on x86-64 or aarch64", &self.0);
        Answer::Done
    }

    pub(crate) fn look(&mut self, _: Nanos, _: impl Fn(&Whose) -> bool) {}

    pub(crate) fn is_waiting(&self) -> bool {
        false
    }

    pub(crate) fn is_hurried(&self, _: Nanos) -> bool {
        false
    }
}
