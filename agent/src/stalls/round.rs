//! What every worker is doing now, because somebody asks: captured once, worker by worker, in bounded time.
//!
//! Of a worker that is parked nothing is captured. One that sleeps in the midst of a poll is only looked at, and one that runs is interrupted
//! as a stalled one would be, by the same [`CaptureQueue`] and after those that are stalled. It says of nobody that something is wrong.

use crate::{
    capture::Stack,
    clock::{self, Nanos},
    collect::{task::slot::is_job, threads::Thread},
    stalls::{
        Role, Roles, Stacks,
        capture_queue::{Answer, CaptureQueue},
        kernel,
        whose::{Captured, Place, Whose},
    },
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};
use tokio::sync::{oneshot, watch};

/// A worker whose turn has not come by then has none, and one that runs and was not interrupted by then is not.
const CAPTURING: Duration = Duration::from_millis(900);

/// What was captured is waited for so long, from the round's beginning on: to name the first stack of a process takes longest.
const LONGEST: Duration = Duration::from_secs(3);

/// Workers that a round captures: what it finds is kept for clients that attach later.
const MOST: usize = 128;

/// What a worker was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// That is not known; the stack's limitation says why.
    Unknown,
    /// It had nothing to do.
    Parked,
    /// It ran, or could have.
    Runs,
    /// It slept in the kernel, in the midst of a poll.
    Sleeps,
}

/// What was found of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkerStack {
    /// Tokio's own number of the runtime.
    pub(crate) runtime: u64,
    /// The worker's index.
    pub(crate) worker: u32,
    /// The system's id of its thread; 0 where there is none.
    pub(crate) tid: u32,
    /// The thread's name; empty where it has none.
    pub(crate) thread: Arc<str>,
    pub(crate) doing: Doing,
    /// The task that it polled then, in the console's format; 0 for none, and where it is not certain which one it was.
    pub(crate) task: u64,
    /// When that was.
    pub(crate) at: Nanos,
    /// `None` of one that was parked.
    pub(crate) stack: Option<Arc<Stack>>,
}

/// Why there is no round. Each says it in words for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRound {
    #[error("stacks were asked for just now, and are being captured")]
    UnderWay,
    #[error("stacks are switched off in this service (HOLDUP_STACKS)")]
    Off,
    #[error("no worker of this service has polled anything since its agent began")]
    NoWorkers,
    #[error("the thread that captures stacks could not be started in this service")]
    NoWatchdog,
}

/// Where whoever asks is told that the round is over, or that there is none.
pub(crate) type Outcome = oneshot::Sender<Result<(), NoRound>>;

/// What the watchdog is told.
#[derive(Debug)]
pub(crate) enum Order {
    Round(Outcome),
    End,
}

/// Where rounds are asked for, and where what the latest one found stands.
#[derive(Debug, Clone)]
pub(crate) struct Rounds {
    orders: Sender<Order>,
    latest: watch::Receiver<Arc<[WorkerStack]>>,
}

/// The other end, which is the watchdog's.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(super) taken: Receiver<Order>,
    pub(super) latest: Latest,
    /// By which it is told to end.
    pub(super) own: Sender<Order>,
}

/// Where what a round found is put, whole.
pub(super) type Latest = watch::Sender<Arc<[WorkerStack]>>;

impl Rounds {
    /// Both ends.
    pub(crate) fn new() -> (Self, Orders) {
        let (orders, taken) = channel();
        let (found, latest) = watch::channel(Arc::default());
        (Self { orders: orders.clone(), latest }, Orders { taken, latest: found, own: orders })
    }

    /// Asks for one. Nothing is waited for.
    pub(crate) fn ask(&self) -> Result<oneshot::Receiver<Result<(), NoRound>>, NoRound> {
        let (outcome, told) = oneshot::channel();
        self.orders.send(Order::Round(outcome)).map_err(|_| NoRound::NoWatchdog)?;
        Ok(told)
    }

    /// What the latest one found; nothing before the first.
    pub(crate) fn latest(&self) -> watch::Receiver<Arc<[WorkerStack]>> {
        self.latest.clone()
    }
}

/// One that is under way.
pub(super) struct Round {
    began: Nanos,
    outcome: Outcome,
    found: Vec<Found>,
    captured: Receiver<(usize, Captured)>,
    back: Sender<(usize, Captured)>,
}

struct Found {
    thread: Arc<Thread>,
    row: WorkerStack,
    stage: Stage,
}

/// How far it has come with a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It was not looked at.
    New,
    /// It runs, so that it has to wait for those before it; or too many are read.
    Waits,
    /// It is being captured, or what was captured is being read.
    Begun,
    Over,
}

impl Round {
    /// Begins with all workers that there are.
    pub(super) fn new(
        outcome: Outcome,
        stacks: Stacks,
        threads: &[Arc<Thread>],
        roles: &mut Roles,
        now: Nanos,
    ) -> Option<Self> {
        let mut found: Vec<Found> = threads.iter().filter_map(|thread| Found::new(thread, roles, now)).collect();
        let none =
            if stacks == Stacks::Off { Some(NoRound::Off) } else { found.is_empty().then_some(NoRound::NoWorkers) };
        if let Some(none) = none {
            refuse(outcome, none);
            return None;
        }
        for found in found.iter_mut().skip(MOST) {
            found.leave("as many workers as are captured at once were captured before it");
        }
        let (back, captured) = channel();
        Some(Self { began: now, outcome, found, captured, back })
    }

    /// Goes on as far as can be without waiting.
    pub(super) fn step(&mut self, queue: &mut CaptureQueue, now: Nanos) {
        while let Ok((at, captured)) = self.captured.try_recv() {
            if let Some(found) = self.found.get_mut(at) {
                found.take(captured);
            }
        }
        if !self.captures(now) {
            let left = self.found.iter_mut().filter(|found| found.is_left());
            return left.for_each(|found| found.leave("its turn did not come in time: others were captured before it"));
        }
        for (at, found) in self.found.iter_mut().enumerate().filter(|(_, found)| found.stage == Stage::New) {
            found.capture(at, &self.back, queue, now);
        }
        for (at, found) in self.found.iter_mut().enumerate().filter(|(_, found)| found.stage == Stage::Waits) {
            // One at a time.
            if queue.is_waiting() || found.capture(at, &self.back, queue, now) == Answer::Later {
                return;
            }
        }
    }

    /// Whether it still captures: who is waited for is worth that.
    pub(super) fn captures(&self, now: Nanos) -> bool {
        now.since(self.began) < CAPTURING
    }

    /// Whether some worker has not had its turn.
    pub(super) fn has_more(&self) -> bool {
        self.found.iter().any(Found::is_left)
    }

    pub(super) fn is_over(&self, now: Nanos) -> bool {
        self.found.iter().all(|found| found.stage == Stage::Over) || now.since(self.began) >= LONGEST
    }

    /// Tells everybody what was found.
    pub(super) fn end(mut self, latest: &Latest) {
        for found in &mut self.found {
            if found.stage != Stage::Over {
                found.leave("what was captured of it was not read in time: ask again");
            }
        }
        latest.send_replace(self.found.into_iter().map(|found| found.row).collect());
        // Who asked may have left.
        let _ = self.outcome.send(Ok(()));
    }
}

/// Tells whoever asked why there is none.
pub(super) fn refuse(outcome: Outcome, none: NoRound) {
    // They may have left.
    let _ = outcome.send(Err(none));
}

impl Found {
    /// What is to be found of a thread; `None` of one that is no worker.
    fn new(thread: &Arc<Thread>, roles: &mut Roles, now: Nanos) -> Option<Self> {
        if thread.polling().is_some_and(|polling| is_job(polling.task)) {
            return None;
        }
        let Role::Worker { runtime, index, .. } = roles(thread.id) else { return None };
        let row = WorkerStack {
            runtime,
            worker: index,
            tid: thread.tid,
            thread: (&*thread.name).into(),
            doing: Doing::Unknown,
            task: 0,
            at: now,
            stack: None,
        };
        Some(Self { thread: Arc::clone(thread), row, stage: Stage::New })
    }

    /// Whether it has not had its turn.
    fn is_left(&self) -> bool {
        matches!(self.stage, Stage::New | Stage::Waits)
    }

    /// Has it captured, if it has anything to do.
    fn capture(&mut self, at: usize, back: &Sender<(usize, Captured)>, queue: &mut CaptureQueue, now: Nanos) -> Answer {
        if self.is_parked() {
            (self.row.doing, self.row.at, self.stage) = (Doing::Parked, clock::now(), Stage::Over);
            return Answer::Done;
        }
        let place = Place::new(at, Arc::clone(&self.thread), back.clone());
        let answer = queue.capture(Whose::Worker(place), self.thread.tid, now);
        self.stage = if answer == Answer::Done { Stage::Begun } else { Stage::Waits };
        answer
    }

    /// Whether the worker has nothing to do: it sleeps, and in no poll.
    fn is_parked(&self) -> bool {
        let idle = || self.thread.polling().is_none();
        idle() && kernel::look(self.thread.tid).state == Some('S') && idle()
    }

    fn take(&mut self, captured: Captured) {
        let Captured { doing, task, stack } = captured;
        self.row = WorkerStack { doing, task, at: stack.captured_at, ..self.row.clone() };
        self.row.stack = (doing != Doing::Parked).then(|| Arc::new(stack));
        self.stage = Stage::Over;
    }

    /// Says why there is no stack.
    fn leave(&mut self, why: &str) {
        self.row.at = clock::now();
        self.row.stack = Some(Arc::new(Stack::none(self.row.at, why)));
        self.stage = Stage::Over;
    }
}
