//! A list in the order in which things were put in, each found and taken out by its key at a cost that does not grow with how many there
//! are. Short ones, and nearly all are, are gone through, and keep no table.

use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Lists that were ever longer than this have a table.
const SHORT: usize = 16;

/// Rows are counted for as long as the list exists: a row's number stays, whatever is taken out before it.
#[derive(Debug)]
pub(crate) struct Keyed<T> {
    /// A row that was taken out of the middle leaves a gap, until it is the first or there are more gaps than rows.
    rows: VecDeque<Option<Row<T>>>,
    /// The number of the first.
    first: u64,
    live: usize,
    /// The latest row of each key.
    table: FxHashMap<u64, u64>,
}

#[derive(Debug)]
struct Row<T> {
    key: u64,
    /// The row before it that has the same key, if it is there still.
    older: Option<u64>,
    value: T,
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self { rows: VecDeque::new(), first: 0, live: 0, table: FxHashMap::default() }
    }
}

impl<T> Keyed<T> {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().flatten().map(|row| &row.value)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().flatten().map(|row| &mut row.value)
    }

    /// The one that was put in before all others.
    pub(crate) fn front(&self) -> Option<&T> {
        // A gap is never the first.
        self.rows.front()?.as_ref().map(|row| &row.value)
    }

    pub(crate) fn push(&mut self, key: u64, value: T) {
        let number = self.first + self.rows.len() as u64;
        let mut older = None;
        if !self.table.is_empty() || self.live >= SHORT {
            if self.table.is_empty() {
                self.index();
            }
            older = self.table.insert(key, number);
        }
        self.rows.push_back(Some(Row { key, older, value }));
        self.live += 1;
    }

    /// The latest one with this key of which this holds.
    pub(crate) fn find(&mut self, key: u64, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let at = self.place(key, is_it)?;
        self.rows.get_mut(at)?.as_mut().map(|row| &mut row.value)
    }

    /// Takes it out.
    pub(crate) fn take(&mut self, key: u64, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.place(key, is_it)?;
        let row = self.rows.get_mut(at)?.take()?;
        self.live -= 1;
        self.leave_out(self.first + at as u64, &row);
        self.close_gaps();
        Some(row.value)
    }

    /// Takes all out, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> {
        self.first += self.rows.len() as u64;
        self.live = 0;
        self.table.clear();
        self.rows.drain(..).flatten().map(|row| row.value)
    }

    fn place(&self, key: u64, is_it: impl Fn(&T) -> bool) -> Option<usize> {
        let is_one = |row: &Row<T>| row.key == key && is_it(&row.value);
        if self.table.is_empty() {
            return self.rows.iter().rposition(|row| row.as_ref().is_some_and(is_one));
        }
        let mut number = *self.table.get(&key)?;
        loop {
            let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
            let row = self.rows.get(at)?.as_ref()?;
            if is_one(row) {
                return Some(at);
            }
            number = row.older?;
        }
    }

    /// No row leads to this one any more.
    fn leave_out(&mut self, number: u64, row: &Row<T>) {
        let Some(latest) = self.table.get(&row.key).copied() else { return };
        if latest == number {
            match row.older {
                Some(older) => drop(self.table.insert(row.key, older)),
                None => drop(self.table.remove(&row.key)),
            }
            return;
        }
        let mut at = latest;
        while let Some(later) = self.row_mut(at) {
            match later.older {
                Some(older) if older == number => {
                    later.older = row.older;
                    return;
                }
                Some(older) => at = older,
                None => return,
            }
        }
    }

    fn row_mut(&mut self, number: u64) -> Option<&mut Row<T>> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.rows.get_mut(at)?.as_mut()
    }

    fn close_gaps(&mut self) {
        while let Some(None) = self.rows.front() {
            self.rows.pop_front();
            self.first += 1;
        }
        if self.rows.len() > 2 * self.live + SHORT {
            let had_table = !self.table.is_empty();
            self.rows.retain(Option::is_some);
            if had_table {
                self.index();
            }
        }
    }

    /// Makes the table anew.
    fn index(&mut self) {
        self.table.clear();
        for (number, row) in (self.first..).zip(&mut self.rows) {
            if let Some(row) = row {
                row.older = self.table.insert(row.key, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(u64, u8),
        Take(u64, Option<u8>),
        Drain,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..40_u64, any::<u8>()).prop_map(|(key, value)| Step::Push(key, value)),
            6 => (0..40_u64, proptest::option::of(any::<u8>())).prop_map(|(key, value)| Step::Take(key, value)),
            1 => Just(Step::Drain),
        ]
    }

    proptest! {
        /// It is a vector that is searched from its end.
        #[test]
        fn it_is_a_list(steps in proptest::collection::vec(step(), 0..300)) {
            let (mut keyed, mut list): (Keyed<u8>, Vec<(u64, u8)>) = (Keyed::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Push(key, value) => {
                        keyed.push(key, value);
                        list.push((key, value));
                    }
                    Step::Take(key, wanted) => {
                        let is_it = |value: &u8| wanted.is_none_or(|wanted| *value >= wanted);
                        prop_assert_eq!(keyed.find(key, is_it).copied(), list.iter().rfind(|it| it.0 == key && is_it(&it.1)).map(|it| it.1));
                        let at = list.iter().rposition(|it| it.0 == key && is_it(&it.1));
                        prop_assert_eq!(keyed.take(key, is_it), at.map(|at| list.remove(at).1));
                    }
                    Step::Drain => prop_assert_eq!(keyed.drain().collect::<Vec<_>>(), list.drain(..).map(|it| it.1).collect::<Vec<_>>()),
                }
                prop_assert_eq!(keyed.iter().copied().collect::<Vec<_>>(), list.iter().map(|it| it.1).collect::<Vec<_>>());
                prop_assert_eq!(keyed.front().copied(), list.first().map(|it| it.1));
                prop_assert_eq!((keyed.len(), keyed.is_empty()), (list.len(), list.is_empty()));
            }
        }
    }
}
