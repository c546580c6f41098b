//! `task-leak`: a spawn location whose live tasks only become more.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        contradiction::When,
        lint::{Check, Cx, Key, Report},
    },
    model::{PlaceId, Spawns},
    number::humanize,
    update::FactSet,
};
use std::time::Duration;

const LIVE: Param =
    Param { name: "live", default: Threshold::Count(1_000), help: "more live tasks of one spawn location than this" };
const GROWS: Param = Param {
    name: "grows",
    default: Threshold::Time(Duration::from_secs(60)),
    help: "their number has not fallen for this long, and has grown by a tenth",
};

pub(super) static LINT: Lint = Lint {
    name: "task-leak",
    summary: "The live tasks of one spawn location have only become more: they are spawned and do not end.",
    severities: &[Severity::Warning],
    advice: "Bound how many there may be (a semaphore, a JoinSet, a bounded channel for backpressure), and see that each has a \
             way to end: a timeout, a CancellationToken, the close of its channel.",
    explanation: include_str!("task_leak.md"),
    params: &[LIVE, GROWS],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn report(cx: &Cx, place: PlaceId, spawns: &Spawns) -> Option<Report> {
    let grown = spawns.live.saturating_sub(spawns.base);
    let lasted = cx.settled.since(spawns.grows_since);
    if spawns.live <= cx.values.count(&LIVE) || lasted < cx.values.time(&GROWS) || grown < spawns.live / 10 {
        return None;
    }
    let name = cx.model.place(place).to_string();
    Some(Report {
        key: Key::Place(place),
        severity: Severity::Warning,
        confidence: Confidence::Exact,
        since: spawns.grows_since,
        subject: Subject::Place(name),
        message: format!("{} live tasks, {grown} more than {} ago, and never fewer", spawns.live, humanize(lasted)),
        evidence: vec![
            Evidence::count("live", spawns.live),
            Evidence::count("grown by", grown),
            Evidence::time("growing for", lasted),
        ],
        related: Related { tasks_total: spawns.live as usize, ..Related::default() },
    })
}

fn judge(cx: &Cx) -> Vec<Report> {
    let known = cx.model.spawns().iter().filter(|(place, _)| place.is_known());
    known.filter_map(|(place, spawns)| report(cx, place, spawns)).collect()
}
