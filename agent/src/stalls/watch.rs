//! What the watchdog does at each look.

use crate::{
    clock::Nanos,
    collect::{
        task::slot::is_job,
        threads::{PanicHook, Polling, Thread},
    },
    missing::Missing,
    stalls::{
        Role, Roles, Settings,
        capture_queue::{Answer, CaptureQueue},
        cause::{Share, judge},
        kernel,
        record::{Stall, Stalls},
        round::{Latest, NoRound, Outcome, Round, refuse},
        whose::Whose,
    },
    standstills,
};
use std::{sync::Arc, thread::ThreadId, time::Duration};

/// When a stack is captured, after a stall was noticed; then at every interval of the last one.
const CAPTURES: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// How long a stall is looked at each time; after that it is looked at less often.
const HURRIED: Duration = Duration::from_secs(1);

/// How often then. So is a long poll on a thread that is no worker, since it may become one again.
const UNHURRIED: Duration = Duration::from_millis(250);

/// How long the service's panic hook may run on a worker: there are backtraces that read the debug information of a whole
/// executable. What is longer hangs.
const PANIC_HOOK: Duration = Duration::from_secs(10);

/// How soon to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hurry {
    /// There is nothing to see.
    None,
    /// There may be something soon, or there is.
    Some,
    /// A stack is due any moment.
    Much,
}

pub(crate) struct Watch {
    settings: Settings,
    roles: Roles,
    stalls: Arc<Stalls>,
    queue: CaptureQueue,
    long: Vec<Long>,
    /// One that somebody asked for and that is under way.
    round: Option<Round>,
    latest: Latest,
}

/// A poll that has lasted longer than half the threshold.
struct Long {
    thread: ThreadId,
    edge: u64,
    /// When its thread's role was asked for last.
    looked: Nanos,
    /// Since when its thread has been a worker during the poll; `None` while it is none.
    worker_since: Option<Nanos>,
    share: Share,
    stall: Option<Ongoing>,
}

struct Ongoing {
    id: u64,
    noticed: Nanos,
    /// CPU time of the thread, then.
    cpu: Option<Duration>,
    captures: usize,
}

impl Watch {
    pub(super) fn new(
        settings: Settings,
        roles: Roles,
        stalls: Arc<Stalls>,
        latest: Latest,
        missing: Arc<Missing>,
    ) -> Self {
        let queue = CaptureQueue::new(settings.stacks, Arc::clone(&stalls), missing);
        Self { settings, roles, stalls, queue, long: Vec::new(), round: None, latest }
    }

    /// Begins with a round that somebody asks for. One at a time.
    pub(super) fn begin_round(&mut self, outcome: Outcome, threads: &[Arc<Thread>], now: Nanos) {
        if self.round.is_some() {
            return refuse(outcome, NoRound::UnderWay);
        }
        self.round = Round::new(outcome, self.settings.stacks, threads, &mut self.roles, now);
    }

    /// Whether a running thread is waited for.
    #[cfg(test)]
    pub(super) fn is_waiting(&self) -> bool {
        self.queue.is_waiting()
    }

    /// How soon to look again.
    pub(crate) fn hurry(&self, now: Nanos) -> Hurry {
        let more = self.round.as_ref().is_some_and(Round::has_more) && !self.queue.is_waiting();
        if more || self.queue.is_hurried(now) {
            Hurry::Much
        } else if self.round.is_some() || self.long.iter().any(|long| long.is_hurried(now)) {
            Hurry::Some
        } else {
            Hurry::None
        }
    }

    /// Looks at what the threads poll now.
    pub(crate) fn look(&mut self, threads: &[Arc<Thread>], now: Nanos) {
        let over: Vec<(&Arc<Thread>, Polling)> = threads
            .iter()
            .filter_map(|thread| Some((thread, thread.polling().filter(|polling| !is_job(polling.task))?)))
            .filter(|(_, polling)| standstills::lasted(polling.since, now) >= self.settings.threshold / 2)
            .collect();
        if over.is_empty() && self.long.is_empty() && self.round.is_none() {
            return;
        }
        self.end(&over, threads, now);
        for (thread, polling) in over {
            let index = self.long.iter().position(|long| long.is(thread, polling)).unwrap_or_else(|| {
                self.long.push(Long::new(thread, polling));
                self.long.len() - 1
            });
            let Self { settings, roles, stalls, queue, long, .. } = self;
            long[index].look(thread, polling, now, &mut Tools { settings, roles, stalls, queue });
        }
        // What is stalled comes first.
        if let Some(round) = &mut self.round {
            round.step(&mut self.queue, now);
        }
        let (long, round) = (&self.long, &self.round);
        self.queue.look(now, |whose| match whose {
            Whose::Stall(id) => long.iter().any(|long| long.stall() == Some(*id)),
            Whose::Worker(_) => round.as_ref().is_some_and(|round| round.captures(now)),
        });
        if let Some(round) = self.round.take_if(|round| round.is_over(now)) {
            round.end(&self.latest);
        }
    }

    fn end(&mut self, over: &[(&Arc<Thread>, Polling)], threads: &[Arc<Thread>], now: Nanos) {
        let stalls = &self.stalls;
        self.long.retain(|long| {
            let lasts = over.iter().any(|(thread, polling)| long.is(thread, *polling));
            if let (false, Some(id)) = (lasts, long.stall()) {
                // The poll was over before the thread's next one began.
                let next = threads.iter().find(|thread| thread.id == long.thread).and_then(|thread| thread.polling());
                stalls.end(id, next.map_or(now, |next| next.since.max(long.looked).min(now)));
            }
            lasts
        });
    }
}

/// What a look needs.
struct Tools<'a> {
    settings: &'a Settings,
    roles: &'a mut Roles,
    stalls: &'a Stalls,
    queue: &'a mut CaptureQueue,
}

impl Long {
    fn new(thread: &Thread, polling: Polling) -> Self {
        Self {
            thread: thread.id,
            edge: polling.edge,
            looked: polling.since,
            // If it turns out to be one at the first look.
            worker_since: Some(polling.since),
            share: Share::default(),
            stall: None,
        }
    }

    fn is(&self, thread: &Thread, polling: Polling) -> bool {
        self.thread == thread.id && self.edge == polling.edge
    }

    fn stall(&self) -> Option<u64> {
        self.stall.as_ref().map(|stall| stall.id)
    }

    /// It may become a stall, or is a young one.
    fn is_hurried(&self, now: Nanos) -> bool {
        match &self.stall {
            Some(stall) => now.since(stall.noticed) < HURRIED,
            None => self.worker_since.is_some(),
        }
    }

    fn look(&mut self, thread: &Thread, polling: Polling, now: Nanos, tools: &mut Tools) {
        if self.is_hurried(now) || now.since(self.looked) >= UNHURRIED {
            self.looked = now;
            match ((tools.roles)(thread.id), &mut self.stall) {
                (Role::Worker { queued, .. }, Some(stall)) => {
                    stall.update(thread.tid, &mut self.share, queued, tools.stalls, now);
                }
                (role @ Role::Worker { .. }, None) => self.wait(thread, polling, role, tools, now),
                // The worker was handed over: it is not stalled, or no longer.
                (Role::Other, stall) => {
                    self.worker_since = None;
                    if let Some(stall) = stall.take() {
                        tools.stalls.end(stall.id, now);
                    }
                }
            }
        }
        if let Some(stall) = &mut self.stall {
            stall.capture(thread.tid, tools.queue, now);
        }
    }

    /// Lets a worker's poll pass until it has lasted longer than the threshold.
    fn wait(&mut self, thread: &Thread, polling: Polling, role: Role, tools: &Tools, now: Nanos) {
        let since = *self.worker_since.get_or_insert(now);
        let threshold = tools.settings.threshold;
        // To print a panic is nothing that the task does.
        let (since, threshold) = match thread.panic_hook() {
            PanicHook::Never => (since, threshold),
            PanicHook::Runs => (since, threshold.max(PANIC_HOOK)),
            PanicHook::Over(at) => (since.max(at), threshold),
        };
        if standstills::lasted(since, now) >= threshold {
            self.begin(thread, polling.task, since, role, tools.stalls, now);
        } else {
            self.share.note(now, kernel::cpu(thread.tid));
        }
    }

    fn begin(&mut self, thread: &Thread, task: u64, since: Nanos, role: Role, stalls: &Stalls, now: Nanos) {
        let Role::Worker { runtime, index, queued } = role else { return };
        let look = kernel::look(thread.tid);
        let reason = judge(&look, self.share.note(now, look.cpu));
        let id = stalls.begin(Stall {
            id: 0,
            runtime,
            worker: index,
            tid: thread.tid,
            thread: (&*thread.name).into(),
            task,
            since,
            ended_at: None,
            cause: reason.cause,
            system_call: reason.call,
            kernel_function: look.function,
            on_cpu: Duration::ZERO,
            queued,
            stack: None,
            limitation: reason.limitation.into_owned(),
        });
        self.stall = Some(Ongoing { id, noticed: now, cpu: look.cpu, captures: 0 });
    }
}

impl Ongoing {
    /// Looks at the thread again, and tells what has changed.
    fn update(&mut self, tid: u32, share: &mut Share, queued: u64, stalls: &Stalls, now: Nanos) {
        let look = kernel::look(tid);
        let reason = judge(&look, share.note(now, look.cpu));
        let on_cpu = look.cpu.zip(self.cpu).map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then));
        stalls.update(self.id, |stall| {
            stall.cause = reason.cause;
            stall.system_call = reason.call;
            stall.kernel_function = look.function;
            stall.on_cpu = on_cpu;
            stall.queued = queued;
            stall.limitation = reason.limitation.into_owned();
        });
    }

    fn capture(&mut self, tid: u32, queue: &mut CaptureQueue, now: Nanos) {
        let last = CAPTURES.len() - 1;
        let due =
            CAPTURES.get(self.captures).copied().unwrap_or_else(|| CAPTURES[last] * (self.captures - last + 1) as u32);
        if now.since(self.noticed) >= due && queue.capture(Whose::Stall(self.id), tid, now) == Answer::Done {
            self.captures += 1;
        }
    }
}
