//! From one update to the next: what a lock's acquires allow to be said of who holds it.

use super::*;
use crate::{
    model::LockKind,
    update::{OpId, TaskId},
};

fn at(millis: u64) -> Stamp {
    Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
}

fn acquire(task: u64, asked: u64, got: u64) -> Acquire {
    Acquire {
        task: TaskId(task),
        op: OpId(task * 1000 + got),
        asked: at(asked),
        at: at(got),
        access: Access::Exclusive,
        contended: got > asked,
    }
}

fn sighted(holder: Acquire, seen: u64) -> Sighting {
    Sighting { seen: at(seen), holders: vec![(holder, Across::Await)], waiters: 1, longest_wait: Duration::ZERO }
}

#[test]
fn a_sighting_becomes_a_hold_only_when_events_reach_beyond_it() {
    let mut lock = Lock::new(LockKind::Mutex, at(0));
    lock.state = LockState::Exclusive;
    lock.acquired(acquire(1, 10, 10));
    lock.sight(sighted(lock.candidates(0, 1)[0], 100));
    lock.confirm(at(99));
    assert!(lock.holds.is_empty() && lock.is_sighted());
    lock.confirm(at(100));
    assert_eq!(lock.holds[0].acquire.task, TaskId(1));
    assert_eq!(lock.across.count, 1);
}

#[test]
fn an_acquire_that_came_to_light_later_clears_the_accused() {
    let mut lock = Lock::new(LockKind::Mutex, at(0));
    lock.acquired(acquire(1, 10, 10));
    lock.sight(sighted(acquire(1, 10, 10), 100));
    lock.acquired(acquire(2, 99, 99));
    lock.confirm(at(500));
    assert!(lock.holds.is_empty());
    assert_eq!(lock.across.count, 0);
}

#[test]
fn a_lock_taken_by_try_lock_has_no_candidate() {
    let mut lock = Lock::new(LockKind::Mutex, at(0));
    lock.state = LockState::Exclusive;
    lock.acquired(acquire(1, 10, 10));
    assert_eq!(lock.candidates(1, 1), &[], "a permit is reported as free while the lock is held");
    assert_eq!(lock.candidates(0, 1).len(), 1);
}

#[test]
fn readers_are_named_only_when_all_of_them_are_known() {
    let mut lock = Lock::new(LockKind::RwLock, at(0));
    let reader = |task, got| Acquire { access: Access::Shared, ..acquire(task, got, got) };
    lock.acquired(reader(1, 10));
    lock.acquired(reader(2, 20));
    lock.state = LockState::Shared(2);
    assert_eq!(lock.candidates(98, 100).len(), 2);
    lock.state = LockState::Shared(1);
    assert_eq!(lock.candidates(99, 100), &[], "one of the two has left, and nobody can tell which");
    lock.freed(Some(at(30)));
    lock.acquired(reader(3, 40));
    assert_eq!(lock.candidates(99, 100)[0].task, TaskId(3));
}

#[test]
fn hold_times_come_from_hand_overs() {
    let mut lock = Lock::new(LockKind::Mutex, at(0));
    lock.acquired(acquire(1, 0, 0));
    lock.acquired(acquire(2, 5, 30));
    lock.acquired(acquire(3, 900, 900));
    assert_eq!(lock.hold_times.longest, Duration::from_millis(30));
    assert_eq!(
        lock.hold_times.buckets.iter().sum::<u32>(),
        1,
        "an uncontended acquire says nothing about the one before"
    );
    assert_eq!((lock.acquisitions, lock.contended), (3, 1));
}
