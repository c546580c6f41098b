//! Memory that lies on purpose: time and memory are bounded, and nothing panics.

use crate::running::{Victim, Way};
use holdup_memory::Wants;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

const WAY: Way = Way::profile("release");
/// Many times what an honest process of that size takes, of the processor: what else runs on the machine says nothing of the reader. One that
/// is not optimized takes half a minute for headers alone.
const BOUND: Duration = Duration::from_secs(90);
const MEMORY: u64 = 512 << 20;

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

/// What this thread has had of the processor.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

fn looked_at(how: &str, seed: u64) {
    let victim = Victim::start(WAY, &["hostile", how, &seed.to_string()]);
    let (began, before) = (used(), peak());
    let mut reader = victim.reader();
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let look = reader.look(&Wants::default()).unwrap();
        assert!(look.changed.len() < 1_000_000);
        tasks.extend(look.changed.iter().map(|task| task.number));
    }
    let (took, grew) = (used().saturating_sub(began), peak() - before);
    eprintln!("{how} {seed}: {took:?}, {} MB", grew >> 20);
    assert!(took < BOUND, "{how} {seed} took {took:?}");
    assert!(grew < MEMORY, "{how} {seed} took {} MB", grew >> 20);
    // And what frames hold, as if somebody asked for that.
    let began = used();
    for task in tasks.into_iter().take(100) {
        for variable in reader.values(task).unwrap().frames.iter().flat_map(|frame| &frame.variables) {
            assert!(variable.value.len() < 500 && !variable.value.contains(char::is_control));
        }
    }
    let took = used().saturating_sub(began);
    eprintln!("  its values: {took:?}");
    assert!(took < BOUND, "values of {how} {seed} took {took:?}");
}

#[test]
#[ignore = "some minutes where the reader is not optimized"]
fn headers() {
    looked_at("headers", 1);
}

#[test]
fn lists() {
    looked_at("lists", 1);
}

#[test]
fn scrambled() {
    for seed in 1..9 {
        looked_at("scramble", seed);
    }
}

/// Locks, channels and boxes as well.
#[test]
fn storms() {
    for seed in 1..5 {
        looked_at("storm", seed);
    }
}

#[test]
#[ignore = "some minutes"]
fn scrambled_in_many_ways() {
    for seed in 9..300 {
        looked_at("scramble", seed);
        looked_at("storm", seed);
    }
}
