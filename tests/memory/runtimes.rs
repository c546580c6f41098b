//! What is told of runtimes as a whole, and of processes in a list, by victims that have many tasks.

use crate::running::{Victim, Way};
use holdup_memory::{Wants, ps};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::time::Duration;

fn many(tasks: &str) -> Victim {
    Victim::start(Way::profile("release"), &["many", tasks, "50"])
}

#[test]
fn timers_are_late_while_nobody_runs() {
    let victim = many("200");
    let mut reader = victim.reader();
    let mut lag = || {
        let look = reader.look(&Wants::default()).unwrap();
        look.runtimes.iter().filter_map(|runtime| runtime.timer_lag).max().expect("its timers are known")
    };
    let pid = Pid::from_raw(victim.pid().cast_signed());
    let mut stopped = || {
        kill(pid, Signal::SIGSTOP).unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let stopped = lag();
        kill(pid, Signal::SIGCONT).unwrap();
        assert!(stopped < Duration::from_secs(60), "{stopped:?}");
        stopped >= Duration::from_millis(500)
    };
    // One that is stopped between a timer that fired and the next one has none that is due.
    assert!((0..5).any(|_| stopped()));
    // However loaded the machine is, they are in time at some moment.
    let in_time = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        lag() < Duration::from_millis(50)
    });
    assert!(in_time);
}

#[test]
fn a_list_counts_the_tasks_that_a_look_finds() {
    let victim = many("3000");
    let listed = |victim: &Victim| {
        let listing = ps::list().unwrap();
        listing.processes.into_iter().find(|listed| listed.pid == victim.pid()).expect("it is listed")
    };
    let found = victim.look().tasks;
    let counted = usize::try_from(listed(&victim).tasks.expect("they are counted")).unwrap();
    // Some of them end and others begin meanwhile.
    assert!(counted.abs_diff(found) <= 100, "{counted} and {found}");
    assert!(found >= 3000, "{found}");
}
