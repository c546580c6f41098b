//! What one client has yet to be told of one kind of row. It is bounded by what lives, not by how slow the client is: a row
//! that changes twice before it can be told is told once, as it is then.

use crate::view::Change;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// Ended rows that are kept for a client that is behind. Of those that it never heard of, older ones are then left out, and
/// counted.
const MOST_ENDED: usize = 50_000;

/// Rows by id; `V` is a row's view.
#[derive(Debug)]
pub(super) struct Backlog<V> {
    order: VecDeque<u64>,
    wanted: FxHashMap<u64, Wanted<V>>,
    announced: FxHashSet<u64>,
    /// Rows whose end was told, or left out, since the round before the last one: it may be told to us again, and is not news then.
    ended_lately: [FxHashSet<u64>; 2],
    ended: usize,
    missed: u64,
}

#[derive(Debug)]
enum Wanted<V> {
    /// To be read when it is told.
    Live,
    /// Its last state, which may not be there to be read any more.
    Ended(Box<V>),
    /// It has ended, and its last state is lost.
    Gone,
}

/// What is to be told of one row.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due<V> {
    /// For the first time.
    First(V),
    Again(V),
    /// It has ended, and more is not known.
    Gone(u64),
}

/// What the rows of one kind have in common.
pub(super) trait Row {
    fn id(&self) -> u64;
    fn has_ended(&self) -> bool;
}

impl<V: Row> Backlog<V> {
    pub(super) fn new() -> Self {
        Self {
            order: VecDeque::new(),
            wanted: FxHashMap::default(),
            announced: FxHashSet::default(),
            ended_lately: [FxHashSet::default(), FxHashSet::default()],
            ended: 0,
            missed: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.missed == 0
    }

    /// How many rows are to be told by now.
    pub(super) fn waiting(&self) -> usize {
        self.order.len()
    }

    /// Whether the client knows a row: it was told of it, and not of its end.
    pub(super) fn is_known(&self, id: u64) -> bool {
        self.announced.contains(&id)
    }

    /// Whether the end of a row was told, or left out, a short while ago.
    pub(super) fn has_ended_lately(&self, id: u64) -> bool {
        self.ended_lately.iter().any(|told| told.contains(&id))
    }

    /// A round of changes is over.
    pub(super) fn next_round(&mut self) {
        self.ended_lately.swap(0, 1);
        self.ended_lately[0].clear();
    }

    /// Notes a change.
    pub(super) fn change(&mut self, change: Change<V>) {
        match change {
            Change::Now(row) => self.want(row),
            Change::Gone(id) if self.has_ended_lately(id) => {}
            Change::Gone(id) => self.put(id, Wanted::Gone),
        }
    }

    /// Notes that a row is to be told, as it is when that happens.
    pub(super) fn want(&mut self, row: V) {
        let id = row.id();
        if self.has_ended_lately(id) {
            return;
        }
        if row.has_ended() {
            self.put(id, Wanted::Ended(Box::new(row)));
            self.ended += 1;
            if self.ended > MOST_ENDED {
                self.leave_out();
            }
        } else {
            self.put(id, Wanted::Live);
        }
    }

    fn put(&mut self, id: u64, wanted: Wanted<V>) {
        match self.wanted.insert(id, wanted) {
            None => self.order.push_back(id),
            Some(Wanted::Ended(_)) => self.ended -= 1,
            Some(Wanted::Live | Wanted::Gone) => {}
        }
    }

    /// Leaves out rows that have ended and were never told, the older half of them.
    fn leave_out(&mut self) {
        let (wanted, announced, [lately, _]) = (&mut self.wanted, &self.announced, &mut self.ended_lately);
        let mut left = MOST_ENDED / 2;
        let before = wanted.len();
        self.order.retain(|id| {
            let unheard = matches!(wanted.get(id), Some(Wanted::Ended(_))) && !announced.contains(id);
            if unheard && left > 0 {
                left -= 1;
                wanted.remove(id);
                lately.insert(*id);
                return false;
            }
            true
        });
        let out = before - wanted.len();
        self.ended -= out;
        self.missed += out as u64;
    }

    /// The same of the first `first` rows alone, however many of them turn out to be told.
    pub(super) fn take_first(&mut self, first: usize, read: impl Fn(u64) -> Option<V>) -> Vec<Due<V>> {
        let mut left = first;
        self.take_while(read, |_| {
            let goes_on = left > 0;
            left = left.saturating_sub(1);
            goes_on
        })
    }

    /// Takes up to `most` rows off, in the order in which they were first wanted; `read` reads a living one.
    pub(super) fn take(&mut self, most: usize, read: impl Fn(u64) -> Option<V>) -> Vec<Due<V>> {
        self.take_while(read, |told| told < most)
    }

    fn take_while(&mut self, read: impl Fn(u64) -> Option<V>, mut goes_on: impl FnMut(usize) -> bool) -> Vec<Due<V>> {
        let mut told = Vec::new();
        while goes_on(told.len()) {
            let Some(id) = self.order.pop_front() else { break };
            let row = match self.wanted.remove(&id) {
                Some(Wanted::Live) => read(id),
                Some(Wanted::Ended(row)) => {
                    self.ended -= 1;
                    Some(*row)
                }
                Some(Wanted::Gone) => {
                    if self.announced.remove(&id) {
                        told.push(Due::Gone(id));
                    } else {
                        self.missed += 1;
                    }
                    continue;
                }
                None => None,
            };
            // One that cannot be read any more has ended since, and a later change says so.
            let Some(row) = row else { continue };
            let first = if row.has_ended() {
                self.ended_lately[0].insert(id);
                !self.announced.remove(&id)
            } else {
                self.announced.insert(id)
            };
            told.push(if first { Due::First(row) } else { Due::Again(row) });
        }
        told
    }

    /// How many rows the client was not told of since it was asked for last.
    pub(super) fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Test {
        Live(u64),
        Ended(u64),
    }

    impl Row for Test {
        fn id(&self) -> u64 {
            match self {
                Self::Live(id) | Self::Ended(id) => *id,
            }
        }

        fn has_ended(&self) -> bool {
            matches!(self, Self::Ended(_))
        }
    }

    fn take(backlog: &mut Backlog<Test>, most: usize) -> Vec<Due<Test>> {
        backlog.take(most, |id| Some(Test::Live(id)))
    }

    #[test]
    fn a_row_is_first_once_and_told_once_however_often_it_changes() {
        let mut backlog = Backlog::new();
        for id in [7, 8, 7, 7] {
            backlog.want(Test::Live(id));
        }
        assert_eq!(take(&mut backlog, 10), [Due::First(Test::Live(7)), Due::First(Test::Live(8))]);
        assert!(backlog.is_empty());
        backlog.want(Test::Live(7));
        assert_eq!(take(&mut backlog, 10), [Due::Again(Test::Live(7))]);
    }

    #[test]
    fn pages_are_no_longer_than_asked_and_go_on_where_the_last_one_ended() {
        let mut backlog = Backlog::new();
        (1..=5).for_each(|id| backlog.want(Test::Live(id)));
        let sizes: Vec<usize> = std::iter::repeat_with(|| take(&mut backlog, 2).len()).take(4).collect();
        assert_eq!(sizes, [2, 2, 1, 0]);
    }

    #[test]
    fn the_end_of_a_row_is_told_with_its_last_state_and_forgotten() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        backlog.change(Change::Now(Test::Ended(1)));
        assert_eq!(take(&mut backlog, 9), [Due::First(Test::Ended(1))]);
        assert!(backlog.announced.is_empty());
    }

    #[test]
    fn an_end_that_nothing_else_is_known_of_is_told_of_rows_that_were_and_counted_of_others() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        take(&mut backlog, 9);
        backlog.change(Change::Gone(1));
        backlog.change(Change::Gone(2));
        assert_eq!(take(&mut backlog, 9), [Due::Gone(1)]);
        assert_eq!(backlog.take_missed(), 1);
        assert_eq!(backlog.take_missed(), 0);
    }

    #[test]
    fn what_is_kept_for_a_slow_client_is_bounded_and_what_is_left_out_is_counted() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        take(&mut backlog, 9);
        backlog.want(Test::Ended(1));
        let spawned = 3 * MOST_ENDED as u64;
        (2..2 + spawned).for_each(|id| backlog.want(Test::Ended(id)));
        assert!(backlog.wanted.len() <= MOST_ENDED + 1, "{}", backlog.wanted.len());
        let told = take(&mut backlog, usize::MAX);
        assert_eq!(told[0], Due::Again(Test::Ended(1)), "one that was told is not left out");
        assert_eq!(told.len() as u64 - 1 + backlog.take_missed(), spawned);
        assert_eq!(backlog.ended, 0);
    }

    #[test]
    fn an_end_that_was_told_is_not_told_again_when_the_next_round_has_it_too() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        // It has ended by the time that it is read.
        assert_eq!(backlog.take(9, |id| Some(Test::Ended(id))), [Due::First(Test::Ended(1))]);
        backlog.change(Change::Now(Test::Ended(1)));
        backlog.next_round();
        assert!(backlog.is_empty());
        backlog.next_round();
        assert!(backlog.ended_lately.iter().all(FxHashSet::is_empty));
    }

    #[test]
    fn a_row_that_cannot_be_read_any_more_is_passed_over() {
        let mut backlog: Backlog<Test> = Backlog::new();
        backlog.want(Test::Live(1));
        assert_eq!(backlog.take(9, |_| None), []);
        assert!(backlog.is_empty());
    }
}
