//! The workers of runtimes: what each is doing, its rates, and how busy it was second by second.

use super::{Agent, tasks::Rate};
use crate::update::{Stamp, TaskId, WorkerId, WorkerStats, nanos};
use rustc_hash::FxHashMap;
use std::{collections::VecDeque, time::Duration};

/// How many seconds a [`Lane`] remembers.
pub const LANE_SECONDS: usize = 60;

const SECOND: u64 = 1_000_000_000;

/// A total may be read a moment after the instant that it is told for, and then says more than can have been spent up to there: the
/// rest belongs to what comes next. More than this is no matter of a moment.
const OWED: Duration = Duration::from_secs(1);

/// One worker.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Worker {
    /// As last told.
    pub stats: WorkerStats,
    /// Polls per second.
    pub polls: Rate,
    /// Tasks taken from other workers, per second.
    pub steals: Rate,
    /// Times that it went to sleep, per second.
    pub parks: Rate,
    /// How busy it was.
    pub lane: Lane,
    /// How much of the time its thread waited for a processor, where that is told.
    pub cpu_wait: Option<Lane>,
    /// Since when it was seen in one poll, from one look at memory to the next.
    polling_seen: Option<Stamp>,
    /// How long a turn of its loop took of late, on average, as looks at memory tell.
    pub turn: Option<Duration>,
    /// Where its turns stood that this is counted from.
    turned: Option<(u64, Stamp)>,
}

/// Turns are counted over no less: looks may come in quick succession.
const TURNS_LEAST: Duration = Duration::from_millis(400);

impl Worker {
    /// A worker that is told for the first time: what it did before is history, not a rate.
    pub(super) fn new(stats: WorkerStats, now: Stamp) -> Self {
        let rate = |count| {
            let mut rate = Rate::new(now);
            rate.start(count, now);
            rate
        };
        Self {
            polls: rate(stats.polls),
            steals: rate(stats.steals),
            parks: rate(stats.parks),
            lane: Lane::new(stats.busy, now),
            cpu_wait: stats.cpu_wait.map(|waited| Lane::new(waited, now)),
            polling_seen: stats.tick.and(stats.polling).map(|_| now),
            turn: None,
            turned: stats.tick.map(|tick| (tick, now)),
            stats,
        }
    }

    /// Takes in what is told at `now`.
    pub(super) fn tell(&mut self, mut stats: WorkerStats, now: Stamp) {
        let same = (stats.polling, stats.tick) == (self.stats.polling, self.stats.tick);
        if stats.tick.is_some() && stats.polling.is_some() {
            // Seen once, nobody knows since when.
            let seen = self.polling_seen.filter(|_| same);
            stats.polling_since = seen;
            self.polling_seen = seen.or(Some(now));
        }
        self.count_turns(stats.tick, now);
        self.polls.observe(stats.polls, now);
        self.steals.observe(stats.steals, now);
        self.parks.observe(stats.parks, now);
        self.lane.observe(stats.busy, now);
        self.note_cpu_wait(&stats, now);
        self.stats = stats;
    }

    /// Takes in how long its thread has waited for a processor. Of a thread that was not this worker before, what it waited until
    /// now is not this worker's.
    fn note_cpu_wait(&mut self, stats: &WorkerStats, now: Stamp) {
        let Some(waited) = stats.cpu_wait else { return };
        let tid = |stats: &WorkerStats| stats.thread.as_ref().map(|thread| thread.tid);
        match &mut self.cpu_wait {
            Some(lane) if tid(stats) == tid(&self.stats) => lane.observe(waited, now),
            Some(lane) => lane.go_on_from(waited, now),
            none => *none = Some(Lane::new(waited, now)),
        }
    }

    fn count_turns(&mut self, tick: Option<u64>, now: Stamp) {
        let Some(tick) = tick else { return };
        let (before, at) = *self.turned.get_or_insert((tick, now));
        let span = now.since(at);
        if span >= TURNS_LEAST {
            // Tokio counts them in 32 bits.
            let turns = (tick as u32).wrapping_sub(before as u32).max(1);
            self.turn = Some(span / turns);
            self.turned = Some((tick, now));
        }
    }

    /// How long it has been in its present poll at `now`, if it is in one.
    pub fn polling_for(&self, now: Stamp) -> Option<Duration> {
        self.stats.polling?;
        self.stats.polling_since.map(|since| now.since(since))
    }
}

/// The share of each of the last [`LANE_SECONDS`] seconds that a worker was busy, or whatever else is told as a total, as far back
/// as we have watched.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Lane {
    /// Busy nanoseconds of each second, the newest last.
    seconds: VecDeque<u32>,
    /// The second, since the epoch, that the newest entry is for.
    newest: u64,
    /// When busy time was last told, and where it stood.
    at: Stamp,
    busy: Duration,
    /// When it was first told.
    since: Stamp,
}

impl Lane {
    /// No history.
    fn new(busy: Duration, now: Stamp) -> Self {
        Self { seconds: VecDeque::from([0]), newest: now.nanos() / SECOND, at: now, busy, since: now }
    }

    /// Takes in where busy time stands at `now`. It is spread evenly over the time since it was last told: nobody knows better,
    /// and it is told several times a second.
    fn observe(&mut self, busy: Duration, now: Stamp) {
        let span = now.since(self.at);
        if span.is_zero() {
            return;
        }
        let spent = nanos(busy.saturating_sub(self.busy)).min(nanos(span));
        let owed = busy.saturating_sub(self.busy.saturating_add(Duration::from_nanos(spent))).min(OWED);
        let share = spent as f64 / nanos(span) as f64;
        let second = now.nanos() / SECOND;
        if second.saturating_sub(self.newest) > LANE_SECONDS as u64 {
            self.seconds.clear();
            self.newest = second - LANE_SECONDS as u64;
        }
        while self.newest < second {
            self.seconds.push_back(0);
            self.newest += 1;
        }
        while self.seconds.len() > LANE_SECONDS {
            self.seconds.pop_front();
        }
        let mut to = now.nanos();
        for (at, entry) in self.seconds.iter_mut().rev().enumerate() {
            let from = (second - (at as u64).min(second)) * SECOND;
            let start = from.max(self.at.nanos());
            *entry = entry.saturating_add((to.saturating_sub(start) as f64 * share) as u32);
            if from <= self.at.nanos() {
                break;
            }
            to = from;
        }
        self.at = now;
        self.busy = self.busy.max(busy.saturating_sub(owed));
    }

    /// From now on another total is told, which stands there.
    fn go_on_from(&mut self, busy: Duration, now: Stamp) {
        self.busy = busy;
        self.at = self.at.max(now);
    }

    /// For how long it has been watched.
    pub(super) fn watched(&self) -> Duration {
        self.at.since(self.since)
    }

    /// The shares up to `now`, from 0 to 1, oldest first, one for each second that was watched at all; the newest one is of the
    /// second that is under way.
    pub fn shares(&self, now: Stamp) -> Vec<f32> {
        let second = now.nanos() / SECOND;
        let first = self.since.nanos() / SECOND;
        let oldest = second.saturating_sub(LANE_SECONDS as u64 - 1).max(first);
        (oldest..=second.max(oldest)).map(|at| self.share(at, now)).collect()
    }

    fn share(&self, second: u64, now: Stamp) -> f32 {
        let (busy, told) = self.told(second, now);
        if told == 0 { 0.0 } else { (busy as f64 / told as f64).min(1.0) as f32 }
    }

    /// How much of a second was busy, of how much of it was told, in nanoseconds.
    fn told(&self, second: u64, now: Stamp) -> (u64, u64) {
        let back = self.newest.checked_sub(second).and_then(|back| usize::try_from(back).ok());
        let busy = back.and_then(|back| self.seconds.len().checked_sub(back + 1)).and_then(|at| self.seconds.get(at));
        let from = (second * SECOND).max(self.since.nanos());
        let to = (second * SECOND).saturating_add(SECOND).min(now.nanos()).min(self.at.nanos());
        (busy.copied().unwrap_or(0).into(), to.saturating_sub(from))
    }

    /// The busy share of the last seconds, up to this many, from 0 to 1.
    pub fn recent(&self, seconds: u64) -> f64 {
        let second = self.at.nanos() / SECOND;
        let (mut busy, mut told) = (0, 0);
        for at in second.saturating_sub(seconds)..=second {
            let (more_busy, more_told) = self.told(at, self.at);
            busy += more_busy;
            told += more_told;
        }
        if told == 0 { 0.0 } else { (busy as f64 / told as f64).min(1.0) }
    }
}

impl Agent {
    /// The workers, by runtime and number.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// One worker.
    pub fn worker(&self, id: WorkerId) -> Option<&Worker> {
        let at = self.workers.binary_search_by_key(&id, |worker| worker.stats.id).ok()?;
        self.workers.get(at)
    }

    /// The worker that polls a task, if one does.
    pub fn worker_of(&self, task: TaskId) -> Option<&Worker> {
        self.workers.iter().find(|worker| worker.stats.polling == Some(task))
    }

    /// What a worker is called: its number, and its runtime's name where there is more than one runtime.
    pub fn worker_label(&self, id: WorkerId) -> String {
        match self.runtime(id.runtime) {
            Some(runtime) if self.runtimes.len() > 1 => format!("{}/{}", runtime.label(), id.index),
            _ => id.index.to_string(),
        }
    }

    pub(super) fn tell_workers(&mut self, told: Vec<WorkerStats>, now: Stamp) {
        let mut before: FxHashMap<WorkerId, Worker> =
            self.workers.drain(..).map(|worker| (worker.stats.id, worker)).collect();
        for stats in told {
            self.workers.push(match before.remove(&stats.id) {
                Some(mut worker) => {
                    worker.tell(stats, now);
                    worker
                }
                None => Worker::new(stats, now),
            });
        }
        self.workers.sort_by_key(|worker| worker.stats.id);
        self.workers.dedup_by_key(|worker| worker.stats.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Stamp {
        Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn rounded(shares: &[f32]) -> Vec<f32> {
        shares.iter().map(|share| (share * 100.0).round() / 100.0).collect()
    }

    #[test]
    fn busy_time_goes_to_the_seconds_in_which_it_was_spent() {
        let mut lane = Lane::new(ms(90_000), at(500));
        // Half busy for two seconds, then wholly for one.
        lane.observe(ms(91_000), at(2_500));
        lane.observe(ms(92_000), at(3_500));
        assert_eq!(rounded(&lane.shares(at(3_500))), [0.5, 0.5, 0.75, 1.0]);
        // A second of which nothing was told yet.
        assert_eq!(rounded(&lane.shares(at(4_200))), [0.5, 0.5, 0.75, 1.0, 0.0]);
    }

    #[test]
    fn a_minute_is_kept_and_silence_is_not_busy() {
        let mut lane = Lane::new(ms(0), at(0));
        for second in 1..=100 {
            lane.observe(ms(second * 1_000), at(second * 1_000));
        }
        assert_eq!(lane.shares(at(100_000)).len(), LANE_SECONDS);
        assert!(lane.shares(at(100_000)).iter().rev().skip(1).all(|share| *share > 0.99));
        // Told again after a long while: the time in between was idle.
        lane.observe(ms(100_000), at(1_000_000));
        assert!(lane.shares(at(1_000_000)).iter().all(|share| share.abs() < 0.01));
    }

    #[test]
    fn what_is_read_a_moment_late_is_not_lost() {
        // It is busy all the time, and of each report the total is read later than the instant that it is told for.
        let mut lane = Lane::new(ms(0), at(0));
        for (told, read) in [(500, 900), (1_000, 1_050), (1_500, 1_900), (2_000, 2_000)] {
            lane.observe(ms(read), at(told));
        }
        assert!((lane.recent(10) - 1.0).abs() < 0.001, "{}", lane.recent(10));
        // And nothing of it is left when it idles.
        lane.observe(ms(2_000), at(4_000));
        assert!((lane.recent(10) - 0.5).abs() < 0.001, "{}", lane.recent(10));
    }

    #[test]
    fn more_time_than_passed_or_a_clock_that_stands_is_no_share_over_one() {
        let mut lane = Lane::new(ms(0), at(0));
        lane.observe(ms(50_000), at(1_000));
        lane.observe(ms(60_000), at(1_000));
        lane.observe(ms(0), at(2_000));
        assert!(lane.shares(at(2_000)).iter().all(|share| (0.0..=1.0).contains(share)));
        assert!((lane.recent(10) - 0.5).abs() < 0.01, "{}", lane.recent(10));
        assert!((0.0..=1.0).contains(&lane.recent(0)));
    }
}
