//! The engine beside the one that it replaced: of the same random updates they find the same after each.
//!
//! What differs on purpose:
//! - A lint is silent of something as long as the finding that speaks for it is active, and of what that told a minute longer;
//!   before, it was silent for ever. So each
//!   lint is compared where nothing speaks for it, and those that speak for others with all lints on.
//! - A knot of cycles is one deadlock, told of from one who holds its first lock; before, each cycle that happened to be found from
//!   one of the holders was. So it is compared whether there is one.
//! - A finding begins again if the same lint fires for the same key; before, if its subject read the same.
//! - Which of the others in a group are named is not told to be any.
//! - `lost-waker` is silent of what may have ended, and `long-polls` says what looks the same: the former is not compared, and the
//!   latter without that. Nobody is accused of the time that a process stood still: they are compared up to there. A lint that is newer than the old engine is not compared either: it has none to compare with.

use super::before;
use crate::{
    diagnose::{Engine, Settings, Status},
    model::{
        Model, Retention,
        tests::{
            order,
            service::{Service, Take},
        },
    },
    update::{ResourceId, TaskId},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{cell::RefCell, collections::BTreeSet, time::Duration};

/// Thresholds that random updates reach.
fn settings(off: &[&str]) -> Settings {
    let mut settings = Settings::default();
    let low = [
        ("large-future", "size", "1"),
        ("self-wakes", "wakes", "1"),
        ("never-polled", "after", "100ms"),
        ("task-leak", "live", "1"),
        ("task-leak", "grows", "1ms"),
        ("long-polls", "polls", "1"),
        ("long-polls", "long", "1"),
        ("lock-convoy", "tasks", "2"),
        ("lock-convoy", "wait", "10ms"),
        ("deadlock", "lasts", "100ms"),
        ("lost-waker", "quiet", "100ms"),
    ];
    for (lint, param, value) in low {
        settings.set(lint, param, value).unwrap();
    }
    for lint in off {
        settings.disable(lint).unwrap();
    }
    settings
}

/// Which lints fired.
type Fired = RefCell<BTreeSet<&'static str>>;

/// Lints that speak for others.
const SPEAKERS: [&str; 3] = ["deadlock", "stalled-worker", "never-yields"];
/// Lints that others speak for.
const SPOKEN_FOR: [&str; 3] = ["held-across-await", "lock-convoy", "long-polls"];

struct Pair {
    model: Model,
    old: before::Engine,
    new: Engine,
    left_out: &'static [&'static str],
}

/// Lints that say something else on purpose, or that the old engine does not have.
const NOT_COMPARED: [&str; 3] = ["lost-waker", "tells-nothing", "stood-still"];

/// What is compared of a finding.
macro_rules! facts {
    ($finding:expr) => {
        (|| {
            let finding = $finding;
            if finding.lint.name == "deadlock" {
                return "deadlock".to_owned();
            }
            let is_new = |name: &str| finding.lint.name == "long-polls" && name == "caveat";
            let evidence: Vec<_> = finding.evidence.iter().filter(|evidence| !is_new(evidence.name)).collect();
            format!(
                "{} {:?} {} {:?} {:?} {:?} {:?}..{:?} {}",
                finding.lint.name,
                finding.subject,
                finding.message,
                evidence,
                finding.severity,
                finding.confidence,
                finding.since,
                finding.last_seen,
                finding.related.tasks_total,
            )
        })()
    };
}

impl Pair {
    fn new(off: &[&str], left_out: &'static [&'static str], retention: Retention) -> Self {
        let settings = settings(off);
        let model = Model::new(retention);
        Self { model, old: before::Engine::new(&settings), new: Engine::new(&settings), left_out }
    }

    fn observe(&mut self, fired: &Fired) -> Result<(), TestCaseError> {
        if self.model.standstills().iter().next().is_some() {
            return Ok(());
        }
        self.old.observe(&self.model);
        self.new.observe(&self.model);
        let is_compared = |name: &str| !self.left_out.contains(&name) && !NOT_COMPARED.contains(&name);
        fired.borrow_mut().extend(self.new.findings().map(|finding| finding.lint.name));
        let sorted = |mut facts: Vec<String>| {
            facts.sort_unstable();
            facts.dedup();
            facts
        };
        let old = self.old.findings().into_iter().filter(|finding| finding.status == Status::Active);
        let new = self.new.findings().filter(|finding| finding.status == Status::Active);
        let old = old.filter(|finding| is_compared(finding.lint.name)).map(|finding| facts!(finding));
        let new = new.filter(|finding| is_compared(finding.lint.name)).map(|finding| facts!(finding));
        prop_assert_eq!(sorted(new.collect()), sorted(old.collect()));

        let flags = |lints: Vec<String>| lints.into_iter().collect::<BTreeSet<String>>();
        for task in self.model.tasks().iter() {
            let old =
                self.old.lints_of(task.id()).filter(|(lint, _)| is_compared(lint.name) && lint.name != "deadlock");
            let new = self
                .new
                .lints_of(&self.model, task.id())
                .filter(|(lint, _)| is_compared(lint.name) && lint.name != "deadlock");
            let old = flags(old.map(|(lint, severity)| format!("{} {severity}", lint.name)).collect());
            let new = flags(new.map(|(lint, severity)| format!("{} {severity}", lint.name)).collect());
            prop_assert_eq!(new, old, "{}", task.id());
        }
        Ok(())
    }
}

/// Each lint once where nothing speaks for it, and the speakers with all of them on.
fn pairs(retention: Retention) -> [Pair; 2] {
    [Pair::new(&SPEAKERS, &[], retention), Pair::new(&[], &SPOKEN_FOR, retention)]
}

// ---- services that take locks, sleep with them and wait for each other ----

#[derive(Debug, Clone, Default)]
struct Actor {
    task: Option<TaskId>,
    polled: bool,
    asked: Option<(usize, Take)>,
    holds: Vec<(usize, Take)>,
}

/// What an actor does, or the service.
#[derive(Debug, Clone)]
enum Step {
    Act { actor: usize, what: u8, lock: usize },
    Pass(u64),
    Publish,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..6_usize, any::<u8>(), 0..3_usize).prop_map(|(actor, what, lock)| Step::Act { actor, what, lock }),
        3 => (1..400_u64).prop_map(Step::Pass),
        3 => Just(Step::Publish),
    ]
}

fn act(service: &mut Service, actor: &mut Actor, what: u8, at: usize, lock: usize, locks: &[ResourceId]) {
    let Some(task) = actor.task else {
        actor.task = Some(service.spawn("actor", ["src/a.rs:1", "src/b.rs:2", ""][at % 3]));
        return;
    };
    let how = match lock {
        2 if what.is_multiple_of(2) => Take::Read,
        2 => Take::Write,
        _ => Take::Lock,
    };
    match (actor.polled, what % 8) {
        (false, 0) if actor.holds.is_empty() && actor.asked.is_none() => {
            service.finish(task);
            *actor = Actor::default();
        }
        (false, 1) => drop(service.wake(task)),
        (false, 2) => drop(service.keep_waker(task)),
        (false, _) if actor.asked.is_none() || service.is_granted(task) => {
            service.wake(task).pass(1).start(task);
            actor.polled = true;
            if let Some((lock, how)) = actor.asked.take() {
                service.report_taken(locks[lock], how);
                actor.holds.push((lock, how));
            }
        }
        (false, _) => {}
        (true, 0..=3) if actor.holds.iter().all(|(held, _)| *held != lock) || what > 240 => {
            if service.ask(task, locks[lock], how) {
                service.report_taken(locks[lock], how);
                actor.holds.push((lock, how));
            } else {
                actor.asked = Some((lock, how));
                service.pass(1).end(task);
                actor.polled = false;
            }
        }
        (true, 4) => {
            if let Some((lock, how)) = actor.holds.pop() {
                service.release(locks[lock], how);
            }
        }
        (true, 5) => drop(service.wake_itself(task)),
        (true, 6) => drop(service.drop_waker(task)),
        (true, _) => {
            service.pass(1).end(task);
            actor.polled = false;
        }
    }
}

/// Asks for many cases, and that each of these lints fired in some of them: a comparison of nothing proves nothing.
fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    fires: &[&str],
    test: impl Fn(S::Value, &Fired) -> Result<(), TestCaseError>,
) {
    let seen = Fired::default();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    // The same cases at each run: one that fails can be looked at again.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(strategy, |value| test(value, &seen)) {
        panic!("{error}");
    }
    let seen = seen.take();
    let missing: Vec<_> = fires.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?} never fired, only {seen:?}");
}

#[test]
fn of_updates_that_no_service_would_send_they_find_the_same() {
    let fires = ["never-yields", "long-polls", "starved", "never-polled", "lost-waker", "large-future", "task-leak"];
    run(300, &(vec(order::update(), 0..14), 0..5_usize), &fires, |(updates, most), fired| {
        let retention = Retention { keep: Some(Duration::from_secs(2)), most, ..Retention::default() };
        for mut pair in pairs(retention) {
            for update in &updates {
                pair.model.apply(update.clone());
                pair.observe(fired)?;
            }
        }
        Ok(())
    });
}

#[test]
fn of_a_service_at_work_they_find_the_same() {
    let fires =
        ["deadlock", "held-across-await", "lock-convoy", "never-yields", "lost-waker", "task-leak", "self-wakes"];
    run(300, &vec(step(), 0..300), &fires, |steps, fired| {
        let mut pairs = pairs(Retention::default());
        let mut service = Service::new();
        let locks = [service.mutex("src/l.rs:1"), service.mutex("src/l.rs:2"), service.rwlock("src/l.rs:3")];
        let mut actors: [Actor; 6] = Default::default();
        let greeting = service.greet();
        for pair in &mut pairs {
            pair.model.apply(greeting.clone());
            pair.observe(fired)?;
        }
        for step in &steps {
            match *step {
                Step::Act { actor, what, lock } => {
                    act(service.pass_micros(5), &mut actors[actor], what, actor, lock, &locks);
                }
                Step::Pass(millis) => drop(service.pass(millis)),
                Step::Publish => {
                    let update = service.publish();
                    for pair in &mut pairs {
                        pair.model.apply(update.clone());
                        pair.observe(fired)?;
                    }
                }
            }
        }
        Ok(())
    });
}
