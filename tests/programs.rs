//! Programs drawn by lot, run for real, and looked at from outside. What is true of each the test finds by trying everything that can
//! still happen in it (`programs/oracle.rs`): every set of tasks that is stuck must be told, and nobody else may be accused.
//!
//! ```text
//! lot      draws a program from a seed          process   runs them, and `holdup check`
//! oracle   what can become of a program         truth     who is stuck in it
//! verdict  what is said, held against that      smaller   the smallest program of which something false is said
//! ```
//!
//! `HOLDUP_PROGRAM=locks:17 cargo test --test programs -- --ignored --nocapture again` runs one again, and makes it as small as it
//! fails.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "programs/lot.rs"]
mod lot;
#[path = "programs/oracle.rs"]
mod oracle;
#[path = "programs/process.rs"]
mod process;
#[allow(dead_code, unreachable_pub, reason = "it is a part of the victim, which uses all of it")]
#[path = "memory/victims/programs/src/program.rs"]
mod program;
#[path = "programs/smaller.rs"]
mod smaller;
#[path = "programs/truth.rs"]
mod truth;
#[path = "programs/verdict.rs"]
mod verdict;
#[allow(dead_code, reason = "victims that say less of themselves are nothing here")]
#[path = "process/victims.rs"]
mod victims;

use lot::{Lot, Taste, draw};
use process::{Runtime, watch};
use program::Program;
use smaller::smaller;
use verdict::{Count, Wrong, verdict};

/// So many programs share a process.
const TOGETHER: u64 = 60;

/// What is wrong with what is said of programs that run together.
fn held(programs: &[Program], runtime: Runtime, count: &mut Count) -> Vec<Wrong> {
    let (reached, report) = watch(programs, runtime);
    let mut wrong = verdict(programs, &reached, &report, count);
    for wrong in &mut wrong {
        wrong.text = format!("{}\n{:?}\n{:?}", wrong.text, programs[wrong.at], reached[wrong.at]);
    }
    wrong
}

/// The same of those of these seeds.
fn run(taste: Taste, seeds: std::ops::Range<u64>, runtime: Runtime, count: &mut Count) -> Vec<String> {
    let programs: Vec<Program> = seeds.clone().map(|seed| draw(seed, taste)).collect();
    let told = |Wrong { at, how, text }| format!("{taste:?}:{} {how:?}: {text}", seeds.start + at as u64);
    held(&programs, runtime, count).into_iter().map(told).collect()
}

fn all(from: u64, processes: u64) -> (Count, Vec<String>) {
    let (mut count, mut wrong) = (Count::default(), Vec::new());
    for process in 0..processes {
        let first = from + process * TOGETHER;
        for taste in [Taste::Locks, Taste::All, Taste::Unseen] {
            let runtime = if process % 2 == 0 { Runtime::MultiThread } else { Runtime::CurrentThread };
            wrong.extend(run(taste, first..first + TOGETHER, runtime, &mut count));
        }
    }
    (count, wrong)
}

fn assert_right(from: u64, processes: u64) {
    let (count, wrong) = all(from, processes);
    let (programs, [stuck, but_for_timers]) = (processes * TOGETHER * 3, count.stuck);
    eprintln!("from seed {from}: {programs} programs, {} of them too large", count.too_large);
    eprintln!("  {stuck} tasks are stuck, {but_for_timers} more but for timers");
    eprintln!("  {} tasks are said to be likely to have something, and have nothing", count.doubtful);
    for (shape, [told, there]) in &count.knots {
        eprintln!("  {shape:?}: {told} of {there} told");
    }
    assert!(wrong.is_empty(), "{} wrong, from seed {from}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn programs_of_known_seeds() {
    assert_right(200, 1);
}

#[test]
fn programs_of_a_new_seed() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    assert_right(Lot::new(now as u64).next() >> 20, 1);
}

#[test]
#[ignore = "takes some minutes"]
fn programs_by_the_thousand() {
    assert_right(1_000, 12);
}

/// Leaves out step after step, as long as the same is wrong.
#[test]
#[ignore = "of one program, which is asked for"]
fn again() {
    let asked = std::env::var("HOLDUP_PROGRAM").expect("HOLDUP_PROGRAM, such as locks:17");
    let (taste, seed) = asked.split_once(':').expect("a taste and a seed");
    let taste = match &*taste.to_lowercase() {
        "locks" => Taste::Locks,
        "all" => Taste::All,
        _ => Taste::Unseen,
    };
    let mut program = draw(seed.parse().expect("a number"), taste);
    let wrong = |programs: &[Program]| held(programs, Runtime::MultiThread, &mut Count::default());
    let first = wrong(std::slice::from_ref(&program));
    let Some(how) = first.first().map(|wrong| wrong.how) else {
        eprintln!("nothing is wrong with what is said of {program:?}");
        return;
    };
    let mut text = first[0].text.clone();
    loop {
        let candidates = smaller(&program);
        let all = if candidates.is_empty() { Vec::new() } else { wrong(&candidates) };
        let Some(same) = all.into_iter().find(|wrong| wrong.how == how) else { break };
        program = candidates[same.at].clone();
        text = same.text;
    }
    panic!("{how:?}: {text}\n{program:#?}");
}
