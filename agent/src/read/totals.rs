//! Sums over all tasks and all locks, for whoever tells how much there is and not of what: walks that copy nothing.

use super::{lock, task};
use crate::{
    collect::{
        gone_locks, polled_runtimes,
        resource::RESOURCES,
        task::{
            row::{self, OTHERS},
            slot::TASKS,
        },
    },
    slots::{doublings::Sums, round::Round},
    view::{Location, LockTotals, Timed},
};
pub(crate) use task::Doing;

/// Tasks that live and were spawned at one place, by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Living {
    pub(crate) running: u64,
    pub(crate) scheduled: u64,
    pub(crate) idle: u64,
}

/// What there is of the tasks of one spawn location.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfLocation {
    /// `None` of those that are not told apart.
    pub(crate) location: Option<&'static Location>,
    pub(crate) living: Living,
    /// Of tasks that have ended as well.
    pub(crate) timed: Timed,
}

/// For one who asks again and again.
#[derive(Debug, Default)]
pub(crate) struct Totals(Sums);

impl Totals {
    /// Of each spawn location, and of each runtime: its number, `None` of those that are not told apart.
    pub(crate) fn tasks(&mut self) -> (Vec<OfLocation>, Vec<(Option<u64>, Timed)>) {
        let mut living = vec![Living::default(); OTHERS as usize];
        let round = Round::of_all();
        for (row, doing) in TASKS.iter(&round).filter_map(|(_, slot)| task::doing(&round, slot)) {
            // A worker is in no row.
            let Some(living) = living.get_mut((row as usize).wrapping_sub(1)) else { continue };
            *match doing {
                Doing::Running => &mut living.running,
                Doing::Scheduled => &mut living.scheduled,
                Doing::Idle => &mut living.idle,
            } += 1;
        }
        let (rows, polls_for) = self.0.read_timed(polled_runtimes::NUMBERS);
        // Those that came meanwhile are among the next.
        let runtimes =
            [None].into_iter().chain(polled_runtimes::known().into_iter().map(Some)).zip(polls_for).collect();
        let of_location = |(at, (living, timed))| OfLocation { location: row::location(at + 1), living, timed };
        let rows = living.into_iter().zip(rows).enumerate().map(of_location);
        // Rows that nobody has yet are not there; the last one is that of all others.
        let is_there =
            |of: &OfLocation| of.location.is_some() || of.living != Living::default() || of.timed != Timed::default();
        (rows.filter(is_there).collect(), runtimes)
    }
}

/// How many spawn locations, and places where locks are made, are not told apart.
pub(crate) fn folded() -> (u64, u64) {
    (row::without() as u64, gone_locks::without() as u64)
}

/// What the locks of each kind and place come to; no place of those that are not told apart.
pub(crate) fn locks() -> Vec<(&'static str, Option<&'static Location>, LockTotals)> {
    // Those that are gone come first: a lock that goes meanwhile is then missing this once, and not there twice.
    let mut all: Vec<(bool, LockTotals)> =
        gone_locks::all().into_iter().map(|gone| (gone.acquisitions > 0, gone)).collect();
    let round = Round::of_all();
    for (kind, place, lives) in RESOURCES.iter(&round).filter_map(|(_, slot)| lock::totals(&round, slot)) {
        let Some((is_there, sum)) = gone_locks::index(kind, place).and_then(|at| all.get_mut(at)) else { continue };
        *is_there = true;
        sum.waiters += lives.waiters;
        sum.acquisitions += lives.acquisitions;
        sum.waited += lives.waited;
    }
    let there = all.into_iter().enumerate().filter(|(_, (is_there, _))| *is_there);
    let told = there.map(|(at, (_, sum))| {
        let (kind, place) = gone_locks::at(at);
        (kind, place, sum)
    });
    told.collect()
}
