//! What one client has yet to be told of one kind of row. It is bounded by what lives, not by how slow the client is: a row
//! that changes twice before it can be told is told once, as it is then. The last states of what has ended are shared by all who wait for them,
//! and [cut](Backlog::cut) where they take too much. For a client that does not read at all nothing is kept but which rows it knows, and when it
//! reads again, it is told of everything: see [`Backlog::lapse`].

use crate::view::Change;
use rustc_hash::{FxHashMap, FxHashSet};
use std::{collections::VecDeque, sync::Arc};

/// What is behind a row's view, on average: names, attributes.
const BEHIND: usize = 128;

/// What a row that is to be told takes, beside its last state: its number twice, and a place in a table that has some room.
const LISTED: usize = 48;

/// Room that is not given back.
const LEAST: usize = 1024;

/// Rows by id; `V` is a row's view.
#[derive(Debug)]
pub(crate) struct Backlog<V> {
    order: VecDeque<u64>,
    wanted: FxHashMap<u64, Wanted<V>>,
    announced: FxHashSet<u64>,
    /// Rows whose end was told, or left out, since the round before the last one: it may be told to us again, and is not news then.
    ended_lately: [FxHashSet<u64>; 2],
    ended: usize,
    missed: u64,
    reader: Reader,
}

/// Whether the client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Reads,
    Lapsed,
}

#[derive(Debug)]
enum Wanted<V> {
    /// To be read when it is told.
    Live,
    /// Its last state, which may not be there to be read any more.
    Ended(Arc<V>),
    /// It has ended, and its last state is lost.
    Gone,
}

/// What has become of one row, for all who are to be told of it.
#[derive(Debug)]
pub(crate) enum News<V> {
    /// It is new, or has changed.
    Lives(u64),
    Ended(Arc<V>),
    /// It has ended, and its last state is lost.
    Gone(u64),
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
pub(crate) trait Row: Clone {
    fn id(&self) -> u64;
    fn has_ended(&self) -> bool;
}

impl<V: Row> From<Change<V>> for News<V> {
    fn from(change: Change<V>) -> Self {
        match change {
            Change::Now(row) if row.has_ended() => Self::Ended(Arc::new(row)),
            Change::Now(row) => Self::Lives(row.id()),
            Change::Gone(id) => Self::Gone(id),
        }
    }
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
            reader: Reader::Reads,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.missed == 0
    }

    /// How many rows are to be told by now.
    pub(super) fn waiting(&self) -> usize {
        self.order.len()
    }

    /// Bytes of last states that are kept, as if they were kept for this client alone.
    pub(super) fn kept(&self) -> usize {
        self.ended * (size_of::<V>() + BEHIND)
    }

    /// Bytes of the list of rows that are to be told.
    pub(super) fn listed(&self) -> usize {
        self.order.len() * LISTED
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

    /// Notes that a row is to be told, as it is when that happens.
    pub(super) fn want(&mut self, row: V) {
        self.note(&Change::Now(row).into());
    }

    /// Notes what has become of a row.
    pub(super) fn note(&mut self, news: &News<V>) {
        let (id, wanted) = match news {
            News::Lives(id) => (*id, Wanted::Live),
            News::Ended(row) => (row.id(), Wanted::Ended(Arc::clone(row))),
            News::Gone(id) => (*id, Wanted::Gone),
        };
        if self.has_ended_lately(id) {
            return;
        }
        if self.reader == Reader::Lapsed {
            // Of those that it knows it is told when it reads again.
            self.missed += u64::from(!matches!(wanted, Wanted::Live) && !self.announced.contains(&id));
            return;
        }
        self.put(id, wanted);
    }

    fn put(&mut self, id: u64, wanted: Wanted<V>) {
        self.ended += usize::from(matches!(wanted, Wanted::Ended(_)));
        match self.wanted.insert(id, wanted) {
            None => self.order.push_back(id),
            Some(Wanted::Ended(_)) => self.ended -= 1,
            Some(Wanted::Live | Wanted::Gone) => {}
        }
    }

    /// Lets go of all last states. Rows that have ended and were never told are left out, and counted; of those that were, the client is told that
    /// they are gone.
    pub(super) fn cut(&mut self) {
        let Self { order, wanted, announced, ended_lately: [lately, _], missed, .. } = self;
        order.retain(|id| {
            let Some(state) = wanted.get_mut(id).filter(|state| matches!(state, Wanted::Ended(_))) else { return true };
            if announced.contains(id) {
                *state = Wanted::Gone;
                return true;
            }
            wanted.remove(id);
            lately.insert(*id);
            *missed += 1;
            false
        });
        self.ended = 0;
        self.shrink();
    }

    /// The client does not read: from now on nothing is kept for it but which rows it knows. What it will not be told is counted.
    pub(super) fn lapse(&mut self) {
        self.reader = Reader::Lapsed;
        let over = self.wanted.iter().filter(|(_, state)| !matches!(state, Wanted::Live)).map(|(id, _)| id);
        self.missed += over.filter(|id| !self.announced.contains(id)).count() as u64;
        (self.order, self.wanted, self.ended) = (VecDeque::new(), FxHashMap::default(), 0);
        self.announced.shrink_to_fit();
    }

    /// The client reads again: it is to be told of everything, of what it does not know first, so that also one that reads little gets on. `all` tells of every
    /// row that is kept.
    pub(super) fn resume(&mut self, all: impl FnOnce(&mut dyn FnMut(V))) {
        self.reader = Reader::Reads;
        let mut unheard = self.announced.clone();
        let mut known = Vec::new();
        all(&mut |row| {
            let is_known = unheard.remove(&row.id());
            match (is_known, row.has_ended()) {
                (true, _) => known.push(row),
                (false, false) => self.want(row),
                // It was counted, or there is still to come that it has ended.
                (false, true) => {}
            }
        });
        for row in known {
            self.want(row);
        }
        for id in unheard {
            self.put(id, Wanted::Gone);
        }
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
                    Some(Arc::unwrap_or_clone(row))
                }
                Some(Wanted::Gone) => {
                    self.ended_lately[0].insert(id);
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
        if self.order.is_empty() {
            self.shrink();
        }
        told
    }

    /// Gives back what is not used, after there was much.
    fn shrink(&mut self) {
        self.order.shrink_to(LEAST);
        self.wanted.shrink_to(LEAST);
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
        backlog.want(Test::Ended(1));
        assert_eq!(take(&mut backlog, 9), [Due::First(Test::Ended(1))]);
        assert!(backlog.announced.is_empty());
    }

    #[test]
    fn an_end_that_nothing_else_is_known_of_is_told_of_rows_that_were_and_counted_of_others() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        take(&mut backlog, 9);
        backlog.note(&News::Gone(1));
        backlog.note(&News::Gone(2));
        assert_eq!(take(&mut backlog, 9), [Due::Gone(1)]);
        assert_eq!(backlog.take_missed(), 1);
        assert_eq!(backlog.take_missed(), 0);
    }

    #[test]
    fn what_is_cut_is_told_as_gone_where_it_was_told_and_counted_where_it_was_not() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        take(&mut backlog, 9);
        backlog.want(Test::Ended(1));
        let spawned = 3_000;
        (2..2 + spawned).for_each(|id| backlog.want(Test::Ended(id)));
        backlog.want(Test::Live(9_999));
        assert!(backlog.kept() > 3_000 * size_of::<Test>());
        backlog.cut();
        assert_eq!((backlog.kept(), backlog.waiting()), (0, 2));
        assert!(backlog.wanted.capacity() <= 2 * LEAST, "{}", backlog.wanted.capacity());
        assert_eq!(take(&mut backlog, usize::MAX), [Due::Gone(1), Due::First(Test::Live(9_999))]);
        assert_eq!(backlog.take_missed(), spawned);
    }

    #[test]
    fn for_one_that_does_not_read_nothing_is_kept_and_then_it_is_told_of_everything() {
        let mut backlog = Backlog::new();
        for id in 1..=4 {
            backlog.want(Test::Live(id));
        }
        take(&mut backlog, 9);
        backlog.want(Test::Ended(100));
        backlog.lapse();
        assert!(backlog.order.capacity() == 0 && backlog.wanted.capacity() == 0);
        // 2 and 3 end, and so does one that it never heard of; another one begins.
        for news in [News::Gone(2), News::Lives(1), News::Lives(5), News::Gone(101)] {
            backlog.note(&news);
        }
        backlog.want(Test::Ended(3));
        backlog.want(Test::Ended(102));
        assert_eq!(backlog.waiting(), 0);
        let kept = [Test::Live(1), Test::Ended(3), Test::Live(4), Test::Live(5), Test::Ended(102), Test::Ended(103)];
        backlog.resume(|each| kept.into_iter().for_each(each));
        // The end of this one was still to be told.
        backlog.want(Test::Ended(103));
        let told = take(&mut backlog, usize::MAX);
        assert_eq!(told[0], Due::First(Test::Live(5)), "what it does not know comes first");
        let again = [Due::Again(Test::Live(1)), Due::Again(Test::Ended(3)), Due::Again(Test::Live(4))];
        assert_eq!(told[1..4], again);
        assert_eq!(told[4..], [Due::Gone(2), Due::First(Test::Ended(103))]);
        assert_eq!(backlog.take_missed(), 3, "100, 101 and 102");
    }

    #[test]
    fn an_end_that_was_told_is_not_told_again_when_the_next_round_has_it_too() {
        let mut backlog = Backlog::new();
        backlog.want(Test::Live(1));
        // It has ended by the time that it is read.
        assert_eq!(backlog.take(9, |id| Some(Test::Ended(id))), [Due::First(Test::Ended(1))]);
        backlog.want(Test::Ended(1));
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
