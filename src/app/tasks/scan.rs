//! Which tasks the list shows, in which part of it, and by which keys. This is what a key press waits for when it changes the
//! order, so that a long list is gone through on several processors at once.

use super::sort_key::SortKeys;
use crate::{
    app::{
        filter::{Cache, Cx, Filter},
        list::sorted::Entry,
    },
    diagnose::Engine,
    model::{Model, Room, Slot, Task, Tasks},
    update::Stamp,
};
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    thread,
};

/// So many slots are gone through at a time by whichever thread is free: one that gets no processor holds nobody up.
const PIECE: usize = 32 * Tasks::BATCH;

/// The most threads: from there on it is cachery that they wait for.
const MOST_THREADS: usize = 4;

/// What an order is made from.
pub struct Source<'a> {
    /// The target.
    pub model: &'a Model,
    /// What stands against them.
    pub engine: &'a Engine,
    /// Which tasks to show.
    pub filter: &'a Filter,
}

impl<'a> Source<'a> {
    pub(super) fn cx(&self, now: Stamp) -> Cx<'a> {
        Cx { model: self.model, engine: self.engine, now }
    }
}

/// In which part of the list a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Section {
    /// In none: there is no task in it, or the filter keeps it out.
    #[default]
    Hidden,
    Live,
    Ended,
}

/// What a scan fills: the room is used again.
pub(crate) struct Scanned<'a> {
    /// By slot; those of slots that are hidden mean nothing.
    pub(crate) keys: &'a mut Vec<u64>,
    /// By slot.
    pub(crate) sections: &'a mut Vec<Section>,
    /// Those to be shown, in the order of their slots.
    pub(crate) live: &'a mut Vec<Entry>,
    /// The same of those that have ended.
    pub(crate) ended: &'a mut Vec<Entry>,
}

/// Finds out where every task stands.
pub(crate) fn scan(keys_of: &SortKeys, source: &Source, now: Stamp, into: Scanned) -> Cache {
    let slots = source.model.tasks().slots();
    let Scanned { keys, sections, live, ended } = into;
    keys.resize(slots, 0);
    sections.clear();
    sections.resize(slots, Section::Hidden);
    live.resize(slots, Entry::new(0, Slot::from_index(0)));
    ended.clear();
    let pieces = keys.chunks_mut(PIECE).zip(sections.chunks_mut(PIECE)).zip(live.chunks_mut(PIECE));
    let pieces = Mutex::new(pieces.enumerate().map(|(at, ((keys, sections), live))| {
        let first = at * PIECE;
        Piece { slots: first..first + keys.len(), keys, sections, live }
    }));
    let go_through = || {
        let mut cache = Cache::default();
        let mut found = Vec::new();
        loop {
            let piece = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(piece) = piece else { return (found, cache) };
            found.push(piece.go_through(keys_of, source, now, &mut cache));
        }
    };
    let threads = match slots.div_ceil(PIECE) {
        0..=2 => 1,
        _ => thread::available_parallelism().map_or(1, Into::into).min(MOST_THREADS),
    };
    let (mut found, cache) = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(go_through)).collect();
        let (mut found, cache) = go_through();
        for other in others {
            // A panic there is a panic here.
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).0);
        }
        (found, cache)
    });
    found.sort_unstable_by_key(|found| found.first);
    let mut end = 0;
    for found in found {
        if found.first > end {
            live.copy_within(found.first..found.first + found.live, end);
        }
        end += found.live;
        ended.extend(found.ended);
    }
    live.truncate(end);
    cache
}

/// Some of the slots.
struct Piece<'a> {
    slots: Range<usize>,
    keys: &'a mut [u64],
    sections: &'a mut [Section],
    live: &'a mut [Entry],
}

/// What is shown of a piece.
struct Found {
    first: usize,
    /// How many entries stand at the front of the piece's room.
    live: usize,
    ended: Vec<Entry>,
}

impl Piece<'_> {
    fn go_through(self, keys_of: &SortKeys, source: &Source, now: Stamp, cache: &mut Cache) -> Found {
        let Self { slots, keys, sections, live } = self;
        let (first, cx) = (slots.start, source.cx(now));
        let mut found = Found { first, live: 0, ended: Vec::new() };
        let mut room: Room = [0; Tasks::BATCH];
        for batch in slots.step_by(Tasks::BATCH) {
            let Some(mut batch) = source.model.tasks().batch(batch, &mut room) else { break };
            source.filter.retain(&cx, cache, &mut batch);
            keys_of.keys(&cx, &batch, |task, key| {
                let (slot, section) = (task.slot(), section(task));
                keys[slot.index() - first] = key;
                sections[slot.index() - first] = section;
                let entry = Entry::new(key, slot);
                if section == Section::Ended {
                    found.ended.push(entry);
                } else {
                    live[found.live] = entry;
                    found.live += 1;
                }
            });
        }
        found
    }
}

/// The part of the list that a task is in which is shown.
#[inline]
fn section(task: &Task) -> Section {
    if task.has_ended() { Section::Ended } else { Section::Live }
}

/// The part of the list that one task is in, and its key.
pub(crate) fn place(keys_of: &SortKeys, filter: &Filter, cx: &Cx, cache: &mut Cache, task: &Task) -> (Section, u64) {
    if !filter.matches(cx, cache, task) {
        return (Section::Hidden, 0);
    }
    (section(task), keys_of.key(cx, task))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::tasks::columns::TaskColumn,
        diagnose::Settings,
        model::Retention,
        update::{PollStats, TaskId, TaskStats, Update},
    };
    use std::time::Duration;

    fn at(second: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000 * (1_000 + second))
    }

    fn stats(id: u64, polls: u64, dropped: Option<Stamp>) -> (TaskId, TaskStats) {
        let busy = Duration::from_micros(polls * 50);
        let polls = PollStats { count: polls, last_ended: Some(at(1)), busy, ..PollStats::default() };
        (TaskId(id), TaskStats { created: Some(at(id % 100)), dropped, polls, ..TaskStats::default() })
    }

    /// A tenth has ended, a tenth was polled of late, and the others were polled once upon a time.
    fn model() -> Model {
        let mut model = Model::new(Retention::default());
        let count = 4 * PIECE as u64 + 5_000;
        let before = |id: u64| id * 7_919 % 1_000;
        let all = (1..=count).map(|id| stats(id, before(id), None)).collect();
        model.apply(Update { now: Some(at(200)), task_stats: all, ..Update::default() });
        let ended = (1..=count).step_by(10).map(|id| stats(id, before(id), Some(at(201))));
        let polled = (5..=count).step_by(10).map(|id| stats(id, before(id) + id % 700, None));
        model.apply(Update { now: Some(at(201)), task_stats: ended.chain(polled).collect(), ..Update::default() });
        model
    }

    #[test]
    fn many_tasks_asked_together_by_several_threads_say_what_each_would_alone() {
        let (model, engine) = (model(), Engine::new(&Settings::default()));
        let now = at(202);
        let cases = [
            (TaskColumn::Polls, "polls>300"),
            (TaskColumn::Rate, "-polls<100"),
            (TaskColumn::Load, "-77 kind:task"),
            (TaskColumn::Idle, ""),
            (TaskColumn::Location, "task -rate>400"),
        ];
        for (column, filter) in cases {
            let filter = filter.parse().expect("a filter");
            let source = Source { model: &model, engine: &engine, filter: &filter };
            let (mut keys, mut sections, mut live, mut ended) = (vec![9; 3], vec![Section::Live; 3], vec![], vec![]);
            let into = Scanned { keys: &mut keys, sections: &mut sections, live: &mut live, ended: &mut ended };
            let keys_of = SortKeys::new(column, &model);
            scan(&keys_of, &source, now, into);

            let (mut cache, cx) = (Cache::default(), source.cx(now));
            let expected: Vec<(Slot, Section, u64)> = (0..model.tasks().slots())
                .filter_map(|index| model.tasks().at(Slot::from_index(index)))
                .map(|task| {
                    let (section, key) = place(&keys_of, &filter, &cx, &mut cache, &task);
                    (task.slot(), section, key)
                })
                .collect();
            for (slot, section, key) in &expected {
                assert_eq!(sections[slot.index()], *section, "{column:?}");
                assert!(*section == Section::Hidden || keys[slot.index()] == *key, "{column:?}");
            }
            assert!(sections.contains(&Section::Hidden) != filter.is_empty(), "{column:?}");
            assert!(expected.iter().filter(|row| row.2 > 0).count() > 1_000, "{column:?}");
            for (section, shown) in [(Section::Live, live), (Section::Ended, ended)] {
                let of_this = expected.iter().filter(|row| row.1 == section);
                let entries: Vec<Entry> = of_this.map(|&(slot, _, key)| Entry::new(key, slot)).collect();
                assert!(entries.len() > 1_000, "{column:?}");
                assert_eq!(shown, entries, "{column:?}");
            }
        }
    }
}
