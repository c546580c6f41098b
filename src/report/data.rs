//! What was observed, as plain data: the JSON of `holdup check`, field by field. Whoever changes it changes
//! `schema/check.schema.json` with it, and the version where a reader of the old form would be wrong.

use super::{
    Tree,
    observation::{End, Observation},
    rows::{Row, rfc3339, row},
};
use crate::{
    diagnose::{Status, by_reason},
    source::Target,
    update,
};
use serde::Serialize;

/// The version of the JSON. It grows when a field changes its meaning or goes; new fields do not change it.
pub(super) const VERSION: u32 = 1;

/// The whole of it. Durations are in seconds, instants by the target's clock in RFC 3339.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// Who answered last; nothing but an agent tells.
    pub process: Option<Process>,
    /// The target as it was asked for.
    pub target: String,
    /// `console`, `agent` or `memory`.
    pub protocol: Option<&'static str>,
    /// When we watched.
    pub window: Window,
    /// How much there was.
    pub counts: Counts,
    /// Every finding of the window, those that are over included: the worst first.
    pub findings: Vec<Row>,
    /// Lints that could not judge, so that nothing was found by them, whatever there was.
    pub not_looked_for: Vec<NotLookedFor>,
    /// What the source does not tell.
    pub not_known: Vec<NotKnown>,
    /// What was read in the process's memory; null where it was not.
    pub memory: Option<Tree>,
}

/// A lint that was not asked.
#[derive(Debug, Serialize)]
pub struct NotLookedFor {
    /// Which.
    pub lint: &'static str,
    /// Why not.
    pub because: &'static str,
}

/// Something that the source does not tell.
#[derive(Debug, Serialize)]
pub struct NotKnown {
    /// What.
    pub fact: &'static str,
    /// Why not.
    pub because: &'static str,
}

/// The process that answered.
#[derive(Debug, Serialize)]
pub struct Process {
    /// As the process itself sees it.
    pub pid: u32,
    /// What the service calls itself.
    pub name: String,
    /// Its path, empty where it is not known.
    pub executable: String,
    /// Random for each run of the process.
    pub boot_id: String,
    /// When it started.
    pub started: Option<String>,
    /// The agent's.
    pub agent_version: String,
    /// Empty where it is not known.
    pub tokio_version: String,
    /// How much is being collected, in one word.
    pub detail: String,
    /// What the agent cannot see in this process, and why.
    pub limitations: Vec<String>,
}

/// When we watched.
#[derive(Debug, Serialize)]
pub struct Window {
    /// The target's clock at the first update.
    pub start: String,
    /// The target's clock at the last one.
    pub end: String,
    /// By our own clock.
    pub seconds: f64,
    /// `elapsed`, `interrupted`, `lost` or `silent`.
    pub ended: &'static str,
    /// What was wrong, where it was lost or silent.
    pub reason: Option<String>,
    /// How often we attached: more than once where the target was lost in between.
    pub attached: u64,
    /// `outline` where no more is kept of the last update than what was found, what that names, and sums.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<&'static str>,
    /// So many more findings held then, none of them worse than those that are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unkept_findings: Option<usize>,
}

/// How much there was.
#[derive(Debug, Serialize)]
pub struct Counts {
    /// Tasks.
    pub tasks: Tasks,
    /// Events that the target said it dropped.
    pub dropped_events: u64,
    /// Parts of its messages that could not be used.
    pub decode_issues: u64,
    /// How late its announcements were.
    pub lag: Lag,
    /// How late the link delivered what it said.
    pub behind: Behind,
}

/// Tasks.
#[derive(Debug, Serialize)]
pub struct Tasks {
    /// Alive at the end.
    pub live: usize,
    /// Ended within the window, as far as they were seen.
    pub ended: usize,
    /// Both.
    pub seen: usize,
}

/// How late the target's announcements were.
#[derive(Debug, Serialize)]
pub struct Lag {
    /// At the end.
    pub seconds: f64,
    /// At the worst.
    pub worst_seconds: f64,
    /// How often the target was asked to catch up.
    pub catch_ups: u64,
}

/// How late the link delivered what the target said; nothing where that was less than a moment.
#[derive(Debug, Serialize)]
pub struct Behind {
    /// At the end.
    pub seconds: f64,
    /// At the worst.
    pub worst_seconds: f64,
}

impl Report {
    /// What was seen of a target.
    pub fn new(target: &Target, observation: &Observation) -> Self {
        let model = observation.session.model();
        let begun = observation.session.status().begun.as_ref();
        let live = model.counts().live;
        let mut findings: Vec<_> = observation.session.engine().findings().collect();
        // The worst first, whether or not it is over.
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.status == Status::Active)));
        Self {
            version: VERSION,
            process: begun.and_then(|begun| begun.process.as_ref()).map(process),
            target: target.to_string(),
            protocol: begun.map(|begun| begun.protocol.name()),
            window: window(observation),
            counts: Counts {
                tasks: Tasks {
                    live,
                    ended: observation.totals.tasks.saturating_sub(live),
                    seen: observation.totals.tasks,
                },
                dropped_events: observation.totals.dropped.total(),
                decode_issues: observation.totals.issues.total(),
                lag: Lag {
                    seconds: model.health().lag.as_secs_f64(),
                    worst_seconds: observation.totals.worst_lag.as_secs_f64(),
                    catch_ups: observation.totals.catch_ups,
                },
                behind: Behind {
                    seconds: model.health().behind.as_secs_f64(),
                    worst_seconds: observation.totals.worst_behind.as_secs_f64(),
                },
            },
            findings: findings.into_iter().map(row).collect(),
            not_looked_for: observation
                .session
                .not_looked_for()
                .into_iter()
                .map(|unasked| NotLookedFor { lint: unasked.lint.name, because: unasked.because })
                .collect(),
            not_known: model.knows().missing().map(|(fact, because)| NotKnown { fact: fact.name(), because }).collect(),
            memory: model.memory().now().and_then(|now| Tree::of(model, now, &observation.values)),
        }
    }

    /// What was not looked for, in words: a line for each reason.
    pub(super) fn not_looked_for_in_words(&self) -> impl Iterator<Item = String> {
        let reasons = by_reason(self.not_looked_for.iter().map(|unasked| (unasked.lint, unasked.because)));
        reasons.into_iter().map(|(because, lints)| format!("not looked for: {} ({because})", lints.join(", ")))
    }

    /// As JSON, with a line feed at its end.
    pub fn to_json(&self) -> String {
        // Every part is a struct of plain data, so that there is nothing to fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

fn process(process: &update::Process) -> Process {
    Process {
        pid: process.pid,
        name: process.name.clone(),
        executable: process.executable.clone(),
        boot_id: process.boot_id.clone(),
        started: process.started.map(rfc3339),
        agent_version: process.agent_version.clone(),
        tokio_version: process.tokio_version.clone(),
        detail: process.detail.clone(),
        limitations: process.limitations.clone(),
    }
}

fn window(observation: &Observation) -> Window {
    let (ended, reason) = match &observation.end {
        End::Elapsed => ("elapsed", None),
        End::Interrupted => ("interrupted", None),
        End::Lost { reason } => ("lost", Some(reason.clone())),
        End::Silent { silent } => {
            ("silent", Some(format!("no update for the last {}", crate::diagnose::humanize(*silent))))
        }
    };
    Window {
        start: rfc3339(observation.start),
        end: rfc3339(observation.end_at),
        seconds: observation.elapsed.as_secs_f64(),
        ended,
        reason,
        attached: observation.totals.sessions,
        kept: observation.session.model().outlined().map(|_| "outline"),
        unkept_findings: Some(observation.session.engine().unkept()).filter(|unkept| *unkept > 0),
    }
}
