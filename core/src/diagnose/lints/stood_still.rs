//! `stood-still`: the process as a whole did not run for a while.

use crate::{
    diagnose::{
        Confidence, Evidence, Lint, Param, Related, Severity, Subject, Threshold,
        contradiction::When,
        lint::{Check, Cx, Key, Report},
    },
    model::Stood,
    number::humanize,
    update::{Consistency, FactSet},
};
use std::time::Duration;

const LASTS: Param = Param {
    name: "lasts",
    default: Threshold::Time(Duration::from_secs(1)),
    help: "the process stood still for this long",
};

/// Where it was kept from running for less than that at a time, and again and again, what that comes to counts over so long.
const SUMMED: Duration = Duration::from_secs(10);

/// How long one is news.
const RECENT: Duration = Duration::from_secs(60);

pub(super) static LINT: Lint = Lint {
    name: "stood-still",
    summary: "No thread of the process ran for a while: something outside of it stopped it, and no task is at fault.",
    severities: &[Severity::Warning],
    advice: "Look outside of the service: a debugger, SIGSTOP or a job that was suspended, a frozen or throttled container, a snapshot or \
             a migration of its machine, a laptop that was closed. Timeouts of others may have passed meanwhile.",
    explanation: include_str!("stood_still.md"),
    params: &[LASTS],
    needs: FactSet::NONE,
    when: When::SoFar,
    subsumes: &[],
    check: Check::Whole(judge),
};

fn judge(cx: &Cx) -> Vec<Report> {
    let lasts = cx.values.time(&LASTS);
    // The longest of a moment says more than many of them.
    at_once(cx, lasts).or_else(|| in_pieces(cx, lasts)).into_iter().collect()
}

/// It did not run at all for long.
fn at_once(cx: &Cx, lasts: Duration) -> Option<Report> {
    let counts = |stood: &&Stood| stood.least >= lasts && cx.now.since(stood.span.to) <= RECENT;
    let recent: Vec<&Stood> = cx.model.standstills().iter().filter(counts).collect();
    let (first, latest) = (recent.first()?, recent.last()?);
    let longest = recent.iter().map(|stood| stood.least).max().unwrap_or_default();
    let told = cx.model.knows().consistency() == Consistency::OneInstant;
    let (times, about) = match recent.len() {
        1 => (String::new(), if told { "for" } else { "for at least" }),
        count => (format!(" {count} times"), "for up to"),
    };
    let message =
        format!("the process stood still{times} {about} {}: none of its tasks is at fault", humanize(longest));
    let evidence = vec![
        Evidence::time("longest", longest),
        Evidence::count("times, last 60 s", recent.len() as u64),
        Evidence::time("went on", cx.now.since(latest.span.to)),
    ];
    Some(report(cx, first, message, evidence))
}

/// It was kept from running for moments, again and again.
fn in_pieces(cx: &Cx, lasts: Duration) -> Option<Report> {
    let recent: Vec<&Stood> =
        cx.model.standstills().iter().filter(|stood| cx.now.since(stood.span.to) <= SUMMED).collect();
    let (first, longest) = (recent.first()?, recent.iter().map(|stood| stood.least).max()?);
    let sum: Duration = recent.iter().map(|stood| stood.least).sum();
    if sum < lasts {
        return None;
    }
    let message = format!(
        "the process was kept from running {} times in 10 s, for {} in all: none of its tasks is at fault",
        recent.len(),
        humanize(sum)
    );
    let evidence = vec![
        Evidence::time("in all, last 10 s", sum),
        Evidence::time("longest", longest),
        Evidence::count("times, last 10 s", recent.len() as u64),
    ];
    Some(report(cx, first, message, evidence))
}

fn report(cx: &Cx, first: &Stood, message: String, evidence: Vec<Evidence>) -> Report {
    let told = cx.model.knows().consistency() == Consistency::OneInstant;
    Report {
        key: Key::Target,
        severity: Severity::Warning,
        confidence: if told { Confidence::Exact } else { Confidence::Inferred },
        since: first.span.from,
        subject: Subject::Target,
        message,
        evidence,
        related: Related::default(),
    }
}
