//! The synthetic tasks, and what changes of them.

use console_api::{
    Field, Location, MetaId, Metadata, PollStats, RegisterMetadata, field,
    instrument::Update,
    metadata,
    register_metadata::NewMetadata,
    tasks::{Stats, Task, TaskUpdate, task},
};
use prost_types::Timestamp;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

const META: u64 = 1;

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

/// The tasks of a synthetic target.
pub struct Tasks {
    live: Vec<(u64, Stats)>,
    next_id: u64,
    random: SmallRng,
}

impl Tasks {
    /// This many tasks, spawned over the last minute and idle.
    pub fn new(count: usize) -> Self {
        let mut tasks = Self { live: Vec::with_capacity(count), next_id: 1, random: SmallRng::seed_from_u64(7) };
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

    /// Everything, in updates of at most `page` tasks.
    pub fn first_state(&self, page: usize) -> impl Iterator<Item = Update> {
        let mut metadata = Some(metadata());
        self.live.chunks(page).map(move |tasks| {
            let new_tasks = tasks.iter().map(|(id, _)| announce(*id)).collect();
            let stats_update = tasks.iter().copied().collect();
            update(new_tasks, stats_update, metadata.take())
        })
    }

    /// What happened since the update before: `changed` tasks were polled, `churned` ended and as many started.
    pub fn next_update(&mut self, changed: usize, churned: usize) -> Update {
        let now = SystemTime::now();
        let mut stats_update = HashMap::with_capacity(changed + churned * 2);
        for _ in 0..changed.min(self.live.len()) {
            let index = self.random.random_range(0..self.live.len());
            let took = Duration::from_micros(self.random.random_range(5..100));
            let (id, stats) = &mut self.live[index];
            poll(stats, now, took);
            stats_update.insert(*id, *stats);
        }
        let mut new_tasks = Vec::with_capacity(churned);
        for _ in 0..churned.min(self.live.len()) {
            let index = self.random.random_range(0..self.live.len());
            let (id, mut stats) = self.live.swap_remove(index);
            stats.dropped_at = Some(now.into());
            stats_update.insert(id, stats);
            let id = self.spawn(now - Duration::from_millis(1));
            new_tasks.push(announce(id));
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

fn announce(id: u64) -> Task {
    let (file, line) = PLACES[(id % PLACES.len() as u64) as usize];
    let field = |name: &str, value| Field {
        name: Some(field::Name::StrName(name.into())),
        value: Some(value),
        metadata_id: Some(MetaId { id: META }),
    };
    Task {
        id: Some(id.into()),
        metadata: Some(MetaId { id: META }),
        kind: task::Kind::Spawn.into(),
        fields: vec![
            field("kind", field::Value::DebugVal("task".into())),
            field("task.name", field::Value::DebugVal(format!("worker-{}", id % 100))),
            field("task.id", field::Value::U64Val(id)),
            field("size.bytes", field::Value::U64Val(400)),
        ],
        parents: Vec::new(),
        location: Some(Location { file: Some(file.into()), module_path: None, line: Some(line), column: Some(9) }),
    }
}

fn update(new_tasks: Vec<Task>, stats_update: HashMap<u64, Stats>, new_metadata: Option<RegisterMetadata>) -> Update {
    Update {
        now: Some(SystemTime::now().into()),
        task_update: Some(TaskUpdate { new_tasks, stats_update, dropped_events: 0 }),
        resource_update: Some(console_api::resources::ResourceUpdate::default()),
        async_op_update: Some(console_api::async_ops::AsyncOpUpdate::default()),
        new_metadata,
    }
}

fn metadata() -> RegisterMetadata {
    let metadata = Metadata {
        name: "runtime.spawn".into(),
        target: "tokio::task".into(),
        module_path: String::new(),
        location: None,
        kind: metadata::Kind::Span.into(),
        level: metadata::Level::Trace.into(),
        field_names: ["kind", "task.name", "task.id", "size.bytes"].map(String::from).to_vec(),
    };
    RegisterMetadata { metadata: vec![NewMetadata { id: Some(MetaId { id: META }), metadata: Some(metadata) }] }
}
