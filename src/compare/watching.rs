//! A side, while it is watched: events go by, and what each window had is kept. An update is taken in when the session has taken it in.
//!
//! Counters are the target's totals, so that what is counted is by how much they grew, task by task. With another process, or after the link was
//! lost, all begins anew: what was before is the past, and not this window's. A target can tell any number: sums end where numbers do.

use super::{found::Found, locked, locked::Locked, spawned, spawned::Spawned};
use crate::{
    diagnose::Status,
    model::{Lengths, Lock, Model, PlaceId, Resource, Task},
    session::Session,
    update::{BeginMode, Event, Knows, Place, ResourceId, Stamp, TaskId, TaskKind, Value},
};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// Windows of a side.
pub const WINDOWS: usize = 10;

/// What an event is to those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// An update, or a page of one.
    Update,
    /// Another process begins to tell, or the same one again.
    Anew,
    /// Nothing to it.
    Nothing,
}

impl Heard {
    /// What an event is.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Update(_) => Self::Update,
            Event::Begin(begin) if begin.mode == BeginMode::Alone => Self::Anew,
            _ => Self::Nothing,
        }
    }
}

/// A side that was watched.
#[derive(Debug, Clone)]
pub struct Side {
    /// How many windows it has.
    pub windows: usize,
    /// How long they are together, by the target's clock.
    pub seconds: f64,
    /// What its source can tell.
    pub knows: Knows,
    /// Lints that could not judge.
    pub not_looked_for: Vec<&'static str>,
    /// Spawn locations, in the order in which they were seen.
    pub locations: Vec<Spawned>,
    /// Locks, by where they are made.
    pub locks: Vec<Locked>,
    /// What was found.
    pub findings: Vec<Found>,
}

/// What was told of a task.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    polls: u64,
    busy: u64,
}

impl Counted {
    fn of(task: Task<'_>) -> Self {
        let stats = task.stats();
        Self { polls: stats.polls.count, busy: crate::update::nanos(stats.polls.busy) }
    }
}

/// Watches a side.
#[derive(Debug)]
pub struct Watching {
    /// How long a window is.
    length: Duration,
    /// When the one under way is to end, and the last one; none has begun where that is not known.
    due: Option<Duration>,
    until: Duration,
    /// When the latest complete update came.
    heard: Duration,
    /// The target's clock when this process, or this attachment, was first heard completely.
    since: Option<Stamp>,
    /// The same at the latest complete update, and when the window began.
    now: Stamp,
    from: Stamp,
    /// How long the window is so far.
    time: Duration,
    windows: usize,
    seconds: f64,
    tasks: FxHashMap<TaskId, Counted>,
    places: FxHashMap<PlaceId, usize>,
    locations: Vec<(Spawned, spawned::Since)>,
    by_place: FxHashMap<Place, usize>,
    taken: FxHashMap<ResourceId, (u64, u64)>,
    locks: Vec<(Locked, locked::Since)>,
    findings: Vec<Found>,
}

impl Watching {
    /// In windows that are so long.
    pub fn new(length: Duration) -> Self {
        Self {
            length,
            due: None,
            until: Duration::ZERO,
            heard: Duration::ZERO,
            since: None,
            now: Stamp::MIN,
            from: Stamp::MIN,
            time: Duration::ZERO,
            windows: 0,
            seconds: 0.0,
            tasks: FxHashMap::default(),
            places: FxHashMap::default(),
            locations: Vec::new(),
            by_place: FxHashMap::default(),
            taken: FxHashMap::default(),
            locks: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// A session has taken in an event, `at` since anything that does not change.
    pub fn take(&mut self, at: Duration, heard: Heard, session: &Session) {
        let model = session.model();
        match heard {
            Heard::Nothing => {}
            Heard::Anew => {
                self.since = None;
                self.tasks.clear();
                self.places.clear();
                self.taken.clear();
            }
            Heard::Update => {
                if self.since.is_some() {
                    self.rows(model);
                }
                if model.changes().complete
                    && let Some(now) = model.now()
                {
                    self.complete(at, now, session);
                }
            }
        }
    }

    /// An update is complete.
    fn complete(&mut self, at: Duration, now: Stamp, session: &Session) {
        let model = session.model();
        if self.since.is_none() {
            self.begin(at, now, model);
        }
        self.time = self.time.saturating_add(now.since(self.now));
        self.now = now;
        self.waits(model);
        self.find(session);
        // With the update that is the nearest to when it should be.
        let between = at.saturating_sub(std::mem::replace(&mut self.heard, at));
        let is_due = self.due.is_some_and(|due| at.saturating_add(between.min(self.length) / 2) >= due);
        if self.windows < WINDOWS && is_due {
            self.close(model);
            // After a gap the others share what is left.
            let left = u32::try_from(WINDOWS - self.windows).unwrap_or(1).max(1);
            self.due = Some(at.saturating_add(self.until.saturating_sub(at) / left));
        }
    }

    /// What was before the first complete update is the past.
    fn begin(&mut self, at: Duration, now: Stamp, model: &Model) {
        if self.due.is_none() {
            self.due = Some(at.saturating_add(self.length));
            self.until = at.saturating_add(self.length.saturating_mul(WINDOWS as u32));
        }
        self.heard = at;
        (self.since, self.now, self.from) = (Some(now), now, now);
        for task in model.tasks().iter() {
            self.tasks.insert(task.id(), Counted::of(task));
            if task.kind() == TaskKind::Worker {
                continue;
            }
            if let Some(location) = self.location(model, task.place()) {
                self.locations[location].0.note_name(function(model, task));
            }
        }
        self.taken.extend(model.locks().map(|(resource, lock)| (resource.id, (lock.acquisitions, lock.contended))));
        let going_on = self.going_on(model);
        for (_, since) in &mut self.locations {
            since.told = Lengths::default();
        }
        for (place, lengths) in model.spawn_times() {
            if let Some(location) = self.location(model, place) {
                self.locations[location].1.told = lengths.clone();
            }
        }
        for (at, (_, since)) in self.locations.iter_mut().enumerate() {
            since.goes_on = going_on.get(&at).copied().unwrap_or(0);
        }
    }

    /// Takes in the rows of a page.
    fn rows(&mut self, model: &Model) {
        for &slot in &model.changes().tasks {
            if let Some(task) = model.tasks().at(slot) {
                self.task(model, task);
            }
        }
        for (_, task) in &model.changes().removed {
            self.tasks.remove(task);
        }
        for &id in &model.changes().locks {
            if let Some((resource, lock)) = model.lock(id) {
                self.lock(model, resource, lock);
            }
        }
    }

    fn task(&mut self, model: &Model, task: Task<'_>) {
        let now = Counted::of(task);
        let known = self.tasks.insert(task.id(), now);
        let before = match known {
            Some(before) => before,
            // Of one that lived before and is told of only now, nobody knows what it did in this window.
            None if self.is_since(task.created()) => Counted::default(),
            None => now,
        };
        if task.kind() == TaskKind::Worker {
            return;
        }
        let Some(location) = self.location(model, task.place()) else { return };
        let (spawned, since) = &mut self.locations[location];
        since.polls = since.polls.saturating_add(now.polls.saturating_sub(before.polls));
        since.busy = since.busy.saturating_add(now.busy.saturating_sub(before.busy));
        if known.is_none() || spawned.name.is_empty() {
            spawned.note_name(function(model, task));
        }
    }

    /// Whether something was made since this process was first heard.
    fn is_since(&self, made: Option<Stamp>) -> bool {
        made.is_none_or(|made| self.since.is_some_and(|since| made >= since))
    }

    fn lock(&mut self, model: &Model, resource: &Resource, lock: &Lock) {
        let now = (lock.acquisitions, lock.contended);
        let before = match self.taken.insert(resource.id, now) {
            Some(before) => before,
            None if self.is_since(resource.created) => (0, 0),
            None => now,
        };
        let Some(at) = self.lock_at(model, resource, lock) else { return };
        let (from, since) = (self.from, &mut self.locks[at].1);
        since.acquisitions = since.acquisitions.saturating_add(now.0.saturating_sub(before.0));
        since.contended = since.contended.saturating_add(now.1.saturating_sub(before.1));
        for op in model.ops_on(resource).filter(|op| model.access(op).is_some()) {
            if let (Some(created), Some(dropped)) = (op.created, op.dropped.filter(|&dropped| dropped >= from)) {
                since.longest = since.longest.max(dropped.since(created));
            }
        }
    }

    /// Who waits for a lock now.
    fn waits(&mut self, model: &Model) {
        for id in model.locks_in_use() {
            let since = model.waiters(id).iter().filter_map(|waiter| waiter.since).min();
            let Some(((resource, lock), since)) = model.lock(id).zip(since) else { continue };
            if let Some(at) = self.lock_at(model, resource, lock) {
                let longest = &mut self.locks[at].1.longest;
                *longest = (*longest).max(self.now.since(since));
            }
        }
    }

    fn find(&mut self, session: &Session) {
        let active = session.engine().findings().take_while(|finding| finding.status == Status::Active);
        let active: Vec<Found> = active.map(Found::new).collect();
        for known in &mut self.findings {
            known.holds = None;
        }
        for now in active {
            let at = self.findings.iter().position(|known| known.is(&now)).unwrap_or_else(|| {
                self.findings.push(now.clone());
                self.findings.len() - 1
            });
            // What comes after the last window is taken for part of it.
            self.findings[at].hold(self.windows.min(WINDOWS - 1), &now);
        }
    }

    /// A window is over.
    fn close(&mut self, model: &Model) {
        let seconds = std::mem::take(&mut self.time).as_secs_f64();
        self.from = self.now;
        if seconds <= 0.0 {
            return;
        }
        let going_on = self.going_on(model);
        let mut live: FxHashMap<usize, u64> = FxHashMap::default();
        for (place, spawns) in model.spawns().iter() {
            // Where nothing but the runtime's own jobs is spawned there is none.
            if let Some(location) = self.places.get(&place) {
                let live = live.entry(*location).or_default();
                *live = live.saturating_add(spawns.live);
            }
        }
        let mut told: FxHashMap<usize, &Lengths> = FxHashMap::default();
        for (place, lengths) in model.spawn_times() {
            if let Some(location) = self.location(model, place) {
                told.insert(location, lengths);
            }
        }
        for (at, (spawned, since)) in self.locations.iter_mut().enumerate() {
            let of = |all: &FxHashMap<usize, u64>| all.get(&at).copied().unwrap_or(0);
            let told = told.get(&at).copied();
            spawned.close(since, spawned::Now { seconds, live: of(&live), goes_on: of(&going_on), told });
        }
        for (locked, since) in &mut self.locks {
            locked.close(since, seconds);
        }
        self.taken.retain(|id, _| model.resources().get(*id).is_some());
        self.windows += 1;
        self.seconds += seconds;
    }

    /// How long the polls that go on have lasted, in nanoseconds, by location.
    fn going_on(&mut self, model: &Model) -> FxHashMap<usize, u64> {
        let mut sums: FxHashMap<usize, u64> = FxHashMap::default();
        for task in model.hot().filter(|task| task.kind() != TaskKind::Worker) {
            if let Some(since) = task.running_since()
                && let Some(location) = self.location(model, task.place())
            {
                let sum = sums.entry(location).or_default();
                *sum = sum.saturating_add(crate::update::nanos(self.now.since(since)));
            }
        }
        sums
    }

    /// Which location a place is; `None` where it is not known.
    fn location(&mut self, model: &Model, place: PlaceId) -> Option<usize> {
        if !place.is_known() {
            return None;
        }
        let (locations, windows, by_place) = (&mut self.locations, self.windows, &mut self.by_place);
        Some(*self.places.entry(place).or_insert_with(|| {
            let place = model.place(place);
            *by_place.entry(place.clone()).or_insert_with(|| {
                locations.push((Spawned::new(place.clone(), windows), spawned::Since::default()));
                locations.len() - 1
            })
        }))
    }

    /// Which locks a lock is one of; `None` where it is not known where it is made.
    fn lock_at(&mut self, model: &Model, resource: &Resource, lock: &Lock) -> Option<usize> {
        if !resource.place.is_known() || resource.internal {
            return None;
        }
        let (place, kind) = (model.place(resource.place), lock.kind.name());
        let known = self.locks.iter().position(|(known, _)| known.kind == kind && known.place == *place);
        Some(known.unwrap_or_else(|| {
            self.locks.push((Locked::new(place.clone(), kind, self.windows), locked::Since::default()));
            self.locks.len() - 1
        }))
    }

    /// What came of it; `None` where nothing complete was heard.
    pub fn finish(mut self, session: &Session) -> Option<Side> {
        self.due?;
        // The last window may be a little short: the time is cut where it is watched, and windows are where updates are.
        if self.windows < WINDOWS && self.since.is_some() && self.time.saturating_mul(2) >= self.length {
            self.close(session.model());
        }
        Some(Side {
            windows: self.windows,
            seconds: self.seconds,
            knows: session.model().knows().clone(),
            not_looked_for: session.not_looked_for().into_iter().map(|unasked| unasked.lint.name).collect(),
            locations: self.locations.into_iter().map(|(spawned, _)| spawned).collect(),
            locks: self.locks.into_iter().map(|(locked, _)| locked).collect(),
            findings: self.findings,
        })
    }
}

/// What a task runs, as far as that is known: a job's function, the type of its future where memory is read, or else the name that the service
/// gave it; empty where nothing is.
fn function<'a>(model: &'a Model, task: Task<'a>) -> &'a str {
    let job = model.extra_fields(&task).find_map(|(name, value)| match value {
        Value::Text(function) if name == "fn" => Some(function.as_str()),
        _ => None,
    });
    let future = || task.look().map(|look| &*look.future).filter(|future| !future.is_empty());
    job.or_else(future).unwrap_or_else(|| model.text(task.name()))
}
