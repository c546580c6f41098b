//! Each version of tokio whose layouts differ from the one before: both sides of each move.

use crate::running::{Victim, root};
use holdup_memory::{Basis, FrameKind, Look, Reach, Task, ThingKind, WaitOn, Who};
use std::{fs, path::PathBuf, process::Command};

/// A version, and flags of the compiler.
type Version = (&'static str, &'static str);

/// Headers, timers' wheels, the LIFO slot, the blocking queue, `Sleep`, `Acquire`; with the unstable features also where a task was
/// spawned (a word of the vtable from 1.46 on), and the two kinds of timers of 1.50 to 1.52.
const VERSIONS: [Version; 17] = [
    ("1.38.0", ""),
    ("1.39.3", ""),
    ("1.40.0", ""),
    ("1.41.0", ""),
    ("1.43.0", ""),
    ("1.44.0", ""),
    ("1.46.0", ""),
    ("1.48.0", ""),
    ("1.50.0", ""),
    ("1.52.0", ""),
    ("1.52.1", ""),
    ("1.52.2", ""),
    ("1.53.0", ""),
    ("1.54.1", ""),
    ("1.44.0", UNSTABLE),
    ("1.46.0", UNSTABLE),
    ("1.52.2", UNSTABLE),
];
const UNSTABLE: &str = "--cfg tokio_unstable";

/// A copy of the program with this tokio, built.
fn built((version, flags): Version) -> PathBuf {
    let (from, to) = (root().join("tests/memory/versions"), root().join("target/victims/versions").join(version));
    fs::create_dir_all(to.join("src")).unwrap();
    for file in ["Cargo.toml", "src/main.rs"] {
        // What is as it was keeps its date, and is not built again.
        let text = fs::read(from.join(file)).unwrap();
        if fs::read(to.join(file)).ok().as_ref() != Some(&text) {
            fs::write(to.join(file), text).unwrap();
        }
    }
    let target = to.join(if flags.is_empty() { "target" } else { "unstable" });
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&to).args(arguments);
        // Not what the workspace sets for everything below it.
        cargo.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS").env("CARGO_TARGET_DIR", &target);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    };
    if !to.join("Cargo.lock").exists() {
        cargo(&["update", "--quiet", "tokio", "--precise", version]);
    }
    cargo(&["build", "--quiet", "--release"]);
    target.join("release/elder")
}

/// What a task waits for, in the program's words.
fn kinds(task: &Task, chain: &[holdup_memory::Frame]) -> Vec<&'static str> {
    let polled = |frame: u16| chain.get(usize::from(frame)).is_none_or(|frame| frame.reach == Reach::Polled);
    let mut kinds: Vec<&str> = task
        .waits
        .iter()
        .filter(|wait| polled(wait.frame) && !matches!(wait.what, WaitOn::JoinOneOf(_)))
        .map(|wait| match wait.what {
            WaitOn::Permits { .. } => "permits",
            WaitOn::Notified(_) => "notify",
            WaitOn::Timer(_) => "timer",
            WaitOn::Join { .. } => "join",
            WaitOn::JoinAny(_) | WaitOn::JoinOneOf(_) => "join-any",
            WaitOn::Oneshot(_) => "oneshot",
            WaitOn::Message(_) => "mpsc",
            WaitOn::Watch(_) => "watch",
            WaitOn::Broadcast(_) => "broadcast",
            WaitOn::Barrier(_) => "barrier",
            WaitOn::Io { .. } => "io",
            WaitOn::Nothing => "nothing",
            WaitOn::LocalSet(_) => "local-set",
            WaitOn::Closed(_) => "closed",
            WaitOn::Other => "other",
        })
        .collect();
    kinds.sort_unstable();
    kinds
}

/// The task whose chain has this function at this line.
fn find<'a>(look: &'a Look, function: &str, line: u32) -> Option<(&'a Task, &'a [holdup_memory::Frame])> {
    look.changed.iter().find_map(|task| {
        let chain = look.chains.get(task.chain? as usize)?;
        let is = |frame: &holdup_memory::Frame| {
            let place = frame.place.as_ref().is_some_and(|place| place.line == line && place.file.ends_with("main.rs"));
            frame.kind == FrameKind::Async && place && frame.name.contains(function)
        };
        chain.frames.iter().any(is).then_some((task, &*chain.frames))
    })
}

fn holds(version: Version) {
    let (victim, lines) = Victim::told(&built(version));
    let version = format!("{} {}", version.0, version.1);
    let look = victim.look();
    let mut wrong = Vec::new();
    let mut right = 0;
    for line in &lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["is", function, line, kind] => {
                let mut expected: Vec<&str> = kind.split(',').collect();
                expected.sort_unstable();
                match find(&look, function, line.parse().unwrap()) {
                    None => wrong.push(format!("{function}:{line} is not there")),
                    Some((task, chain)) if kinds(task, chain) != expected => {
                        wrong.push(format!("{function}:{line} waits for {:?}, not {expected:?}", task.waits));
                    }
                    Some(_) => right += 1,
                }
            }
            ["has", kind, function] => {
                let wanted = if kind == "mutex" { ThingKind::Mutex } else { ThingKind::RwLock };
                let thing = look.things.iter().find(|thing| thing.kind == wanted && !thing.queue.is_empty());
                let named = thing.and_then(|thing| thing.holders.first()).and_then(|holder| match holder.who {
                    Who::Task(number) if holder.basis >= Basis::Likely => Some(number),
                    _ => None,
                });
                let task = look.changed.iter().find(|task| Some(task.number) == named);
                if task.is_some_and(|task| task.future.contains(function)) {
                    right += 1;
                } else {
                    wrong.push(format!("{kind}: {thing:?}"));
                }
            }
            _ => {}
        }
    }
    eprintln!("{version}: {right} right, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{version}:\n{}\n{:#?}", wrong.join("\n"), look.unread);
    assert!(right > 20);
}

/// The oldest one; the victims have the newest.
#[test]
fn the_oldest() {
    holds(VERSIONS[0]);
}

#[test]
#[ignore = "builds tokio seventeen times"]
fn each_version() {
    let mut wrong = Vec::new();
    for version in VERSIONS {
        if std::panic::catch_unwind(|| holds(version)).is_err() {
            wrong.push(version);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
