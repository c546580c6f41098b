//! A finding's story as plain data of the JSON, and as lines of text: the same steps in the same order.

use super::{
    exact,
    location::location,
    rows::{Named, lock},
    task::task,
};
use crate::diagnose::{About, Confidence, LINES, Role, Step, drawn, levels};
use serde::Serialize;

/// One step.
#[derive(Debug, Serialize)]
pub struct StepRow {
    /// How deep it stands below the first.
    pub depth: usize,
    /// What it says of the step above.
    pub role: &'static str,
    /// How somebody keeps what is above, where they do.
    pub by: Option<&'static str>,
    /// Whom or what it is about.
    pub about: Option<Named>,
    /// In words, as the text has it.
    pub words: String,
    /// For how long that has been so.
    pub seconds: Option<f64>,
    /// Where in the source.
    pub at: Option<String>,
    /// How it is known, where that is told of the step by itself.
    pub known: Option<&'static str>,
    /// What to do there, on the step whose line is the one to change first.
    pub change: Option<&'static str>,
    /// So many are not named.
    #[serde(skip)]
    pub more: usize,
}

pub(super) fn story(steps: &[Step]) -> Vec<StepRow> {
    steps.iter().map(row).collect()
}

fn row(step: &Step) -> StepRow {
    StepRow {
        depth: step.depth,
        role: step.role.name(),
        by: if let Role::Keeps(by) = step.role { Some(by.name()) } else { None },
        about: step.about.as_ref().map(named),
        words: step.in_full(),
        seconds: step.lasted.map(|lasted| lasted.as_secs_f64()),
        at: step.at().map(ToOwned::to_owned),
        known: step.known.map(Confidence::name),
        change: step.change,
        more: step.count,
    }
}

fn named(about: &About) -> Named {
    match about {
        About::Task(about) => Named::Task(task(about)),
        About::Resource(about) => Named::Lock(lock(about)),
        About::Place(place) => Named::Place { location: location(place) },
        About::Runtime(runtime) => Named::Runtime(exact::runtime(runtime)),
        About::Worker(worker) => Named::Worker(exact::worker(worker)),
    }
}

/// How many of those who wait, or are in it as well, are named before they are counted.
const NAMED_MOST: usize = 5;

/// No story is longer than this.
const STEPS_MOST: usize = 40;

/// Deeper steps are drawn no further in.
const INDENT_MOST: usize = 12;

/// The story as lines of text. How a step is known is said where that is not how all of the finding is.
pub(super) fn lines(steps: &[StepRow], confidence: &str) -> Vec<String> {
    let mut shown: Vec<(usize, String, Option<&str>)> = Vec::new();
    let (mut alike, mut hidden) = (0, 0);
    for (at, step) in steps.iter().enumerate() {
        let is_like = |other: &StepRow| (other.role, other.depth) == (step.role, step.depth);
        let goes_on = at.checked_sub(1).and_then(|before| steps.get(before)).is_some_and(is_like);
        alike = if goes_on { alike + 1 } else { 1 };
        if step.role == "more" {
            hidden += step.more;
        } else if alike > NAMED_MOST && ["waits", "also"].contains(&step.role) {
            hidden += 1;
        } else {
            let known = step.known.filter(|known| *known != confidence);
            let known = known.map_or_else(String::new, |known| format!(", {known}"));
            shown.push((step.depth, format!("{}{known}", step.words), step.change));
        }
        let more_follow = steps.get(at + 1).is_some_and(|next| next.role == "more" || is_like(next));
        if hidden > 0 && !more_follow {
            shown.push((step.depth, format!("and {} more", std::mem::take(&mut hidden)), None));
        }
    }
    let left = shown.len().saturating_sub(STEPS_MOST);
    shown.truncate(STEPS_MOST);
    let depths: Vec<usize> = shown.iter().map(|(depth, ..)| (*depth).min(INDENT_MOST)).collect();
    let mut lines = Vec::new();
    for ((_, words, change), levels) in shown.iter().zip(levels(&depths)) {
        let (before, beside) = drawn(&levels, LINES);
        lines.push(format!("{before}{words}"));
        lines.extend(change.map(|change| format!("{beside}  change this first: {change}")));
    }
    if left > 0 {
        lines.push(format!("and {left} more steps"));
    }
    lines
}
