//! `self-wakes`: a task that mostly wakes itself.

use crate::{
    diagnose::tests::before::{
        Evidence, Lint, LintSettings, Param, Severity, Threshold,
        check::{Check, Context, Description, Grouping, Judgement, TaskCheck, Verdict},
    },
    model::Task,
    update::TaskKind,
};

const SHARE: Param = Param {
    name: "share",
    default: Threshold::Share(0.5),
    help: "more than this share of the wakes are the task's own",
};
const WAKES: Param =
    Param { name: "wakes", default: Threshold::Count(100), help: "and at least this many wakes are its own" };

pub(super) static LINT: Lint = Lint {
    name: "self-wakes",
    summary: "A task mostly wakes itself: it asks again and again instead of waiting to be told.",
    severities: &[Severity::Note],
    advice: "Wait for an event instead of polling for it: a channel, tokio::sync::Notify, or an interval. A loop that yields \
             on purpose is fine.",
    explanation: "",
    params: &[SHARE, WAKES],
    subsumes: &[],
    build: |settings| Check::Task(Grouping::Place, Box::new(SelfWakes::new(settings))),
};

struct SelfWakes {
    share: f64,
    wakes: u64,
}

impl SelfWakes {
    fn new(settings: &LintSettings) -> Self {
        Self { share: settings.share(&SHARE), wakes: settings.count(&WAKES) }
    }
}

impl TaskCheck for SelfWakes {
    fn judge(&self, _: &Context, task: &Task) -> Judgement {
        let fires = task.kind() != TaskKind::Blocking
            && task.stats().dropped.is_none()
            && task.stats().self_wakes >= self.wakes
            && task.self_wake_share() > self.share;
        match task.stats().created.filter(|_| fires) {
            Some(since) => {
                Judgement::Fires(Verdict { severity: Severity::Note, since, weight: task.stats().self_wakes })
            }
            None => Judgement::Clear,
        }
    }

    fn describe(&self, _: &Context, task: &Task) -> Description {
        let share = task.self_wake_share();
        Description {
            message: format!("{:.0}% of {} wakes are its own", share * 100.0, task.stats().wakes),
            evidence: vec![
                Evidence::share("own wakes", share),
                Evidence::count("wakes", task.stats().wakes),
                Evidence::count("self wakes", task.stats().self_wakes),
            ],
        }
    }
}
