//! The table of scenarios: one small file each, named here and nowhere else.
//!
//! A scenario owns the tasks that show one trouble, or that look like one and are none. It must not know the echo
//! service, the load, or another scenario. To add one: its file, its line in `mod` and in [`SCENARIOS`], and its test.

mod burn;
mod ctx;

mod abandoned_wait;
mod all_workers_stalled;
mod auto_boxed_future;
mod backpressure;
mod block_in_place;
mod blocking_pool_full;
mod blocking_sleep;
mod brief_block_ons;
mod brief_lock;
mod brief_shutdowns;
mod busy_block_on;
mod busy_reader;
mod churn;
mod contended_lock;
mod current_thread;
mod deadlock;
mod driver_blocked;
mod driver_in_turn;
mod driver_late;
mod ended_with_a_job;
mod full_channels;
mod futurelock;
mod healthy;
mod held_up_receiver;
mod in_turn;
mod job_stuck;
mod large_future;
mod lasting_job;
mod leaked_guard;
mod local_set;
mod lock_across_await;
mod lock_across_await_uncontended;
mod lock_convoy;
mod long_polls;
mod lost_waker;
mod nested_permits;
mod nested_spans;
mod never_idle;
mod one_filter_for_all;
mod panics;
mod panics_by_the_hundred;
mod reserved_slots;
mod rwlock_across_await;
mod self_deadlock;
mod self_wakes;
mod semaphore_rate_limit;
mod short_of_processors;
mod shutdown_waits;
mod sleeper;
mod slow_pool;
mod spawn_blocking;
mod spin_first_poll;
mod spin_later_poll;
mod stalled_by_loop;
mod stalled_by_mutex;
mod stalled_by_read;
mod stalled_by_sleep;
mod stalled_local_set;
mod starved;
mod stood_still;
mod stuck_unless;
mod task_leak;
mod two_runtimes;
mod undriven;
mod undriven_local_set;
mod vfork;
mod waits_for_itself;

use std::{io, time::Duration};

pub use ctx::Ctx;

/// Whether a scenario is there to be found, or there to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something is wrong: [`Scenario::raises`], or [`Scenario::from_agent`] where the agent tells, must be found.
    Trouble,
    /// Nothing is wrong with the service: nothing above a note may be found, but for those two.
    Control,
    /// Something is wrong that no instrumentation tells. By that nothing is found, but for those two, so that nobody is accused who
    /// has no part in it; the memory of the process may tell it.
    Untold,
}

/// A lint that must be raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// The lint.
    pub lint: &'static str,
    /// The lowest severity that it must reach: `note`, `warning` or `critical`.
    pub severity: &'static str,
}

/// What the agent can see of a scenario in lean detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InLean {
    /// The same as in full detail.
    Same,
    /// Nothing: it is about wakers, or about waits that only wakes tell.
    Nothing,
}

/// What the service's subscriber lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// Each layer has a filter of its own.
    OfEachLayer,
    /// One for all layers: INFO.
    OneForAll,
}

/// What a scenario leaves of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processors {
    /// Enough for others.
    Left,
    /// Nothing: whatever else runs has to wait as well. `all` is without it.
    Taken,
}

/// What the agent makes of a worker that does not come back.
const STALLED: Raised = Raised { lint: "stalled-worker", severity: "critical" };

/// One thing that the server can be told to do beside its echo, and what a diagnosis must make of it.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line, kebab-case and stable.
    pub name: &'static str,
    /// Trouble or control.
    pub kind: Kind,
    /// One sentence: what it does.
    pub says: &'static str,
    /// The lint that must be raised where console-subscriber tells; none for most controls, and for what only the agent can
    /// tell.
    pub raises: Option<&'static str>,
    /// The lowest severity that the lint must reach: `note`, `warning` or `critical`. None when `raises` is.
    pub severity: Option<&'static str>,
    /// The lints that must be raised where the agent tells, on a task of [`Scenario::tasks`] or a runtime. `None` when it is
    /// the same as [`Scenario::raises`], which may be raised beside.
    pub from_agent: Option<&'static [Raised]>,
    /// What the agent can see of it in lean detail.
    pub in_lean: InLean,
    /// Other lints above a note that are true of it as well, and may be raised beside.
    pub also: &'static [&'static str],
    /// The names of the tasks of which one must be the finding's subject; empty when the subject is a lock or the target.
    pub tasks: &'static [&'static str],
    /// The kind of the lock that the finding must name, `Mutex` or `RwLock`; it is made in [`Scenario::file`].
    pub lock: Option<&'static str>,
    /// The source file, as `file!()` has it, in which its tasks are spawned and its locks are made.
    pub file: &'static str,
    /// How long after the start it takes, at the most and with default thresholds, until the finding is true.
    pub within: Duration,
    /// Workers of the service's runtime that it keeps to itself, for good or most of the time.
    pub keeps_workers: usize,
    /// How long the console may keep what has ended while this is switched on; of several, the shortest counts. Short for
    /// those that end much, since all of it is in the first message to a client, which must stay below 4 MiB.
    pub retention: Duration,
    /// What the service's subscriber lets through. One filter for all would hide the other scenarios: it counts where no other is
    /// switched on.
    pub filter: Filter,
    /// What it leaves of the machine.
    pub processors: Processors,
    /// Switches it on. Returns at once; its tasks and threads go on until the process ends.
    pub start: fn(&Ctx) -> io::Result<()>,
}

impl Scenario {
    /// What most scenarios have in common. Each replaces what is different.
    const BASE: Self = Self {
        name: "",
        kind: Kind::Control,
        says: "",
        raises: None,
        severity: None,
        from_agent: None,
        in_lean: InLean::Same,
        also: &[],
        tasks: &[],
        lock: None,
        file: "",
        within: Duration::from_secs(3),
        keeps_workers: 0,
        retention: Duration::from_secs(60),
        filter: Filter::OfEachLayer,
        processors: Processors::Left,
        start: |_| Ok(()),
    };
}

const SCENARIOS: &[Scenario] = &[
    lock_across_await::SCENARIO,
    lock_across_await_uncontended::SCENARIO,
    rwlock_across_await::SCENARIO,
    deadlock::SCENARIO,
    self_deadlock::SCENARIO,
    lock_convoy::SCENARIO,
    spin_first_poll::SCENARIO,
    spin_later_poll::SCENARIO,
    blocking_sleep::SCENARIO,
    long_polls::SCENARIO,
    starved::SCENARIO,
    short_of_processors::SCENARIO,
    lost_waker::SCENARIO,
    task_leak::SCENARIO,
    self_wakes::SCENARIO,
    auto_boxed_future::SCENARIO,
    large_future::SCENARIO,
    stalled_by_sleep::SCENARIO,
    stalled_by_loop::SCENARIO,
    stalled_by_mutex::SCENARIO,
    stalled_by_read::SCENARIO,
    vfork::SCENARIO,
    all_workers_stalled::SCENARIO,
    driver_blocked::SCENARIO,
    stalled_local_set::SCENARIO,
    blocking_pool_full::SCENARIO,
    never_idle::SCENARIO,
    job_stuck::SCENARIO,
    undriven::SCENARIO,
    undriven_local_set::SCENARIO,
    panics::SCENARIO,
    panics_by_the_hundred::SCENARIO,
    one_filter_for_all::SCENARIO,
    leaked_guard::SCENARIO,
    healthy::SCENARIO,
    brief_lock::SCENARIO,
    contended_lock::SCENARIO,
    in_turn::SCENARIO,
    spawn_blocking::SCENARIO,
    semaphore_rate_limit::SCENARIO,
    sleeper::SCENARIO,
    local_set::SCENARIO,
    current_thread::SCENARIO,
    brief_block_ons::SCENARIO,
    driver_in_turn::SCENARIO,
    busy_reader::SCENARIO,
    lasting_job::SCENARIO,
    brief_shutdowns::SCENARIO,
    busy_block_on::SCENARIO,
    churn::SCENARIO,
    two_runtimes::SCENARIO,
    block_in_place::SCENARIO,
    nested_spans::SCENARIO,
    slow_pool::SCENARIO,
    backpressure::SCENARIO,
    ended_with_a_job::SCENARIO,
    stood_still::SCENARIO,
    driver_late::SCENARIO,
    shutdown_waits::SCENARIO,
    futurelock::SCENARIO,
    nested_permits::SCENARIO,
    full_channels::SCENARIO,
    reserved_slots::SCENARIO,
    held_up_receiver::SCENARIO,
    waits_for_itself::SCENARIO,
    stuck_unless::SCENARIO,
    abandoned_wait::SCENARIO,
];

/// Every scenario: troubles first, then controls, then what no instrumentation tells.
pub fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

/// The scenario of that name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, path::Path};

    use super::*;

    #[test]
    fn names_are_kebab_case_and_used_once() {
        let mut seen = HashSet::new();
        for scenario in scenarios() {
            assert!(
                scenario.name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-'),
                "{}",
                scenario.name
            );
            assert!(seen.insert(scenario.name), "{} twice", scenario.name);
        }
    }

    #[test]
    fn each_file_holds_one_scenario_and_the_table_has_them_all() {
        let mut named: Vec<String> = scenarios()
            .iter()
            .map(|scenario| {
                let file = Path::new(scenario.file).file_stem().unwrap().to_str().unwrap().to_owned();
                assert_eq!(file, scenario.name.replace('-', "_"), "a file is named for its scenario");
                file
            })
            .collect();
        let mut present: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/scenarios"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|file| !["mod", "ctx", "burn"].contains(&file.as_str()))
            .collect();
        named.sort();
        present.sort();
        assert_eq!(named, present);
    }

    #[test]
    fn a_trouble_says_what_must_be_found_and_where() {
        for scenario in scenarios() {
            let name = scenario.name;
            assert!(scenario.says.ends_with('.'), "{name}: one sentence");
            assert_eq!(scenario.raises.is_some(), scenario.severity.is_some(), "{name}");
            if scenario.kind == Kind::Untold {
                assert!(scenario.raises.is_none() && scenario.from_agent.is_none(), "{name}: a lint tells it");
            }
            if scenario.kind == Kind::Trouble {
                assert!(
                    scenario.raises.is_some() || scenario.from_agent.is_some_and(|raised| !raised.is_empty()),
                    "{name}"
                );
                assert!(!scenario.tasks.is_empty() || scenario.lock.is_some(), "{name}: a subject to look for");
            }
        }
    }

    #[test]
    fn no_two_scenarios_name_their_tasks_alike() {
        let mut seen = HashSet::new();
        for task in scenarios().iter().flat_map(|scenario| scenario.tasks) {
            assert!(seen.insert(task), "{task} twice");
        }
    }
}
