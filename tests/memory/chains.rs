//! Everything that a task can await, built in each way: every chain is right or absent with its reason, and never wrong.

use crate::{
    compare,
    running::{Cases, Victim, Way, built, options},
    truth::{Hold, Truth},
};
use holdup_memory::{
    Basis, Flavor, Grade, Look, Options, ProcessState, Queued, Reader, Role, TaskState, Wants, Who, debug::Debug,
};
use std::{path::Path, process::Command, time::Duration};

/// Chains that are absent, or end early, in every way of building, by the outermost function: what is not gone through, and why.
const ABSENT: &[(&str, &str)] = &[];
/// Holders that nobody names, by the function that has something, and why.
const UNNAMED: &[(&str, &str)] = &[
    ("locks::downgrades", "of two variables of one name debug information has the first alone"),
    ("guard mutex of ", "a task that is polled is not read"),
];

/// Looks at a case that stands still.
fn looked_at(way: Way, case: &str) -> (Look, Truth) {
    looked_at_file(&built(way).join("victim"), case, &options())
}

fn looked_at_file(file: &Path, case: &str, options: &Options) -> (Look, Truth) {
    let mut victim = Victim::start_file(file, &[case]);
    let before = victim.truth();
    let look = Reader::open(victim.pid(), options).unwrap().look(&Wants::default()).unwrap();
    assert_eq!(before.frames, victim.truth().frames, "it does not stand still");
    (look, before)
}

/// What a way of building must give.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// All chains.
    Chains,
    /// All chains of tasks. Where the program is optimized as one, `block_on` is a part of whoever calls it.
    TasksChains,
    /// Tasks, states, and the descriptors that they wait for.
    Tasks(Grade),
}

impl Gives {
    fn chains(self) -> bool {
        matches!(self, Self::Chains | Self::TasksChains)
    }
}

fn case(way: Way, case: &str, gives: Gives) {
    let (look, truth) = looked_at(way, case);
    holds(&format!("{} {case}", way.profile), gives, &look, &truth);
}

/// What a look at a case must be.
fn holds(what: &str, gives: Gives, look: &Look, truth: &Truth) {
    let verdict = compare::chains(look, &look.chains, truth);
    verdict.assert_nothing_wrong(what);
    let grade = look.process.copies.iter().map(|copy| copy.grade).max();
    assert_eq!(look.process.state, ProcessState::Running);
    match gives {
        Gives::Chains | Gives::TasksChains => {
            assert_eq!(grade, Some(Grade::Full));
            assert_eq!(verdict.right + verdict.absent.len(), truth.frames.len());
            let known = |function: &str| ABSENT.iter().any(|(absent, _)| function.ends_with(absent));
            let absent = verdict.absent.iter().filter(|one| gives == Gives::Chains || !one.text.starts_with("Root("));
            let new: Vec<&str> = absent.map(|one| &*one.function).filter(|one| !known(one)).collect();
            assert!(new.is_empty(), "{what}: absent, and not known to be: {new:#?}");
        }
        Gives::Tasks(expected) => {
            assert_eq!((grade, verdict.right), (Some(expected), 0));
            let told = compare::descriptors(look, truth);
            eprintln!("{what}: {} descriptors right", told.right);
            assert!(told.wrong.is_empty() && told.missing.is_empty(), "{what}: {told:#?}");
        }
    }
    let said = compare::holders(look, truth);
    assert!(said.wrong.is_empty(), "{:#?}", said.wrong);
    assert_eq!(said.circle, None);
    if gives.chains() {
        let unnamed = truth.holds.iter().filter(|hold| {
            let mut named = said.proven.iter().chain(&said.likely);
            !named.any(|(at, who)| Some(*who) == hold.who && hold.what.is_at(*at))
        });
        let function = |hold: &Hold| {
            let frames = hold.who.and_then(|who| truth.frames.get(&who)).and_then(|frames| frames.first());
            frames.map(|frame| frame.function.replace("::{{closure}}", "")).unwrap_or_default()
        };
        let unnamed: Vec<String> =
            unnamed.map(|hold| format!("{} {} of {}", hold.local, hold.what.kind, function(hold))).collect();
        let new: Vec<&String> =
            unnamed.iter().filter(|one| !UNNAMED.iter().any(|(known, _)| one.ends_with(known))).collect();
        assert!(new.is_empty(), "{what}: nobody is named for {new:#?}");
    }
    states(look, truth);
}

/// What is exact in every build.
fn states(look: &Look, truth: &Truth) {
    let state = |number: u64| look.changed.iter().find(|task| task.number == number).map(|task| task.state);
    let running = truth.numbers("in-place");
    for task in truth.frames.keys() {
        if let Who::Task(number) = task {
            assert_eq!(state(*number), Some(TaskState::Idle), "task {number}");
        }
    }
    for number in &running {
        assert_eq!(state(*number), Some(TaskState::Running), "task {number}");
    }
    for number in truth.numbers("never-polled") {
        assert_eq!(state(number), Some(TaskState::Woken), "task {number}");
    }
    for task in look.changed.iter().filter(|task| task.state == TaskState::Idle) {
        assert_eq!(task.queued, Queued::Unknown, "task {} is asleep", task.number);
    }
}

/// Runtimes, jobs and threads, each by what the victim says of itself.
#[test]
fn runtimes_jobs_and_threads() {
    let (look, truth) = looked_at(Way::profile("release"), "runtimes");
    let undriven = truth.numbers("never-polled");
    let of = |number: &u64| look.changed.iter().find(|task| task.number == *number).and_then(|task| task.runtime);
    let runtime = of(&undriven[0]).and_then(|index| look.runtimes.get(index as usize)).expect("its runtime is found");
    assert_eq!((runtime.flavor, runtime.tasks), (Flavor::CurrentThread, 3), "{runtime:?}");
    assert_eq!(runtime.driven, Some(false));
    assert_eq!(runtime.timer_lag, Some(Duration::ZERO), "nothing was polled that could have a timer");
    let driven = look.runtimes.iter().filter(|runtime| runtime.driven == Some(true)).count();
    assert_eq!(driven, look.runtimes.len() - 1, "{:#?}", look.runtimes);
    let mut workers: Vec<usize> = look.runtimes.iter().map(|runtime| runtime.workers.len()).collect();
    workers.sort_unstable();
    assert_eq!(workers, [1, 1, 1, 1, 1, 1, 1, 3], "{:#?}", look.runtimes);

    let mut jobs: Vec<u64> = look.jobs.iter().map(|job| job.number).collect();
    jobs.sort_unstable();
    let mut told = truth.numbers("job-");
    told.sort_unstable();
    assert_eq!(jobs, told, "{:#?}", look.jobs);
    for (name, number) in &truth.facts {
        let Some(thread) = name.strip_prefix("runs-").and_then(|thread| thread.parse().ok()) else { continue };
        let job = look.jobs.iter().find(|job| job.number.to_string() == *number).expect("the job is there");
        assert_eq!(job.thread, Some(thread));
    }
    assert_eq!(look.jobs.iter().filter(|job| job.thread.is_none()).count(), 3, "{:#?}", look.jobs);

    let roots = truth.frames.keys().filter_map(|who| if let Who::Root(thread) = who { Some(*thread) } else { None });
    for root in roots {
        let role = look.threads.iter().find(|thread| thread.id == root).map(|thread| thread.role);
        assert!(matches!(role, Some(Role::BlockOn(_) | Role::Worker(..))), "{root}: {role:?}");
    }
    // Three are in one runtime, which one of them drives: each is woken by what is its own.
    let notified = look.roots.iter().filter(|root| root.future.contains("::told"));
    let waits: Vec<_> = notified.flat_map(|root| root.waits.iter()).collect();
    assert_eq!(waits.len(), 4, "{:#?}", look.roots);
    assert!(waits.iter().all(|wait| wait.basis == Basis::Proven), "{waits:#?}");
    let running = truth.numbers("in-place")[0];
    let polls: Vec<u64> = look.threads.iter().filter_map(|thread| thread.polls).collect();
    assert!(polls.contains(&running), "{polls:?}");
}

fn way(profile: &'static str, gives: Gives) -> Way {
    Way { cases: if gives.chains() { Cases::All } else { Cases::Few }, ..Way::profile(profile) }
}

macro_rules! ways {
    ($($(#[$attribute:meta])* $name:ident: $profile:literal, $gives:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            $(#[$attribute])*
            fn chains() {
                if $gives.chains() {
                    case(way($profile, $gives), "chains", $gives);
                }
            }

            #[test]
            $(#[$attribute])*
            fn waits() {
                case(way($profile, $gives), "waits", $gives);
            }

            #[test]
            $(#[$attribute])*
            fn io() {
                case(way($profile, $gives), "io", $gives);
            }

            #[test]
            $(#[$attribute])*
            fn runtimes() {
                case(way($profile, $gives), "runtimes", $gives);
            }
        }
    )*};
}

ways! {
    #[ignore = "a build of a minute"]
    dev: "dev", Gives::Chains;
    release: "release", Gives::Chains;
    #[ignore = "a build of a minute"]
    lines: "lines", Gives::Tasks(Grade::Lines);
    #[ignore = "a build of a minute"]
    stripped: "stripped", Gives::Tasks(Grade::Stripped);
    #[ignore = "a build of a minute"]
    limited: "limited", Gives::Tasks(Grade::Lines);
    #[ignore = "a build of a minute"]
    bare: "bare", Gives::Tasks(Grade::Symbols);
    #[ignore = "a build of a minute"]
    thin: "thin", Gives::TasksChains;
    #[ignore = "a build of a minute"]
    fat: "fat", Gives::TasksChains;
    #[ignore = "a build of a minute"]
    packed: "packed", Gives::Chains;
    #[ignore = "a build of a minute"]
    unpacked: "unpacked", Gives::Chains;
}

/// A stripped copy, by the layout that was made before it was.
#[test]
fn by_layout() {
    let (folder, whole) = (tempfile::tempdir().unwrap(), built(Way::profile("release")).join("victim"));
    let (file, layout) = (folder.path().join("victim"), folder.path().join("victim.layout"));
    assert!(Command::new("strip").arg("-o").arg(&file).arg(&whole).status().unwrap().success());
    Debug::open(&whole).unwrap().write_layout(&layout).unwrap();
    let options = Options { layout: Some(layout), ..options() };
    for name in ["chains", "waits"] {
        let (look, truth) = looked_at_file(&file, name, &options);
        holds(&format!("layout {name}"), Gives::Chains, &look, &truth);
    }
}

/// A stripped copy, with nothing beside it.
#[test]
fn stripped_copy() {
    let (folder, whole) = (tempfile::tempdir().unwrap(), built(Way::profile("release")).join("victim"));
    let file = folder.path().join("victim");
    assert!(Command::new("strip").arg("-o").arg(&file).arg(&whole).status().unwrap().success());
    for name in ["chains", "waits", "io", "runtimes"] {
        let (look, truth) = looked_at_file(&file, name, &options());
        holds(&format!("stripped copy {name}"), Gives::Tasks(Grade::Stripped), &look, &truth);
    }
}

/// A build without types, by those of another build of its source: nobody is proven to have anything.
#[test]
#[ignore = "a build of a minute"]
fn by_twin() {
    let file = built(way("bare", Gives::Tasks(Grade::Symbols))).join("victim");
    twin_of(&file, &["waits", "io"]);
}

/// A copy without types and without a build id, by the types of what it is a copy of.
#[test]
fn by_twin_of_a_copy() {
    let (folder, whole) = (tempfile::tempdir().unwrap(), built(Way::profile("release")).join("victim"));
    let file = folder.path().join("victim");
    let mut objcopy = Command::new("objcopy");
    objcopy.args(["--strip-debug", "--remove-section=.note.gnu.build-id"]).arg(&whole).arg(&file);
    assert!(objcopy.status().unwrap().success());
    twin_of(&file, &["chains", "waits", "io"]);
}

fn twin_of(file: &Path, names: &[&str]) {
    let twin = built(Way::profile("release")).join("victim");
    let options = Options { debug: Some(twin), ..options() };
    for name in names {
        let (look, truth) = looked_at_file(file, name, &options);
        let verdict = compare::chains(&look, &look.chains, &truth);
        verdict.assert_nothing_wrong(&format!("twin {name}"));
        // Symbols of the older form name a task's future only where its cell is dropped by a function of its own.
        assert!(verdict.right > 0, "{:?}", look.process.copies);
        let said = compare::holders(&look, &truth);
        assert!(said.wrong.is_empty() && said.circle.is_none(), "{said:#?}");
    }
}

/// Linked with nothing that is shared.
#[test]
#[ignore = "a build of a minute"]
fn r#static() {
    let way = Way { profile: "release", flags: "-C target-feature=+crt-static", cases: Cases::All };
    for name in ["chains", "waits", "io", "runtimes"] {
        case(way, name, Gives::Chains);
    }
}

/// As a service is built that has tokio's unstable features.
#[test]
#[ignore = "a build of a minute"]
fn unstable() {
    let way = Way { profile: "release", flags: "--cfg tokio_unstable", cases: Cases::All };
    for name in ["chains", "waits", "io", "runtimes"] {
        case(way, name, Gives::Chains);
    }
}

/// Tokio in a shared object that was loaded later.
#[test]
fn loaded() {
    let built = built(Way::profile("release"));
    let object = built.join("libplugin.so");
    let mut victim = Victim::start_file(&built.join("loader"), &[object.to_str().unwrap()]);
    let (truth, look) = (victim.truth(), victim.look());
    assert_eq!((look.process.copies.len(), look.tasks), (1, 5));
    let verdict = compare::chains(&look, &look.chains, &truth);
    verdict.assert_nothing_wrong("loaded");
    assert_eq!(verdict.right, 5);
}

/// Tokio in the executable, and in a shared object.
#[test]
fn twice() {
    let built = built(Way::profile("release"));
    let object = built.join("libplugin.so");
    let mut victim = Victim::start_file(&built.join("twice"), &[object.to_str().unwrap()]);
    let (truth, mut look) = (victim.truth(), victim.look());
    assert_eq!((look.process.copies.len(), look.runtimes.len()), (2, 2), "{:?}", look.process.copies);
    assert_eq!(look.changed.iter().filter(|task| task.future.contains("own_sleep")).count(), 3);
    // Both count from 1, so that numbers are no names between them.
    look.changed.retain(|task| task.future.contains("outer"));
    let verdict = compare::chains(&look, &look.chains, &truth);
    verdict.assert_nothing_wrong("twice");
    assert_eq!(verdict.right, 5);
}
