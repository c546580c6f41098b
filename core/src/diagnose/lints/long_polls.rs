//! `long-polls`: polls that have ended and took too long.

use super::never_yields::BLOCK_IN_PLACE;
use crate::{
    diagnose::{
        Evidence, Lint, Param, Severity, Threshold,
        contradiction::When,
        lint::{Asked, Check, Cx, Description, Grouping, Judgement, Verdict},
    },
    model::{LONG_POLL, Task},
    number::humanize,
    update::{Fact, FactSet, TaskKind},
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
    explanation: include_str!("long_polls.md"),
    params: &[POLLS, LONG, SHARE, SINGLE],
    needs: FactSet::of(&[Fact::Polls]),
    when: When::SoFar,
    subsumes: &[],
    check: Check::Task { by: Grouping::Place, asked: Asked::AsTimePasses, judge, describe },
};

fn judge(cx: &Cx, task: &Task) -> Judgement {
    if off_worker(cx, task) {
        return Judgement::Clear;
    }
    if task.kind().may_block() || task.kind() == TaskKind::BlockOn || task.has_ended() {
        return Judgement::Clear;
    }
    let share = long_share(task);
    let often = task.polls() > cx.values.count(&POLLS)
        && u64::from(task.long_polls()) >= cx.values.count(&LONG)
        && share >= cx.values.share(&SHARE);
    let once = task.longest_poll() >= cx.values.time(&SINGLE) && cx.now.since(task.longest_at()) <= RECENT;
    if !(often || once) {
        Judgement::Clear
    } else if short_of_processors(cx, task) {
        Judgement::AskAgain
    } else {
        Verdict::weighing(Severity::Warning, task.longest_at(), task.longest_poll())
    }
}

/// Whether its workers wait for a processor most of the time: how long its polls are is then not to be told from that.
fn short_of_processors(cx: &Cx, task: &Task) -> bool {
    /// Of their time.
    const MOST: f64 = 0.5;
    cx.model.cpu_wait_of(task.id()).is_some_and(|wait| wait.least >= MOST)
}

fn describe(cx: &Cx, task: &Task) -> Description {
    let share = long_share(task);
    let mut evidence = vec![
        Evidence::time("longest poll", task.longest_poll()),
        Evidence::share("share of busy time", share),
        Evidence::count("polls over 10 ms", u64::from(task.long_polls())),
        Evidence::time("busy", task.stats().polls.busy),
        Evidence::count("polls", task.polls()),
    ];
    // Whoever counts polls and tells of stalls knows which polls kept a worker; looks see a few of them alone.
    if !cx.model.told().has(Fact::Stalls) {
        evidence.push(Evidence::text("caveat", BLOCK_IN_PLACE));
    }
    Description {
        message: format!(
            "polls of up to {}; at least {:.0}% of its busy time in polls over {}",
            humanize(task.longest_poll()),
            share * 100.0,
            humanize(LONG_POLL),
        ),
        evidence,
    }
}

/// Whether its longest poll kept no worker, as the agent would have told: inside `block_in_place` it has handed its worker over.
fn off_worker(cx: &Cx, task: &Task) -> bool {
    cx.model.told().has(Fact::Stalls)
        && task.longest_poll() >= STALLS
        && cx.model.agent().stall_of_task(task.id()).is_none_or(|stall| stall.worker.is_none())
}

/// At least this share of the busy time was spent in long polls.
fn long_share(task: &Task) -> f64 {
    let busy = task.stats().polls.busy.as_secs_f64();
    if busy > 0.0 { (task.long_busy().as_secs_f64() / busy).min(1.0) } else { 0.0 }
}
