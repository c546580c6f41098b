//! `long-polls`: polls that have ended and took too long.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
        number::humanize,
    },
    model::{LONG_POLL, Task},
    update::{Fact, TaskKind},
};
use std::time::Duration;

const POLLS: Param =
    Param { name: "polls", default: Threshold::Count(10), help: "more polls than this must have been seen" };
const LONG: Param = Param {
    name: "long",
    default: Threshold::Count(5),
    help: "at least this many of them over 10 ms: one may be the machine's doing",
};
const SHARE: Param = Param {
    name: "share",
    default: Threshold::Share(0.1),
    help: "polls over 10 ms make up at least this share of the busy time",
};
const SINGLE: Param = Param {
    name: "single",
    default: Threshold::Time(Duration::from_millis(100)),
    help: "one poll of at least this length is enough",
};

/// How long a single long poll is news.
const RECENT: Duration = Duration::from_secs(60);

/// An agent tells of polls that keep a worker for longer, unless the service gave it another threshold.
const STALLS: Duration = Duration::from_millis(200);

pub(super) static LINT: Lint = Lint {
    name: "long-polls",
    summary: "A task's polls take too long: while it runs, every other task of its worker waits.",
    severities: &[Severity::Warning],
    advice: "Move computation and blocking calls to tokio::task::spawn_blocking, or split the work and await \
             tokio::task::yield_now() between the parts.",
    explanation: "",
    params: &[POLLS, LONG, SHARE, SINGLE],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(LongPolls::new(settings))),
};

struct LongPolls {
    polls: u64,
    long: u64,
    share: f64,
    single: Duration,
}

impl LongPolls {
    fn new(settings: &LintSettings) -> Self {
        Self {
            polls: settings.count(&POLLS),
            long: settings.count(&LONG),
            share: settings.share(&SHARE),
            single: settings.time(&SINGLE),
        }
    }
}

impl TaskCheck for LongPolls {
    fn judge(&self, cx: &Context, task: &Task) -> Judgement {
        if off_worker(cx, task) {
            return Judgement::Clear;
        }
        if matches!(task.kind(), TaskKind::Blocking | TaskKind::BlockOn) || task.stats().dropped.is_some() {
            return Judgement::Clear;
        }
        let share = long_share(task);
        let often =
            task.stats().polls.count > self.polls && u64::from(task.long_polls()) >= self.long && share >= self.share;
        let once = task.longest_poll() >= self.single && cx.now.since(task.longest_at()) <= RECENT;
        if often || once {
            Verdict::weighing(Severity::Warning, task.longest_at(), task.longest_poll())
        } else {
            Judgement::Clear
        }
    }

    fn describe(&self, _: &Context, task: &Task) -> Description {
        let share = long_share(task);
        Description {
            message: format!(
                "polls of up to {}; at least {:.0}% of its busy time in polls over {}",
                humanize(task.longest_poll()),
                share * 100.0,
                humanize(LONG_POLL),
            ),
            evidence: vec![
                Evidence::time("longest poll", task.longest_poll()),
                Evidence::share("share of busy time", share),
                Evidence::count("polls over 10 ms", u64::from(task.long_polls())),
                Evidence::time("busy", task.stats().polls.busy),
                Evidence::count("polls", task.stats().polls.count),
            ],
        }
    }
}

/// Whether its longest poll kept no worker, as the agent would have told: inside `block_in_place` it has handed its worker over.
fn off_worker(cx: &Context, task: &Task) -> bool {
    cx.model.knows().has(Fact::Stalls)
        && task.longest_poll() >= STALLS
        && cx.model.agent().stall_of_task(task.id()).is_none_or(|stall| stall.worker.is_none())
}

/// At least this share of the busy time was spent in long polls.
fn long_share(task: &Task) -> f64 {
    let busy = task.stats().polls.busy.as_secs_f64();
    if busy > 0.0 { (task.long_busy().as_secs_f64() / busy).min(1.0) } else { 0.0 }
}
