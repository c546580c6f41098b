//! What becomes of a reader when the process does not stay as it was: an error in words, or a look; never a panic.

use crate::running::{Victim, Way, built, options};
use holdup_memory::{Look, ProcessState, Reader, Wants};
use std::{
    process::Command,
    time::{Duration, Instant},
};

const WAY: Way = Way::profile("release");

/// Looks as fast as it can while something happens; what the last of the looks said.
fn during(victim: &mut Victim, what: &str, time: Duration) -> Result<Look, String> {
    let mut reader = victim.reader();
    reader.look(&Wants::default()).unwrap();
    let end = Instant::now() + time;
    let mut said = false;
    loop {
        let look = reader.look(&Wants::default()).map_err(|error| error.to_string());
        if !said {
            victim.say(what);
            said = true;
        }
        if Instant::now() > end {
            return look;
        }
    }
}

#[test]
fn another_program_takes_its_place() {
    let mut victim = Victim::start(WAY, &["upheaval"]);
    let last = during(&mut victim, "exec", Duration::from_secs(2));
    // Nothing of the old program is told of the new one, and whoever opens it anew sees that.
    if let Ok(look) = last {
        assert!(look.tasks < 2_000, "{} tasks of the program that is gone", look.tasks);
    }
    let look = victim.look();
    assert!((1..200).contains(&look.tasks), "{} tasks", look.tasks);
}

#[test]
fn it_exits() {
    let mut victim = Victim::start(WAY, &["upheaval"]);
    let error = during(&mut victim, "exit", Duration::from_secs(1)).unwrap_err();
    assert!(error.contains(&victim.pid().to_string()), "{error}");
    let error = Reader::open(victim.pid(), &options()).err().map(|error| error.to_string());
    assert!(error.is_some(), "it has ended");
}

#[test]
fn it_forks() {
    let mut victim = Victim::start(WAY, &["upheaval"]);
    victim.say("fork");
    let line = victim.line();
    let child: u32 = line.strip_prefix("forked ").unwrap().parse().unwrap();
    let look = Reader::open(child, &options()).unwrap().look(&Wants::default()).unwrap();
    assert_eq!(look.process.state, ProcessState::Forked);
    assert!(look.tasks >= 2_000, "the child has a copy of all: {}", look.tasks);
    assert_eq!(victim.look().process.state, ProcessState::Running);
}

#[test]
fn memory_goes_away() {
    let mut victim = Victim::start(WAY, &["upheaval"]);
    for _ in 0..3 {
        assert!(during(&mut victim, "map", Duration::from_millis(300)).is_ok());
        assert_eq!(victim.line(), "mapped");
        assert!(during(&mut victim, "unmap", Duration::from_millis(300)).is_ok());
        assert_eq!(victim.line(), "unmapped");
    }
}

/// The file that was started has another's name by now, as after an update of the service.
#[test]
fn its_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service");
    std::fs::copy(built(WAY).join("victim"), &file).unwrap();
    let mut victim = Victim::start_file(&file, &["upheaval"]);
    let look = during(&mut victim, "replace", Duration::from_millis(500)).unwrap();
    assert_eq!(victim.line(), "replaced");
    assert!(look.tasks >= 2_000);
    let look = victim.look();
    assert!(look.changed.iter().filter(|task| task.chain.is_some()).count() >= 2_000, "{:?}", look.process.copies);
}

#[test]
fn it_is_stopped() {
    let victim = Victim::start(WAY, &["upheaval"]);
    let kill = |signal: &str| Command::new("kill").arg(signal).arg(victim.pid().to_string()).status().unwrap();
    assert!(kill("-STOP").success());
    std::thread::sleep(Duration::from_millis(50));
    let look = victim.look();
    assert!(kill("-CONT").success());
    assert_eq!(look.process.state, ProcessState::Stopped);
    assert!(look.tasks >= 2_000);
}
