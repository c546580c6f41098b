//! Where every task stands: whether the list shows it, and by which key. This is what a key press waits for when it changes the
//! order, so that a long list is gone through on several processors at once.

use super::{
    briefs::{Brief, Briefs, Room},
    sort_key::Ranking,
};
use crate::{
    app::{
        filter::{Filter, Memo},
        list::sorted::Entry,
    },
    diagnose::Engine,
    model::{Model, Slot, Stamp, TaskState},
};
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    thread,
};

/// So many slots are gone through at a time by whichever thread is free: one that gets no processor holds nobody up.
const PIECE: usize = 16 * Briefs::BATCH;

/// The most threads: from there on it is memory that they wait for.
const MOST_THREADS: usize = 4;

/// What an order is made from.
pub struct Source<'a> {
    /// The target.
    pub model: &'a Model,
    /// What is asked of its tasks.
    pub briefs: &'a Briefs,
    /// What stands against them.
    pub engine: &'a Engine,
    /// Which tasks to show.
    pub filter: &'a Filter,
}

/// Where a slot stands in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    /// Nowhere: there is no task in it, or the filter keeps it out.
    #[default]
    Out,
    Live,
    Ended,
}

/// What a survey fills: the room is used again.
pub(crate) struct Surveyed<'a> {
    /// By slot; those of slots that are out mean nothing.
    pub(crate) keys: &'a mut Vec<u64>,
    /// By slot.
    pub(crate) standings: &'a mut Vec<Standing>,
    /// Those to be shown, in the order of their slots.
    pub(crate) live: &'a mut Vec<Entry>,
    /// The same of those that have ended.
    pub(crate) ended: &'a mut Vec<Entry>,
}

/// Finds out where every task stands.
pub(crate) fn survey(ranking: &Ranking, source: &Source, now: Stamp, into: Surveyed) -> Memo {
    let slots = source.model.tasks().slots();
    let Surveyed { keys, standings, live, ended } = into;
    keys.resize(slots, 0);
    standings.clear();
    standings.resize(slots, Standing::Out);
    live.resize(slots, Entry::new(0, Slot::from_index(0)));
    ended.clear();
    let pieces = keys.chunks_mut(PIECE).zip(standings.chunks_mut(PIECE)).zip(live.chunks_mut(PIECE));
    let pieces = Mutex::new(pieces.enumerate().map(|(at, ((keys, standings), live))| {
        let first = at * PIECE;
        Piece { slots: first..first + keys.len(), keys, standings, live }
    }));
    let go_through = || {
        let mut memo = Memo::default();
        let mut found = Vec::new();
        loop {
            let piece = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(piece) = piece else { return (found, memo) };
            found.push(piece.go_through(ranking, source, now, &mut memo));
        }
    };
    let threads = match slots.div_ceil(PIECE) {
        0..=2 => 1,
        _ => thread::available_parallelism().map_or(1, Into::into).min(MOST_THREADS),
    };
    let (mut found, memo) = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(go_through)).collect();
        let (mut found, memo) = go_through();
        for other in others {
            // A panic there is a panic here.
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).0);
        }
        (found, memo)
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
    memo
}

/// Some of the slots.
struct Piece<'a> {
    slots: Range<usize>,
    keys: &'a mut [u64],
    standings: &'a mut [Standing],
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
    fn go_through(self, ranking: &Ranking, source: &Source, now: Stamp, memo: &mut Memo) -> Found {
        let Self { slots, keys, standings, live } = self;
        let first = slots.start;
        let mut found = Found { first, live: 0, ended: Vec::new() };
        let mut room: Room = [0; Briefs::BATCH];
        for batch in slots.step_by(Briefs::BATCH) {
            let Some(mut batch) = source.briefs.batch(batch, source.model, &mut room) else { break };
            source.filter.sift(source.engine, memo, &mut batch, now);
            ranking.keys(source.engine, &batch, now, |task, key| {
                let (slot, standing) = (task.slot(), standing(task));
                keys[slot.index() - first] = key;
                standings[slot.index() - first] = standing;
                let entry = Entry::new(key, slot);
                if standing == Standing::Ended {
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

/// Where a task stands that is shown.
#[inline]
fn standing(task: &Brief) -> Standing {
    if task.state() == TaskState::Ended { Standing::Ended } else { Standing::Live }
}

/// Where one task stands, and its key.
pub(crate) fn stand(ranking: &Ranking, source: &Source, memo: &mut Memo, task: &Brief, now: Stamp) -> (Standing, u64) {
    if !source.filter.matches(source.engine, memo, task, now) {
        return (Standing::Out, 0);
    }
    (standing(task), ranking.key(source.engine, task, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::tasks::columns::TaskColumn,
        diagnose::Settings,
        model::{
            Retention, TaskId,
            update::{PollStats, TaskStats, Update},
        },
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
        let (briefs, now) = (Briefs::of(&model), at(202));
        let cases = [
            (TaskColumn::Polls, "polls>300"),
            (TaskColumn::Rate, "-polls<100"),
            (TaskColumn::Load, "-77 kind:task"),
            (TaskColumn::Idle, ""),
            (TaskColumn::Location, "task -rate>400"),
        ];
        for (column, filter) in cases {
            let filter = filter.parse().expect("a filter");
            let source = Source { model: &model, briefs: &briefs, engine: &engine, filter: &filter };
            let (mut keys, mut standings, mut live, mut ended) = (vec![9; 3], vec![Standing::Live; 3], vec![], vec![]);
            let into = Surveyed { keys: &mut keys, standings: &mut standings, live: &mut live, ended: &mut ended };
            let ranking = Ranking::new(column, &model);
            survey(&ranking, &source, now, into);

            let mut memo = Memo::default();
            let expected: Vec<(Slot, Standing, u64)> = (0..model.tasks().slots())
                .filter_map(|index| briefs.at(Slot::from_index(index), &model))
                .map(|task| {
                    let (standing, key) = stand(&ranking, &source, &mut memo, &task, now);
                    (task.slot(), standing, key)
                })
                .collect();
            for (slot, standing, key) in &expected {
                assert_eq!(standings[slot.index()], *standing, "{column:?}");
                assert!(*standing == Standing::Out || keys[slot.index()] == *key, "{column:?}");
            }
            assert!(standings.contains(&Standing::Out) != filter.is_empty(), "{column:?}");
            assert!(expected.iter().filter(|row| row.2 > 0).count() > 1_000, "{column:?}");
            for (standing, shown) in [(Standing::Live, live), (Standing::Ended, ended)] {
                let of_this = expected.iter().filter(|row| row.1 == standing);
                let entries: Vec<Entry> = of_this.map(|&(slot, _, key)| Entry::new(key, slot)).collect();
                assert!(entries.len() > 1_000, "{column:?}");
                assert_eq!(shown, entries, "{column:?}");
            }
        }
    }
}
