//! Which stalls are worth an alarm: those that last long enough, each once, and of one place one in a minute.

use super::alarm::{Alarm, AlarmKind, Stuck};
use crate::{
    clock::Nanos,
    read::changes,
    runtimes,
    stalls::record::Stall,
    standstills,
    text::{
        stalls::{cause, stack},
        words::task_of,
    },
    view::Location,
};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Between two alarms of one place.
const PAUSE: Duration = Duration::from_secs(60);

/// Places that are remembered.
const MOST_PLACES: usize = 256;

/// How much longer an alarm waits for a stack that is being captured.
const FOR_STACK: Duration = Duration::from_secs(2);

/// Workers that one alarm names.
const MOST_STUCK: usize = 8;

/// What there is at most one alarm of in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where the task was spawned that keeps a worker.
    Spawned(Option<&'static Location>),
    /// A whole runtime.
    Runtime(u64),
}

#[derive(Debug)]
struct Said {
    place: Place,
    at: Nanos,
    unsaid: u64,
}

/// What is to be told, and what has been.
#[derive(Debug)]
pub(super) struct Judge {
    after: Duration,
    /// Stalls that last, as last told, and those that ended since the look before.
    known: HashMap<u64, Stall>,
    /// Those of them that had their alarm, or were left out.
    told: HashSet<u64>,
    /// Runtimes all workers of which are stuck, and for which that was told.
    stuck: HashSet<u64>,
    said: Vec<Said>,
}

impl Judge {
    pub(super) fn new(after: Duration) -> Self {
        Self { after, known: HashMap::new(), told: HashSet::new(), stuck: HashSet::new(), said: Vec::new() }
    }

    /// Takes in what changed of the stalls: what is to be told now.
    pub(super) fn judge(&mut self, changed: Vec<Stall>, now: Nanos) -> Vec<Alarm> {
        self.judge_by(changed, now, runtimes::workers, |task| changes::task(task).and_then(|view| view.location))
    }

    /// The same, by how many workers a runtime has, and where a task was spawned.
    fn judge_by(
        &mut self,
        changed: Vec<Stall>,
        now: Nanos,
        workers: impl Fn(u64) -> Option<u32>,
        spawned: impl Fn(u64) -> Option<&'static Location>,
    ) -> Vec<Alarm> {
        self.known.extend(changed.into_iter().map(|stall| (stall.id, stall)));
        let mut alarms: Vec<Alarm> = self
            .all_stuck(now, &workers)
            .into_iter()
            .filter_map(|(runtime, of)| self.runtime(runtime, &of, now))
            .collect();
        let mut due: Vec<Stall> = self.known.values().filter(|stall| self.is_due(stall, now)).cloned().collect();
        due.sort_unstable_by_key(|stall| stall.id);
        for stall in due {
            self.told.insert(stall.id);
            if let Some(unsaid) = self.may_say(Place::Spawned(spawned(stall.task)), now) {
                alarms.push(alarm(AlarmKind::Stall, &[&stall], unsaid, now));
            }
        }
        self.known.retain(|_, stall| stall.ended_at.is_none());
        self.told.retain(|id| self.known.contains_key(id));
        alarms
    }

    /// Whether a stall has lasted long enough and had no alarm; one whose stack is under way waits for that a little.
    fn is_due(&self, stall: &Stall, now: Nanos) -> bool {
        !self.told.contains(&stall.id) && self.lasts(stall, now) && self.is_complete(stall, now)
    }

    fn lasts(&self, stall: &Stall, now: Nanos) -> bool {
        lasted(stall, now) >= self.after
    }

    fn is_complete(&self, stall: &Stall, now: Nanos) -> bool {
        stall.stack.is_some() || stall.ended_at.is_some() || lasted(stall, now) >= self.after + FOR_STACK
    }

    /// The runtimes all workers of which are in stalls that last long enough, with these.
    fn all_stuck(&mut self, now: Nanos, workers: impl Fn(u64) -> Option<u32>) -> Vec<(u64, Vec<u64>)> {
        let mut of_runtime: HashMap<u64, Vec<&Stall>> = HashMap::new();
        for stall in self.known.values().filter(|stall| stall.ended_at.is_none() && self.lasts(stall, now)) {
            of_runtime.entry(stall.runtime).or_default().push(stall);
        }
        of_runtime.retain(|runtime, stalls| {
            let stuck: HashSet<u32> = stalls.iter().map(|stall| stall.worker).collect();
            workers(*runtime).is_some_and(|count| count as usize == stuck.len())
        });
        self.stuck.retain(|runtime| of_runtime.contains_key(runtime));
        let complete = |stalls: &[&Stall]| stalls.iter().all(|stall| self.is_complete(stall, now));
        of_runtime
            .iter()
            .filter(|(runtime, stalls)| !self.stuck.contains(*runtime) && complete(stalls))
            .map(|(runtime, stalls)| (*runtime, stalls.iter().map(|stall| stall.id).collect()))
            .collect()
    }

    /// The alarm of a whole runtime, which speaks for the stalls that make it.
    fn runtime(&mut self, runtime: u64, stalls: &[u64], now: Nanos) -> Option<Alarm> {
        self.stuck.insert(runtime);
        self.told.extend(stalls);
        let unsaid = self.may_say(Place::Runtime(runtime), now)?;
        let mut of: Vec<&Stall> = stalls.iter().filter_map(|id| self.known.get(id)).collect();
        of.sort_unstable_by_key(|stall| stall.worker);
        Some(alarm(AlarmKind::AllWorkersStuck, &of, unsaid, now))
    }

    /// Whether something of a place may be said now, and then how much was not since the last time. What may not is counted.
    fn may_say(&mut self, place: Place, now: Nanos) -> Option<u64> {
        if let Some(said) = self.said.iter_mut().find(|said| said.place == place) {
            if now.since(said.at) < PAUSE {
                said.unsaid += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.unsaid));
        }
        if self.said.len() == MOST_PLACES {
            let oldest = self.said.iter().enumerate().min_by_key(|(_, said)| said.at).map_or(0, |(at, _)| at);
            self.said.swap_remove(oldest);
        }
        self.said.push(Said { place, at: now, unsaid: 0 });
        Some(0)
    }
}

/// How long a poll has lasted, or lasted, as long as the process did not stand still.
fn lasted(stall: &Stall, now: Nanos) -> Duration {
    standstills::lasted(stall.since, stall.ended_at.unwrap_or(now))
}

fn alarm(kind: AlarmKind, stalls: &[&Stall], unsaid: u64, now: Nanos) -> Alarm {
    let lasting = stalls.iter().map(|stall| lasted(stall, now));
    Alarm {
        kind,
        runtime: stalls.first().map_or_else(String::new, |stall| runtimes::label(stall.runtime)),
        // All of them have been stuck since the last one was.
        lasted: lasting.min().unwrap_or_default(),
        stuck: stalls.iter().take(MOST_STUCK).map(|stall| stuck(stall, now)).collect(),
        unsaid,
    }
}

fn stuck(stall: &Stall, now: Nanos) -> Stuck {
    Stuck {
        worker: stall.worker,
        thread: stall.thread.to_string(),
        task: task_of(stall.task),
        lasted: lasted(stall, now),
        is_over: stall.ended_at.is_some(),
        cause: cause(stall),
        stack: stack(stall.stack.as_deref(), "  "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Stack;
    use std::sync::Arc;

    const AFTER: Duration = Duration::from_secs(5);
    const HERE: &Location = &Location { file: "src/a.rs", line: 1, column: 1 };
    const THERE: &Location = &Location { file: "src/b.rs", line: 1, column: 1 };

    fn at(seconds: u64) -> Nanos {
        Nanos::from_raw(1 + seconds * 1_000_000_000).unwrap()
    }

    /// A stall that began then, of the task of the same number.
    fn stall(id: u64, worker: u32, since: u64) -> Stall {
        let stack = Some(Arc::new(Stack::none(at(since), "none here")));
        Stall { task: id, stack, ..Stall::of_worker(id, worker, at(since)) }
    }

    /// What is told of these on a runtime of three workers; tasks of even numbers are of one place, the others of another.
    fn told(judge: &mut Judge, changed: &[Stall], now: u64) -> Vec<(AlarmKind, Vec<u32>, u64)> {
        let spawned = |task: u64| Some(if task.is_multiple_of(2) { HERE } else { THERE });
        let alarms = judge.judge_by(changed.to_vec(), at(now), |_| Some(3), spawned);
        alarms
            .into_iter()
            .map(|alarm| (alarm.kind, alarm.stuck.iter().map(|stuck| stuck.worker).collect(), alarm.unsaid))
            .collect()
    }

    #[test]
    fn what_lasts_is_told_once() {
        let mut judge = Judge::new(AFTER);
        assert_eq!(told(&mut judge, &[stall(2, 0, 10)], 14), []);
        assert_eq!(told(&mut judge, &[stall(2, 0, 10)], 15), [(AlarmKind::Stall, vec![0], 0)]);
        assert_eq!(told(&mut judge, &[stall(2, 0, 10)], 100), []);
        let over = Stall { ended_at: Some(at(101)), ..stall(2, 0, 10) };
        assert_eq!(told(&mut judge, &[over], 102), []);
        assert!(judge.known.is_empty() && judge.told.is_empty());
    }

    #[test]
    fn what_was_over_before_anybody_looked_is_told_too_if_it_was_long() {
        let mut judge = Judge::new(AFTER);
        let over = |id, to| Stall { ended_at: Some(at(to)), ..stall(id, 0, 10) };
        assert_eq!(told(&mut judge, &[over(2, 14), over(3, 16)], 40), [(AlarmKind::Stall, vec![0], 0)]);
        assert!(judge.known.is_empty());
    }

    #[test]
    fn of_one_place_there_is_one_in_a_minute_and_the_others_are_counted() {
        let mut judge = Judge::new(AFTER);
        assert_eq!(told(&mut judge, &[stall(2, 0, 10)], 15).len(), 1);
        let over = |id, from, to| Stall { ended_at: Some(at(to)), ..stall(id, 0, from) };
        assert_eq!(told(&mut judge, &[over(2, 10, 16), over(4, 17, 30), over(6, 31, 40)], 41), []);
        assert_eq!(told(&mut judge, &[over(3, 42, 50)], 51), [(AlarmKind::Stall, vec![0], 0)], "another place");
        assert_eq!(told(&mut judge, &[over(8, 52, 76)], 76), [(AlarmKind::Stall, vec![0], 2)]);
    }

    #[test]
    fn a_stack_that_is_under_way_is_waited_for_and_not_for_long() {
        let mut judge = Judge::new(AFTER);
        let bare = Stall { stack: None, ..stall(2, 0, 10) };
        assert_eq!(told(&mut judge, std::slice::from_ref(&bare), 16), []);
        assert_eq!(told(&mut judge, &[bare], 17).len(), 1);
    }

    #[test]
    fn when_all_workers_are_stuck_that_is_told_and_stands_for_each() {
        let mut judge = Judge::new(AFTER);
        let all = [stall(2, 0, 10), stall(3, 1, 11), stall(5, 2, 12)];
        assert_eq!(told(&mut judge, &all[..2], 15), [(AlarmKind::Stall, vec![0], 0)]);
        assert_eq!(told(&mut judge, &all, 17), [(AlarmKind::AllWorkersStuck, vec![0, 1, 2], 0)]);
        assert_eq!(told(&mut judge, &all, 200), []);
        // One goes on, and is stuck again: that is another time.
        let over = Stall { ended_at: Some(at(201)), ..all[2].clone() };
        assert_eq!(told(&mut judge, &[over], 201), []);
        assert_eq!(told(&mut judge, &[stall(7, 2, 202)], 208), [(AlarmKind::AllWorkersStuck, vec![0, 1, 2], 0)]);
    }

    #[test]
    fn places_that_are_remembered_are_bounded() {
        let mut judge = Judge::new(AFTER);
        for runtime in 0..10_000 {
            assert_eq!(judge.may_say(Place::Runtime(runtime), at(runtime)), Some(0));
        }
        assert_eq!(judge.said.len(), MOST_PLACES);
        assert_eq!(judge.may_say(Place::Runtime(9_999), at(10_000)), None, "the latest are");
    }
}
