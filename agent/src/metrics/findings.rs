//! What the agent concludes by itself, counted as holdup counts findings: those of the tasks that were spawned at one place are one finding, for as long
//! as they last or are news.

use crate::{
    clock::Nanos,
    stalls::{cause::Cause, record::Stall},
    standstills,
    view::Location,
};
use holdup_metrics::{Metric, Sheet};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// Time on a processor below which a stall whose thread only waits for one is nobody's fault, as the lint has it.
const LEAST_ON_CPU: Duration = Duration::from_millis(100);

/// For how long something that is over is news, as the lints have it.
const STALL_RECENT: Duration = Duration::from_secs(1);
const PANIC_RECENT: Duration = Duration::from_secs(60);

/// Places with findings of a kind that are told apart.
const MOST: usize = 4_096;

/// Whose finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Whose {
    Place(&'static Location),
    Task(u64),
}

impl Whose {
    fn of(task: u64, spawned_at: Option<&'static Location>) -> Self {
        spawned_at.map_or(Self::Task(task), Self::Place)
    }
}

/// A panic that ended a task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panicked {
    pub(super) task: u64,
    pub(super) spawned_at: Option<&'static Location>,
    pub(super) at: Nanos,
}

/// Since when a finding lasts, and up to when it was seen; `None` while it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    since: Nanos,
    until: Option<Nanos>,
}

/// The findings of one lint.
#[derive(Debug, Default)]
struct Lint {
    open: FxHashMap<Whose, Open>,
    begun: u64,
}

impl Lint {
    /// Something lasts or lasted: it is part of a finding that is open then, or begins one.
    fn note(&mut self, whose: Whose, at: Open, recent: Duration) {
        match self.open.get_mut(&whose) {
            Some(open) if open.until.is_none_or(|until| at.since.since(until) <= recent) => {
                open.since = open.since.min(at.since);
                open.until = open.until.zip(at.until).map(|(one, other)| one.max(other));
            }
            Some(open) => {
                self.begun += 1;
                *open = at;
            }
            None => {
                self.begun += 1;
                if self.open.len() < MOST {
                    self.open.insert(whose, at);
                }
            }
        }
    }

    fn let_go(&mut self, now: Nanos, recent: Duration) {
        self.open.retain(|_, open| open.until.is_none_or(|until| now.since(until) <= recent));
    }

    fn tell(&self, sheet: &mut Sheet<'_>, name: &str, severity: &str, now: Nanos) {
        let oldest = self.open.values().map(|open| open.since).min();
        sheet.set(Metric::Findings, &[name, severity], self.open.len() as f64);
        sheet.set(Metric::FindingsBegun, &[name, severity], self.begun as f64);
        let age = oldest.map_or(Duration::ZERO, |since| standstills::lasted(since, now));
        sheet.set_time(Metric::FindingAge, &[name], age);
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Findings {
    stalled: Lint,
    panicked: Lint,
    /// Stalls that last, or are of too little time on a processor so far.
    lasting: FxHashMap<u64, (Whose, Stall)>,
    /// When that was taken in last.
    looked: Option<Nanos>,
}

impl Findings {
    /// Takes in what has changed. `spawned_at` tells where a task was spawned that is still known.
    pub(super) fn take_in(
        &mut self,
        stalls: Vec<Stall>,
        panics: impl Iterator<Item = Panicked>,
        spawned_at: impl Fn(u64) -> Option<&'static Location>,
        now: Nanos,
    ) {
        for stall in stalls {
            // The task of one that is over may be gone by now.
            let known = self.lasting.get(&stall.id).map(|(whose, _)| *whose);
            let whose = known.unwrap_or_else(|| Whose::of(stall.task, spawned_at(stall.task)));
            self.lasting.insert(stall.id, (whose, stall));
        }
        let mut counted: Vec<(Whose, Open)> = self
            .lasting
            .values()
            .filter(|(_, stall)| counts(stall))
            .map(|(whose, stall)| (*whose, Open { since: stall.since, until: stall.ended_at }))
            .collect();
        counted.sort_unstable_by_key(|(_, open)| open.since);
        // What lasted at the look before is known up to there, and goes on where it is among these.
        let looked = self.looked.replace(now).unwrap_or(now);
        self.stalled.open.values_mut().for_each(|open| {
            open.until.get_or_insert(looked);
        });
        for (whose, open) in counted {
            self.stalled.note(whose, open, STALL_RECENT);
        }
        self.lasting.retain(|_, (_, stall)| stall.ended_at.is_none());
        self.stalled.let_go(now, STALL_RECENT);
        for panic in panics {
            let at = Open { since: panic.at, until: Some(panic.at) };
            self.panicked.note(Whose::of(panic.task, panic.spawned_at), at, PANIC_RECENT);
        }
        self.panicked.let_go(now, PANIC_RECENT);
    }

    pub(super) fn tell(&self, sheet: &mut Sheet<'_>, now: Nanos) {
        self.stalled.tell(sheet, "stalled-worker", "critical", now);
        self.panicked.tell(sheet, "panicked", "warning", now);
    }
}

/// Whether whoever is polled has a part in it.
fn counts(stall: &Stall) -> bool {
    !(stall.cause == Some(Cause::Starved) && stall.on_cpu < LEAST_ON_CPU)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "counts are exact in a float, and these seconds are whole")]

    use super::*;
    use holdup_metrics::{Ledger, Page};

    const HERE: &Location = &Location { file: "src/a.rs", line: 1, column: 1 };

    fn at(millis: u64) -> Nanos {
        Nanos::from_raw(1 + millis * 1_000_000).unwrap()
    }

    fn stall(id: u64, since: u64, ended_at: Option<u64>) -> Stall {
        Stall { task: id, ended_at: ended_at.map(at), ..Stall::of_worker(id, 0, at(since)) }
    }

    struct Told {
        findings: Findings,
        ledger: Ledger,
    }

    impl Told {
        fn new() -> Self {
            Self { findings: Findings::default(), ledger: Ledger::default() }
        }

        fn page(&mut self, stalls: Vec<Stall>, panics: &[Panicked], now: u64) -> Page {
            let spawned = |task: u64| task.is_multiple_of(2).then_some(HERE);
            self.findings.take_in(stalls, panics.iter().copied(), spawned, at(now));
            let mut sheet = self.ledger.sheet();
            self.findings.tell(&mut sheet, at(now));
            sheet.finish()
        }

        /// Open, begun, and the oldest one's age.
        fn stalls(&mut self, stalls: Vec<Stall>, now: u64) -> [f64; 3] {
            let page = self.page(stalls, &[], now);
            let labels = &["stalled-worker", "critical"];
            let value = |metric, labels| page.value(metric, labels).unwrap();
            [
                value(Metric::Findings, labels),
                value(Metric::FindingsBegun, labels),
                value(Metric::FindingAge, &labels[..1]),
            ]
        }
    }

    #[test]
    fn a_stall_is_one_finding_for_as_long_as_it_lasts() {
        let mut told = Told::new();
        assert_eq!(told.stalls(Vec::new(), 0), [0.0, 0.0, 0.0], "from the first scrape on");
        assert_eq!(told.stalls(vec![stall(2, 1_000, None)], 3_000), [1.0, 1.0, 2.0]);
        assert_eq!(told.stalls(Vec::new(), 30_000), [1.0, 1.0, 29.0]);
        assert_eq!(told.stalls(vec![stall(2, 1_000, Some(30_500))], 31_000), [1.0, 1.0, 30.0], "it is news");
        assert_eq!(told.stalls(Vec::new(), 32_000), [0.0, 1.0, 0.0]);
    }

    #[test]
    fn what_came_and_went_between_two_scrapes_is_counted() {
        let mut told = Told::new();
        assert_eq!(told.stalls(vec![stall(2, 1_000, Some(4_000))], 15_000), [0.0, 1.0, 0.0]);
        let both = vec![stall(4, 16_000, Some(17_000)), stall(6, 20_000, Some(21_000))];
        assert_eq!(told.stalls(both, 30_000), [0.0, 3.0, 0.0]);
    }

    #[test]
    fn stalls_of_one_place_that_follow_each_other_are_one_finding() {
        let mut told = Told::new();
        let one = vec![stall(2, 1_000, Some(2_000)), stall(4, 2_500, Some(3_000)), stall(6, 3_500, None)];
        assert_eq!(told.stalls(one, 4_000), [1.0, 1.0, 3.0]);
        // Tasks of which it is not known where they were spawned are findings of their own.
        assert_eq!(told.stalls(vec![stall(3, 4_000, None), stall(5, 4_000, None)], 5_000), [3.0, 3.0, 4.0]);
    }

    #[test]
    fn who_only_waits_for_a_processor_is_accused_of_nothing() {
        let mut told = Told::new();
        let starved = |on_cpu| Stall {
            cause: Some(Cause::Starved),
            on_cpu: Duration::from_millis(on_cpu),
            ..stall(2, 1_000, None)
        };
        assert_eq!(told.stalls(vec![starved(10)], 3_000), [0.0, 0.0, 0.0]);
        assert_eq!(told.stalls(vec![starved(200)], 4_000), [1.0, 1.0, 3.0]);
    }

    #[test]
    fn panics_of_one_place_within_a_minute_are_one_finding() {
        let mut told = Told::new();
        let panic = |at_second: u64| Panicked { task: 1, spawned_at: Some(HERE), at: at(at_second * 1_000) };
        let mut begun = |panics: &[Panicked], now: u64| {
            let page = told.page(Vec::new(), panics, now * 1_000);
            let labels = &["panicked", "warning"];
            (page.value(Metric::Findings, labels).unwrap(), page.value(Metric::FindingsBegun, labels).unwrap())
        };
        assert_eq!(begun(&[panic(1), panic(50)], 60), (1.0, 1.0));
        assert_eq!(begun(&[], 100), (1.0, 1.0));
        assert_eq!(begun(&[], 111), (0.0, 1.0));
        assert_eq!(begun(&[panic(120), panic(200)], 201), (1.0, 3.0));
    }
}
