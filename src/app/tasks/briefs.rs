//! What sorts and filters ask of every task, beside the rows and by the same slots. A row is 136 bytes, and a million of them are
//! more than a key press can wait for; of one thing that is asked of all of them, there are a few megabytes here.
//!
//! Nothing is decided here: a [`Brief`] answers as the row would, and asks the row wherever the answer is not here: of what runs
//! or waits to run now, of what has ended, and of numbers too large.

mod batch;

pub(crate) use batch::{Batch, Room};

use crate::model::{Model, PlaceId, Pulse, Slot, Stamp, Sym, Task, TaskKind, TaskState, nanos};

/// Tasks of one chunk. Chunks stay where they are, so that a million are never copied to make room for one more.
const CHUNK: usize = 1024;

/// What is known of every task.
#[derive(Debug)]
pub struct Briefs {
    chunks: Vec<Box<Chunk>>,
    /// Whether more has changed than was noted.
    stale: bool,
}

#[derive(Debug)]
struct Chunk {
    /// `None` where no task is.
    states: [Option<TaskState>; CHUNK],
    kinds: [TaskKind; CHUNK],
    /// Whether it has fields or spans that stand elsewhere.
    more: [bool; CHUNK],
    /// Where its pulse stands among the pulses, from 1; 0 where it has none, as most tasks have not.
    lively: [u16; CHUNK],
    /// With the places of their tasks, in no order.
    pulses: Vec<(u16, Pulse)>,
    names: [Sym; CHUNK],
    places: [PlaceId; CHUNK],
    /// These three are [`LARGE`] where the row must be asked.
    ids: [u32; CHUNK],
    polls: [u32; CHUNK],
    wakes: [u32; CHUNK],
    /// In nanoseconds since the epoch; 0 where it was not told.
    created: [u64; CHUNK],
    /// In nanoseconds, without the poll or the wait that goes on.
    busy: [u64; CHUNK],
    scheduled: [u64; CHUNK],
}

const LARGE: u32 = u32::MAX;

impl Chunk {
    const EMPTY: Self = Self {
        states: [None; CHUNK],
        kinds: [TaskKind::Task; CHUNK],
        more: [false; CHUNK],
        lively: [0; CHUNK],
        pulses: Vec::new(),
        names: [Sym::EMPTY; CHUNK],
        places: [PlaceId::UNKNOWN; CHUNK],
        ids: [0; CHUNK],
        polls: [0; CHUNK],
        wakes: [0; CHUNK],
        created: [0; CHUNK],
        busy: [0; CHUNK],
        scheduled: [0; CHUNK],
    };

    fn pulse(&self, at: usize) -> Option<&Pulse> {
        let number = usize::from(self.lively[at]);
        Some(&self.pulses[number.checked_sub(1)?].1)
    }

    fn set_pulse(&mut self, at: usize, pulse: Option<Pulse>, now: Stamp) {
        match (pulse, usize::from(self.lively[at])) {
            (None, 0) => {}
            (None, number) => self.drop_pulse(number - 1),
            (Some(pulse), 0) => {
                if self.pulses.len() == self.pulses.capacity() {
                    self.drop_silent_pulses(now);
                }
                self.pulses.push((at as u16, pulse));
                self.lively[at] = self.pulses.len() as u16;
            }
            (Some(pulse), number) => self.pulses[number - 1].1 = pulse,
        }
    }

    fn drop_pulse(&mut self, index: usize) {
        let (place, _) = self.pulses.swap_remove(index);
        self.lively[usize::from(place)] = 0;
        if let Some((moved, _)) = self.pulses.get(index) {
            self.lively[usize::from(*moved)] = index as u16 + 1;
        }
    }

    /// Makes room, where tasks fell silent.
    fn drop_silent_pulses(&mut self, now: Stamp) {
        for index in (0..self.pulses.len()).rev() {
            if self.pulses[index].1.is_over(now) {
                self.drop_pulse(index);
            }
        }
    }
}

impl Default for Briefs {
    fn default() -> Self {
        Self { chunks: Vec::new(), stale: true }
    }
}

impl Briefs {
    /// What is kept of each task, without the pulse that few have.
    pub(crate) const BYTES_A_TASK: usize = size_of::<Chunk>() / CHUNK;

    /// All tasks of a model.
    pub fn of(model: &Model) -> Self {
        let mut briefs = Self::default();
        briefs.settle(model);
        briefs
    }

    /// Forgets everything: more has changed than was noted.
    pub(crate) fn restart(&mut self) {
        self.stale = true;
    }

    /// Takes note of what the model's latest update changed.
    pub(crate) fn note(&mut self, model: &Model) {
        let changes = model.changes();
        self.stale |= changes.renamed;
        if self.stale {
            return;
        }
        for &slot in changes.tasks.iter().chain(changes.removed.iter().map(|(slot, _)| slot)) {
            self.write(slot, model);
        }
    }

    /// Looks at everything anew, if it must.
    pub(crate) fn settle(&mut self, model: &Model) {
        if std::mem::take(&mut self.stale) {
            self.chunks.clear();
            for (slot, _) in model.tasks().iter() {
                self.write(slot, model);
            }
        }
    }

    /// What is known of the task in a slot.
    pub fn at<'a>(&'a self, slot: Slot, model: &'a Model) -> Option<Brief<'a>> {
        let chunk = self.chunks.get(slot.index() / CHUNK)?;
        chunk.states[slot.index() % CHUNK].map(|_| Brief { model, chunk, slot })
    }

    fn write(&mut self, slot: Slot, model: &Model) {
        let (chunk, at) = (slot.index() / CHUNK, slot.index() % CHUNK);
        while self.chunks.len() <= chunk {
            self.chunks.push(Box::new(Chunk::EMPTY));
        }
        let chunk = &mut self.chunks[chunk];
        let Some(task) = model.tasks().at(slot) else {
            chunk.states[at] = None;
            chunk.set_pulse(at, None, Stamp::MIN);
            return;
        };
        let small = |number: u64| u32::try_from(number).unwrap_or(LARGE);
        let stats = task.stats();
        chunk.states[at] = Some(task.state());
        chunk.kinds[at] = task.kind;
        chunk.more[at] = model.has_extra_fields(task.id) || model.agent().has_spans(task.id);
        chunk.names[at] = task.name;
        chunk.places[at] = task.place;
        chunk.ids[at] = small(task.display_id());
        chunk.polls[at] = small(stats.polls.count);
        chunk.wakes[at] = small(stats.wakes);
        chunk.set_pulse(at, task.pulse(), task.confirmed);
        chunk.created[at] = stats.created.map_or(0, Stamp::nanos);
        chunk.busy[at] = nanos(stats.polls.busy);
        chunk.scheduled[at] = nanos(stats.scheduled);
    }
}

/// What is known of one task. All times are in nanoseconds. To be handed on by reference: a copy in memory costs as much as what
/// is asked of it.
#[derive(Clone, Copy)]
pub struct Brief<'a> {
    model: &'a Model,
    chunk: &'a Chunk,
    slot: Slot,
}

impl<'a> Brief<'a> {
    /// The model that it is from.
    pub fn model(self) -> &'a Model {
        self.model
    }

    /// Its slot.
    pub fn slot(self) -> Slot {
        self.slot
    }

    /// The whole row. A brief is of a task that has one.
    pub fn row(self) -> Option<&'a Task> {
        self.model.tasks().at(self.slot)
    }

    /// What it was doing when last reported.
    #[inline]
    pub fn state(self) -> TaskState {
        // A brief is of a task that there is.
        self.chunk.states[self.at()].unwrap_or(TaskState::Ended)
    }

    /// What it was spawned as.
    pub fn kind(self) -> TaskKind {
        self.chunk.kinds[self.at()]
    }

    /// Its name.
    pub fn name(self) -> Sym {
        self.chunk.names[self.at()]
    }

    /// Where it was spawned.
    pub fn place(self) -> PlaceId {
        self.chunk.places[self.at()]
    }

    /// Whether it has fields that have no place of their own in [`Task`], or spans.
    pub fn has_more(self) -> bool {
        self.chunk.more[self.at()]
    }

    /// When it was spawned, in nanoseconds since the epoch; 0 where that was not told.
    pub fn created(self) -> u64 {
        self.chunk.created[self.at()]
    }

    /// The number that a user knows it by.
    pub fn display_id(self) -> u64 {
        self.number(self.chunk.ids[self.at()], Task::display_id)
    }

    /// Polls.
    pub fn polls(self) -> u64 {
        self.number(self.chunk.polls[self.at()], |task| task.stats().polls.count)
    }

    /// How often it was woken.
    pub fn wakes(self) -> u64 {
        self.number(self.chunk.wakes[self.at()], |task| task.stats().wakes)
    }

    /// Time inside polls, without the one that goes on.
    pub fn busy_told(self) -> u64 {
        self.chunk.busy[self.at()]
    }

    /// As [`Task::total`].
    #[inline]
    pub fn total(self, now: Stamp) -> u64 {
        match (self.state(), self.created()) {
            (TaskState::Ended, _) => self.ask(|task| nanos(task.total(now))),
            (_, 0) => 0,
            (_, created) => now.nanos().saturating_sub(created),
        }
    }

    /// As [`Task::busy`].
    #[inline]
    pub fn busy(self, now: Stamp) -> u64 {
        match self.state() {
            TaskState::Running => self.ask(|task| nanos(task.busy(now))),
            _ => self.busy_told(),
        }
    }

    /// As [`Task::scheduled`].
    #[inline]
    pub fn scheduled(self, now: Stamp) -> u64 {
        match self.state() {
            TaskState::Scheduled => self.ask(|task| nanos(task.scheduled(now))),
            _ => self.chunk.scheduled[self.at()],
        }
    }

    /// As [`Task::idle`].
    #[inline]
    pub fn idle(self, now: Stamp) -> u64 {
        self.total(now).saturating_sub(self.busy(now)).saturating_sub(self.scheduled(now))
    }

    /// As [`Task::poll_rate`].
    pub fn poll_rate(self, now: Stamp) -> f64 {
        self.pulse().map_or(0.0, |pulse| pulse.poll_rate(now))
    }

    /// The share of the last seconds that it was busy, from 0 to 1.
    pub fn load(self, now: Stamp) -> f64 {
        match self.state() {
            TaskState::Running => self.row().map_or(0.0, |task| task.load(now)),
            _ => self.pulse().map_or(0.0, |pulse| pulse.load(now)),
        }
    }

    fn pulse(self) -> Option<&'a Pulse> {
        self.chunk.pulse(self.at())
    }

    #[inline]
    fn at(self) -> usize {
        self.slot.index() % CHUNK
    }

    #[inline]
    fn number(self, small: u32, of: impl Fn(&Task) -> u64) -> u64 {
        if small == LARGE { self.ask(of) } else { small.into() }
    }

    /// Few tasks come here, and those that do not should not pay for it.
    #[cold]
    fn ask(self, what: impl Fn(&Task) -> u64) -> u64 {
        self.row().map_or(0, what)
    }
}
