//! The synthetic tasks, and what changes of them.

use crate::{
    locks,
    proto::{META, field, location, metadata},
};
use console_api::{
    MetaId, PollStats, RegisterMetadata,
    async_ops::AsyncOpUpdate,
    field::Value,
    instrument::Update,
    resources::ResourceUpdate,
    tasks::{Stats, Task, TaskUpdate, task},
};
use prost_types::Timestamp;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// Where synthetic tasks claim to be spawned.
const PLACES: [(&str, u32); 8] = [
    ("src/accept.rs", 41),
    ("src/connection.rs", 88),
    ("src/session.rs", 120),
    ("src/heartbeat.rs", 17),
    ("src/cache.rs", 204),
    ("src/writer.rs", 63),
    ("src/reader.rs", 59),
    ("src/report.rs", 311),
];

/// Bytes of an ordinary future, and of a large one.
const SIZES: (u64, u64) = (400, 4_000);

/// Which tasks have a large future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flagged {
    /// So many of a hundred.
    pub percent: f64,
    /// Where they are spawned: this many locations.
    pub places: u64,
}

impl Flagged {
    /// How many of the tasks up to this one are flagged: they are spread evenly, whatever the share.
    fn up_to(self, id: u64) -> u64 {
        (id as f64 * self.percent / 100.0) as u64
    }

    /// Which of the flagged tasks this is; `None` where it is not one of them.
    fn nth(self, id: u64) -> Option<u64> {
        let before = self.up_to(id.saturating_sub(1));
        (self.up_to(id) > before).then_some(before)
    }
}

/// The tasks of a synthetic target.
pub(crate) struct Tasks {
    flagged: Flagged,
    /// The first so many of `live` hold a lock each; they sleep, and go on to.
    holders: usize,
    live: Vec<(u64, Stats)>,
    next_id: u64,
    random: SmallRng,
}

impl Tasks {
    /// This many tasks, spawned over the last minute and idle.
    pub(crate) fn new(count: usize, flagged: Flagged, locks: usize) -> Self {
        let mut tasks = Self {
            flagged,
            holders: locks.min(count),
            live: Vec::with_capacity(count),
            next_id: 1,
            random: SmallRng::seed_from_u64(7),
        };
        let now = SystemTime::now();
        for _ in 0..count {
            let age = Duration::from_millis(tasks.random.random_range(0..60_000));
            tasks.spawn(now - age);
        }
        tasks
    }

    fn spawn(&mut self, at: SystemTime) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let polled = self.random.random_range(1..1_000);
        let busy = Duration::from_micros(polled * 30);
        let started = at + Duration::from_micros(50);
        let stats = Stats {
            created_at: Some(at.into()),
            wakes: polled,
            waker_clones: polled + 1,
            waker_drops: polled,
            last_wake: Some(at.into()),
            poll_stats: Some(PollStats {
                polls: polled,
                first_poll: Some(started.into()),
                last_poll_started: Some(started.into()),
                last_poll_ended: Some((started + Duration::from_micros(30)).into()),
                busy_time: busy.try_into().ok(),
            }),
            scheduled_time: Duration::from_micros(polled * 5).try_into().ok(),
            ..Stats::default()
        };
        self.live.push((id, stats));
        id
    }

    /// Everything, in updates of at most `page` tasks. Locks come with the last of them.
    pub(crate) fn first_state(&self, page: usize) -> impl Iterator<Item = Update> {
        let mut metadata = Some(metadata());
        let pages = self.live.len().div_ceil(page);
        self.live.chunks(page).enumerate().map(move |(at, tasks)| {
            let new_tasks = tasks.iter().map(|(id, _)| announce(*id, self.flagged)).collect();
            let stats_update = tasks.iter().copied().collect();
            let mut update = update(new_tasks, stats_update, metadata.take());
            if at + 1 == pages {
                let (resources, ops) = locks::held(&self.live[..self.holders]);
                (update.resource_update, update.async_op_update) = (Some(resources), Some(ops));
            }
            update
        })
    }

    /// What happened since the update before: `changed` tasks were polled, `churned` ended and as many started.
    pub(crate) fn next_update(&mut self, changed: usize, churned: usize) -> Update {
        let now = SystemTime::now();
        let mut stats_update = HashMap::with_capacity(changed + churned * 2);
        let awake = self.live.len() - self.holders;
        for _ in 0..changed.min(awake) {
            let index = self.random.random_range(self.holders..self.live.len());
            let took = Duration::from_micros(self.random.random_range(5..100));
            let (id, stats) = &mut self.live[index];
            poll(stats, now, took);
            stats_update.insert(*id, *stats);
        }
        let mut new_tasks = Vec::with_capacity(churned);
        for _ in 0..churned.min(awake) {
            let index = self.random.random_range(self.holders..self.live.len());
            let (id, mut stats) = self.live.swap_remove(index);
            stats.dropped_at = Some(now.into());
            stats_update.insert(id, stats);
            let id = self.spawn(now - Duration::from_millis(1));
            new_tasks.push(announce(id, self.flagged));
            if let Some((_, stats)) = self.live.last() {
                stats_update.insert(id, *stats);
            }
        }
        update(new_tasks, stats_update, None)
    }
}

fn poll(stats: &mut Stats, now: SystemTime, took: Duration) {
    stats.wakes += 1;
    stats.waker_clones += 1;
    stats.waker_drops += 1;
    let started = now - took;
    stats.last_wake = Some((started - Duration::from_micros(4)).into());
    let Some(polls) = &mut stats.poll_stats else { return };
    polls.polls += 1;
    polls.last_poll_started = Some(Timestamp::from(started));
    polls.last_poll_ended = Some(Timestamp::from(now));
    if let Some(busy) = &mut polls.busy_time {
        busy.nanos += took.subsec_nanos() as i32;
        busy.normalize();
    }
}

fn announce(id: u64, flagged: Flagged) -> Task {
    let (place, size) = if let Some(nth) = flagged.nth(id) {
        let place = nth % flagged.places.max(1);
        (location(&format!("src/large/{:02}.rs", place / 40), (place % 40) as u32 * 7 + 12), SIZES.1)
    } else {
        let (file, line) = PLACES[(id % PLACES.len() as u64) as usize];
        (location(file, line), SIZES.0)
    };
    Task {
        id: Some(id.into()),
        metadata: Some(MetaId { id: META }),
        kind: task::Kind::Spawn.into(),
        fields: vec![
            field("kind", Value::DebugVal("task".into())),
            field("task.name", Value::DebugVal(format!("worker-{}", id % 100))),
            field("task.id", Value::U64Val(id)),
            field("size.bytes", Value::U64Val(size)),
        ],
        parents: Vec::new(),
        location: Some(place),
    }
}

fn update(new_tasks: Vec<Task>, stats_update: HashMap<u64, Stats>, new_metadata: Option<RegisterMetadata>) -> Update {
    Update {
        now: Some(SystemTime::now().into()),
        task_update: Some(TaskUpdate { new_tasks, stats_update, dropped_events: 0 }),
        resource_update: Some(ResourceUpdate::default()),
        async_op_update: Some(AsyncOpUpdate::default()),
        new_metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept_and_every_place_is_used() {
        for (percent, expected) in [(0.0, 0), (2.0, 2_000), (10.0, 10_000), (100.0, 100_000)] {
            let flagged = Flagged { percent, places: 950 };
            let large: Vec<Task> =
                (1..=100_000).map(|id| announce(id, flagged)).filter(|task| size(task) > 1_024).collect();
            assert_eq!(large.len(), expected, "{percent} %");
            let place = |task: &Task| task.location.as_ref().map(|place| (place.file.clone(), place.line));
            let places: std::collections::HashSet<_> = large.iter().map(place).collect();
            assert_eq!(places.len(), expected.min(950), "{percent} %");
        }
    }

    fn size(task: &Task) -> u64 {
        match task.fields.last().and_then(|field| field.value.clone()) {
            Some(Value::U64Val(size)) => size,
            other => panic!("{other:?} is no size"),
        }
    }
}
