//! What was said of programs, held against what is true of them.

use super::{
    program::{Program, Reached},
    truth::{Knot, Shape, Truth, truth},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The shapes that memory must tell. The others it may tell, where they are true.
const TOLD: &[Shape] = &[Shape::Circle];

/// A program and what was wrong with what was said of it.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    /// Which of the programs that ran together.
    pub(crate) at: usize,
    pub(crate) how: How,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Something is said that is not true.
    Invented,
    /// Something is true and was not said.
    Missed,
    /// The test itself does not know what is true.
    NotKnown,
}

/// What there was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Count {
    /// Of each shape how many knots were told, and how many there are.
    pub(crate) knots: BTreeMap<Shape, [usize; 2]>,
    /// Tasks that are stuck, and those that only a timer frees.
    pub(crate) stuck: [usize; 2],
    /// Tasks that are said to be likely to have something, and have nothing.
    pub(crate) doubtful: usize,
    /// Programs that can go on in too many ways to try.
    pub(crate) too_large: usize,
}

/// Holds a report against all programs that ran.
pub(crate) fn verdict(programs: &[Program], reached: &[Reached], report: &Value, count: &mut Count) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut truths = Vec::new();
    for (at, (program, reached)) in programs.iter().zip(reached).enumerate() {
        truths.push(truth(program, reached).unwrap_or_else(|text| {
            wrong.push(Wrong { at, how: How::NotKnown, text });
            Truth::default()
        }));
    }
    let mut of: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for (at, reached) in reached.iter().enumerate() {
        let tasks = reached.tasks.iter().enumerate().filter(|(_, number)| **number != 0);
        of.extend(tasks.map(|(task, number)| (*number, (at, task))));
    }
    let mut named: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); programs.len()];
    for finding in report["findings"].as_array().into_iter().flatten().filter(|it| it["severity"] != "note") {
        let said = Said::of(finding);
        let mut invents = |number: u64, what: &str| {
            let text = format!("{} names task {number}, {what}: {finding:#}", said.lint);
            let at = of.get(&number).map_or(0, |(at, _)| *at);
            wrong.push(Wrong { at, how: How::Invented, text });
        };
        for number in &said.accused {
            let Some((at, task)) = of.get(number) else {
                invents(*number, "which is of no program");
                continue;
            };
            let truth = &truths[*at];
            let (is_so, what) = match said.lint {
                "deadlock" | "futurelock" | "waits-for-itself" => {
                    named[*at].insert(*task);
                    (truth.stuck.contains(task), "which is not stuck")
                }
                "stuck-unless" => (truth.but_for_timers.contains(task), "which is not stuck, whatever timers do"),
                // What is only likely says so, and may be left over from something that was dropped.
                "held-across-await" | "lock-convoy" | "permits-gone" | "channel-stuck" if said.is_likely => {
                    count.doubtful += usize::from(!truth.holders.contains(task) && !truth.owners.contains(task));
                    (true, "")
                }
                "held-across-await" | "lock-convoy" | "permits-gone" => {
                    (truth.holders.contains(task), "which has nothing")
                }
                "channel-stuck" => {
                    let is_in_it = truth.holders.contains(task) || truth.owners.contains(task);
                    (is_in_it, "which has nothing of a channel")
                }
                // Of the machine, or of the process as a whole.
                "stood-still" => (true, ""),
                _ => (false, "and nothing of the kind is there"),
            };
            if !is_so {
                invents(*number, what);
            }
        }
        for number in &said.waiting {
            if !of.get(number).is_some_and(|(at, task)| truths[*at].waiters.contains(task)) {
                invents(*number, "which does not wait");
            }
        }
    }
    for (at, truth) in truths.iter().enumerate() {
        count.stuck[0] += truth.stuck.len();
        count.stuck[1] += truth.but_for_timers.difference(&truth.stuck).count();
        count.too_large += usize::from(!truth.is_whole);
        let is_told = |knot: &Knot| knot.tasks.is_subset(&named[at]);
        for knot in &truth.knots {
            let of_shape = count.knots.entry(knot.shape).or_default();
            of_shape[1] += 1;
            of_shape[0] += usize::from(is_told(knot));
            // Of circles that have a task in common one is told.
            let other = truth.knots.iter().any(|other| is_told(other) && !other.tasks.is_disjoint(&knot.tasks));
            if TOLD.contains(&knot.shape) && !is_told(knot) && !other {
                let text = format!("nothing names the tasks of {knot:?}: {:?} are named", named[at]);
                wrong.push(Wrong { at, how: How::Missed, text });
            }
        }
    }
    wrong
}

/// The tasks that a finding names.
struct Said<'a> {
    lint: &'a str,
    is_likely: bool,
    accused: BTreeSet<u64>,
    waiting: BTreeSet<u64>,
}

impl<'a> Said<'a> {
    fn of(finding: &'a Value) -> Self {
        let mut said = Self {
            lint: finding["lint"].as_str().unwrap_or_default(),
            is_likely: finding["confidence"] == "likely",
            accused: BTreeSet::new(),
            waiting: BTreeSet::new(),
        };
        tasks(&finding["subject"], &mut said.accused);
        for (name, part) in finding["related"].as_object().into_iter().flatten() {
            tasks(part, if name == "waiters" { &mut said.waiting } else { &mut said.accused });
        }
        said
    }
}

/// All tasks that stand anywhere in this.
fn tasks(part: &Value, into: &mut BTreeSet<u64>) {
    if let (Some(_), Some(number)) = (part.get("task_kind"), part["number"].as_u64()) {
        into.insert(number);
    }
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| tasks(part, into)),
        Value::Object(parts) => parts.values().for_each(|part| tasks(part, into)),
        _ => {}
    }
}
