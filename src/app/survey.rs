//! Where every task stands: whether the list shows it, and by which key. This is what a key press waits for when it changes the
//! order, so that a long list is gone through on several processors at once.

use super::{
    Flags,
    filter::{Filter, Memo},
    sorted::Entry,
    task_columns::TaskColumn,
};
use crate::model::{Model, Stamp, Task, TaskState};
use std::{ops::Range, thread};

/// So many slots are gone through by one thread before it is worth while to start another.
const ALONE: usize = 32_768;

/// The most threads: from there on it is memory that they wait for.
const MOST_THREADS: usize = 4;

/// What an order is made from.
pub struct Source<'a> {
    /// The target.
    pub model: &'a Model,
    /// What stands against its tasks.
    pub flags: &'a Flags,
    /// Which tasks to show.
    pub filter: &'a Filter,
}

/// Where a slot stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Nowhere: there is no task in it, or the filter keeps it out.
    #[default]
    Out,
    Live,
    Ended,
}

/// What a survey fills: the room is used again.
pub(super) struct Surveyed<'a> {
    /// By slot; those of slots that are out mean nothing.
    pub(super) keys: &'a mut Vec<u64>,
    /// By slot.
    pub(super) standings: &'a mut Vec<Standing>,
    /// Those to be shown, in the order of their slots.
    pub(super) live: &'a mut Vec<Entry>,
    /// The same of those that have ended.
    pub(super) ended: &'a mut Vec<Entry>,
}

/// Finds out where every task stands.
pub(super) fn survey(column: TaskColumn, source: &Source, now: Stamp, into: Surveyed) -> Memo {
    let slots = source.model.tasks().slots();
    let Surveyed { keys, standings, live, ended } = into;
    keys.resize(slots, 0);
    standings.clear();
    standings.resize(slots, Standing::Out);
    live.clear();
    ended.clear();
    let threads = match slots / ALONE {
        0 | 1 => 1,
        more => more.min(MOST_THREADS).min(thread::available_parallelism().map_or(1, Into::into)),
    };
    let each = slots.div_ceil(threads).max(1);
    let mut parts = keys.chunks_mut(each).zip(standings.chunks_mut(each)).enumerate().map(|(at, (keys, standings))| {
        let first = at * each;
        Part { slots: first..first + keys.len(), keys, standings }
    });
    let Some(own) = parts.next() else { return Memo::default() };
    thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| {
                scope.spawn(move || {
                    let (mut live, mut ended) = (Vec::with_capacity(part.slots.len()), Vec::new());
                    part.go_through(column, source, now, &mut live, &mut ended);
                    (live, ended)
                })
            })
            .collect();
        let memo = own.go_through(column, source, now, live, ended);
        for other in others {
            // A panic there is a panic here.
            let (more_live, more_ended) = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            live.extend_from_slice(&more_live);
            ended.extend_from_slice(&more_ended);
        }
        memo
    })
}

/// What one thread goes through.
struct Part<'a> {
    slots: Range<usize>,
    keys: &'a mut [u64],
    standings: &'a mut [Standing],
}

impl Part<'_> {
    fn go_through(
        self,
        column: TaskColumn,
        source: &Source,
        now: Stamp,
        live: &mut Vec<Entry>,
        ended: &mut Vec<Entry>,
    ) -> Memo {
        let Self { slots, keys, standings } = self;
        let first = slots.start;
        let mut memo = Memo::default();
        source.model.tasks().within(slots).for_each(|(slot, task)| {
            let (standing, key) = stand(column, source, &mut memo, task, now);
            keys[slot.index() - first] = key;
            standings[slot.index() - first] = standing;
            match standing {
                Standing::Out => {}
                Standing::Live => live.push(Entry::new(key, slot)),
                Standing::Ended => ended.push(Entry::new(key, slot)),
            }
        });
        memo
    }
}

/// Where one task stands.
pub(super) fn stand(column: TaskColumn, source: &Source, memo: &mut Memo, task: &Task, now: Stamp) -> (Standing, u64) {
    if !source.filter.matches(source.model, source.flags, memo, task, now) {
        return (Standing::Out, 0);
    }
    let standing = if task.state() == TaskState::Ended { Standing::Ended } else { Standing::Live };
    (standing, column.key(source.model, source.flags, task, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Retention, Slot, TaskId,
        update::{PollStats, TaskStats, Update},
    };
    use std::time::Duration;

    #[test]
    fn several_threads_find_what_one_would() {
        let mut model = Model::new(Retention::default());
        let at = |second: u64| Stamp::from_nanos(1_000_000_000 * (1_000 + second));
        let stats = |id: u64, dropped: Option<Stamp>| {
            let polls = PollStats { count: id * 7_919 % 1_000, ..PollStats::default() };
            (TaskId(id), TaskStats { created: Some(at(id % 100)), dropped, polls, ..TaskStats::default() })
        };
        let count = 2 * ALONE as u64 + 5_000;
        let all = (1..=count).map(|id| stats(id, None)).collect();
        model.apply(Update { now: Some(at(200)), task_stats: all, ..Update::default() });
        let ended = (1..=count).step_by(10).map(|id| stats(id, Some(at(201)))).collect();
        model.apply(Update { now: Some(at(201)), task_stats: ended, ..Update::default() });
        let (flags, filter) = (Flags::default(), "polls>300".parse().expect("a filter"));
        let source = Source { model: &model, flags: &flags, filter: &filter };
        let now = at(201).plus(Duration::from_secs(1));
        let (mut keys, mut standings, mut live, mut ended) = (vec![9; 3], vec![Standing::Live; 3], vec![], vec![]);
        let into = Surveyed { keys: &mut keys, standings: &mut standings, live: &mut live, ended: &mut ended };
        survey(TaskColumn::Polls, &source, now, into);

        let mut memo = Memo::default();
        let expected: Vec<(Slot, Standing, u64)> = model
            .tasks()
            .iter()
            .map(|(slot, task)| {
                let (standing, key) = stand(TaskColumn::Polls, &source, &mut memo, task, now);
                (slot, standing, key)
            })
            .collect();
        for (slot, standing, key) in &expected {
            assert_eq!(standings[slot.index()], *standing);
            assert!(*standing == Standing::Out || keys[slot.index()] == *key);
        }
        for (standing, shown) in [(Standing::Live, live), (Standing::Ended, ended)] {
            let of_this = expected.iter().filter(|row| row.1 == standing);
            let entries: Vec<Entry> = of_this.map(|&(slot, _, key)| Entry::new(key, slot)).collect();
            assert!(entries.len() > 1_000);
            assert_eq!(shown, entries);
        }
    }
}
