//! Where locks are acquired and where their holders sleep, as clients are told: as much of it as the settings say.

use crate::{
    attach::agent,
    clients::{Clients, block_on, next},
    process::{Roles, Service, until_stdin_ends},
};
use holdup_proto::v1::Stack;
use stalling::holding::{self, Lines};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

pub(crate) const ROLES: Roles = &[("trails-holds", holds)];

/// A lock that is held across an await most of the time.
fn holds() {
    let _agent = agent();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.spawn(async {
        let (lines, lock) = (Lines::default(), Mutex::new(0));
        loop {
            holding::holds(&lines, &lock, Duration::from_millis(100)).await;
        }
    });
    until_stdin_ends();
}

/// Lines of `holding.rs`: where holders acquired the lock, and where they slept.
type Places = (HashSet<u32>, HashSet<u32>);

/// What is told in two seconds, or for as long as it is not `enough`.
fn told(environment: &[(&str, &str)], enough: impl Fn(&Places) -> bool) -> Places {
    let mut service = Service::start("trails-holds", environment);
    let address = service.address();
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let mut places = Places::default();
        let (begun, mut across) = (Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs(2) || !enough(&places) {
            for holder in next(&mut reports).await.locks.into_iter().flat_map(|lock| lock.holders) {
                across += u32::from(holder.across_await);
                places.0.extend(holder.acquired_at.as_ref().map(line));
                places.1.extend(holder.suspended_at.as_ref().map(line));
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{places:?}");
        }
        assert!(across > 0, "the holder was seen asleep");
        places
    })
}

/// Where the service's innermost function is on a stack.
fn line(stack: &Stack) -> u32 {
    let frame = stack.frames.iter().find(|frame| frame.file.ends_with("stalling/src/holding.rs"));
    frame.unwrap_or_else(|| panic!("none of the service's functions in {stack:#?}")).line
}

/// The line after the first one of the function that is this.
fn after(code: &str) -> u32 {
    let lines = (1..).zip(include_str!("../../stalling/src/holding.rs").lines());
    let mut function = lines.skip_while(|(_, line)| !line.starts_with("pub async fn holds("));
    function.find(|(_, line)| line.trim() == code).expect("it is there").0 + 1
}

#[test]
fn in_full_detail_both_places_are_told() {
    let (acquired, suspended) = told(&[], |(acquired, suspended)| !acquired.is_empty() && !suspended.is_empty());
    assert_eq!(acquired, [after("lines.acquires_at(line!() + 1);")].into());
    assert_eq!(suspended, [after("lines.sleeps_at(line!() + 1);")].into());
}

#[test]
fn in_lean_detail_it_is_told_where_a_lock_was_acquired() {
    let (acquired, suspended) = told(&[("HOLDUP_DETAIL", "lean")], |(acquired, _)| !acquired.is_empty());
    assert_eq!(acquired, [after("lines.acquires_at(line!() + 1);")].into());
    assert_eq!(suspended, HashSet::new(), "wakers are not seen");
}

#[test]
fn without_stacks_neither_is_told() {
    assert_eq!(told(&[("HOLDUP_STACKS", "off")], |_| true), (HashSet::new(), HashSet::new()));
}
