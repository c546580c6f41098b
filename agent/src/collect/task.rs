//! Tasks: a slot for each, written at the edges of its polls by whoever polls it, and at its wakes by whoever wakes it.

use super::{
    arena::Arena,
    clock::Nanos,
    histogram::Durations,
    id::{self, Kind, Ours},
    intern,
    life::{Clones, Life},
    local::Local,
    spans::{self, Span},
    stock::{Keep, Kept, Stock},
    told, trail,
    view::{Histograms, Polls, SpansView, TaskKind, TaskView, Wakes},
    word::{Half, Word},
};
use parking_lot::Mutex;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing_core::{Field, field::Visit, span::Attributes};

/// The first cache line is of whoever polls the task, the second of whoever wakes it, the rest is written at its birth.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub(super) life: Life,
    pub(super) polls: Word,
    pub(super) started: Word,
    ended: Word,
    busy: Word,
    scheduled: Word,
    poll_times: Durations,

    scheduled_times: Durations,
    last_wake: Word,
    wakes: Word,
    clones: Word,
    drops: Word,
    /// These three are written from inside of the task's own polls.
    self_wakes: Word,
    own_clones: Word,

    own_drops: Word,
    first: Word,
    created: Word,
    dropped: Word,
    tokio_id: Word,
    parent: Word,
    /// The innermost of the service's own spans that its last poll was inside of; 0 for none.
    context: Word,
    /// What of it was told last, see [`super::read`].
    pub(super) told: told::Told,

    runtime: Half,
    size: Half,
    /// And one; 0 for none.
    original_size: Half,
    place: Half,
    kind: Half,
    /// And one; 0 for none.
    function: Half,
    /// Whether there is anything in `extra`.
    has_extra: Half,
    /// Whether its context has yet to be told.
    untold_context: Half,
    extra: Mutex<Extra>,
}

/// What few tasks have.
#[derive(Debug, Default)]
struct Extra {
    name: Option<Arc<str>>,
    context: Option<Arc<Span>>,
}

const _: () = assert!(size_of::<Slot>() == 256, "four cache lines");

pub(super) static TASKS: Arena<Slot> = Arena::new();
pub(super) static STOCK: Stock = Stock::new(Keep { least: 32, most: 2048 });

/// Of a slot's kind: it is no job of the service's, but a worker of a multi-thread runtime, which the runtime runs as one for
/// as long as it exists. It is a task for the console, and no poll for whoever asks what a thread is doing.
const WORKER: u32 = 4;

/// Of a slot's kind: its polls may have to be looked at, see [`super::trail`]. Anybody may write it, and one time too many does no harm.
const WATCHED: u32 = 8;

/// Where the functions of those jobs are.
const WORKERS: &str = "tokio::runtime::scheduler::multi_thread::worker::";

/// Whether wakes are collected: without them only the runtime itself knows how long a task waited for its turn.
static WAKES_ARE_SEEN: AtomicBool = AtomicBool::new(true);

pub(super) fn set_wakes_are_seen(seen: bool) {
    WAKES_ARE_SEEN.store(seen, Ordering::Relaxed);
}

pub(super) fn wakes_are_seen() -> bool {
    WAKES_ARE_SEEN.load(Ordering::Relaxed)
}

/// Whether a task's polls may have to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    No,
    Yes,
}

/// The slot of a task that is still its user's.
#[inline]
pub(super) fn slot(span: Ours) -> Option<&'static Slot> {
    TASKS.get(span.index).filter(|slot| slot.life.is(span.stamp, Clones::Alike))
}

/// Begins a task; returns its span's id.
#[inline]
pub(super) fn spawn(local: &Local, attributes: &Attributes<'_>) -> u64 {
    let Some(index) = local.tasks.take(&STOCK, &TASKS) else { return id::INERT };
    let Some(slot) = TASKS.get(index) else { return id::INERT };
    let mut told = Told::new(local);
    attributes.record(&mut told);
    let stamp = slot.life.conceive(Clones::Alike);
    slot.rewrite(&told, local.innermost(Kind::Task), local.now());
    slot.life.born(stamp);
    TASKS.touch(index);
    id::encode(Ours { kind: Kind::Task, index, stamp })
}

impl Slot {
    /// Writes the slot for a new user.
    #[inline]
    fn rewrite(&self, told: &Told<'_>, parent: u64, now: Nanos) {
        for word in [&self.polls, &self.started, &self.ended, &self.busy, &self.scheduled, &self.self_wakes] {
            word.set(0);
        }
        for word in [&self.own_clones, &self.own_drops, &self.wakes, &self.clones, &self.drops, &self.last_wake] {
            word.set(0);
        }
        for word in [&self.first, &self.dropped, &self.context] {
            word.set(0);
        }
        self.poll_times.reset();
        self.scheduled_times.reset();
        self.created.set(now.raw());
        self.tokio_id.set(told.tokio_id);
        self.parent.set(parent);
        self.runtime.set(0);
        self.size.set(told.size);
        self.original_size.set(told.original_size.map_or(0, |size| size.saturating_add(1)));
        self.untold_context.set(0);
        self.place.set(told.place);
        self.kind.set(told.kind as u32 | told.worker);
        self.function.set(told.function);
        if told.name.is_some() || self.has_extra.get() != 0 {
            self.has_extra.set(u32::from(told.name.is_some()));
            *self.extra.lock() = Extra { name: told.name.clone(), context: None };
        }
    }

    /// Another context than after the poll before.
    #[cold]
    fn set_context(&self, innermost: u64) {
        self.context.set(innermost);
        self.extra.lock().context = spans::context(innermost);
        self.has_extra.set(1);
        self.untold_context.set(1);
    }

    /// Whether a poll is under way.
    pub(super) fn is_polled(&self) -> bool {
        self.started.get() > self.ended.get()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.dropped.get() != 0
    }

    /// Notes whether to look at its polls from the next one on.
    pub(super) fn set_watched(&self, watched: Watched) {
        match watched {
            Watched::Yes => self.kind.set_bits(WATCHED),
            Watched::No => self.kind.clear_bits(WATCHED),
        }
    }

    fn is_worker(&self) -> bool {
        self.kind.get() & WORKER != 0
    }

    fn kind(&self) -> TaskKind {
        [TaskKind::Task, TaskKind::Local, TaskKind::BlockOn, TaskKind::Blocking][self.kind.get() as usize % 4]
    }
}

impl Kept for Slot {
    fn last(&self) -> Option<u64> {
        self.life.look().map(|seen| seen.stamp(Clones::Alike))
    }

    fn told(&self) -> &told::Told {
        &self.told
    }

    fn hand_over(&self, index: u32) {
        HANDED_OVER.lock().extend(view(index, self));
    }
}

/// Last states that the reader has yet to ask for; no more than were told to live.
static HANDED_OVER: Mutex<Vec<TaskView>> = Mutex::new(Vec::new());

/// Takes what was handed over.
pub(super) fn take_handed_over() -> Vec<TaskView> {
    std::mem::take(&mut *HANDED_OVER.lock())
}

/// A poll begins.
#[inline]
pub(super) fn enter(local: &Local, span: Ours, id: u64) {
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    let outer = local.innermost(Kind::Task);
    if !local.push(Kind::Task, id) || outer == id {
        return;
    }
    let now = local.now();
    let polls = slot.polls.get();
    if polls == 0 {
        slot.first.set(now.raw());
        slot.runtime.set(local.runtime(slot.kind()) as u32);
    }
    slot.polls.set(polls + 1);
    // Processors' counters may differ by a little: a task that moves from one to another still begins its poll after it ended
    // the one before. `is_polled` lives on that.
    slot.started.set(now.raw().max(slot.ended.get() + 1));
    // Woken during its last poll, it waited from that poll's end on.
    let latency = local.latency.take();
    let woken = slot.last_wake.get().max(slot.ended.get());
    let waited = match (latency, woken) {
        (0, 0) => None,
        (0, woken) if WAKES_ARE_SEEN.load(Ordering::Relaxed) => Some(now.raw().saturating_sub(woken)),
        // When it was woken is not known.
        (0, _) => None,
        (latency, _) => Some(latency - 1),
    };
    if let Some(waited) = waited {
        slot.scheduled.add(waited);
        slot.scheduled_times.record(waited);
    }
    // Of a task that polls others inside of its own polls, those spans count that it enters after the last of them.
    local.take_innermost_of_theirs();
    let kind = slot.kind.get();
    // A worker's thread is known from its start, whether it ever polls a task or not.
    let thread = local.thread();
    if kind & WORKER == 0 {
        thread.set_polling(id, now);
    }
    if kind & WATCHED != 0 {
        trail::entered(local, slot, id, now);
    }
    written.touch();
}

/// A poll ends.
#[inline]
pub(super) fn exit(local: &Local, span: Ours, id: u64) {
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    if !local.pop(Kind::Task, id) {
        return;
    }
    let outer = local.innermost(Kind::Task);
    if outer == id {
        return;
    }
    let now = local.now();
    if local.watched.get() == id {
        trail::left(local, id);
    }
    let started = slot.started.get();
    let took = now.raw().saturating_sub(started);
    slot.ended.set(started + took);
    slot.busy.add(took);
    slot.poll_times.record(took);
    local.just_left.set(id);
    let innermost = local.take_innermost_of_theirs();
    if innermost != slot.context.get() || local.context_rewritten.take() {
        slot.set_context(innermost);
    }
    let outside = id::decode(outer).and_then(|span| TASKS.get(span.index)).filter(|slot| !slot.is_worker());
    let (outer, since) = outside.map_or((0, 0), |slot| (outer, slot.started.get()));
    local.thread().set_polling(outer, Nanos::from_raw(since).unwrap_or(now));
    written.touch();
    if std::thread::panicking() {
        super::thread::unwinds(id);
    }
}

/// A handle of the span is cloned.
#[inline]
pub(super) fn clone_handle(span: Ours) {
    if let Some(slot) = TASKS.get(span.index) {
        slot.life.clone_handle(Clones::Alike);
    }
}

/// A handle of the span is dropped; with the last one, the task ends. True when it was.
#[inline]
pub(super) fn close(local: &Local, span: Ours, id: u64) -> bool {
    let Some(slot) = TASKS.get(span.index) else { return false };
    // The span ends right after it was left for good.
    let ended = local.last_read().filter(|_| local.just_left.get() == id);
    let ended = ended.unwrap_or_else(super::clock::now);
    if !slot.life.drop_handle(|| slot.dropped.set(ended.raw())) {
        return false;
    }
    TASKS.touch(span.index);
    local.tasks.retire(&STOCK, span.index);
    true
}

/// What is done to a waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakerOp {
    Clone,
    Drop,
    Wake,
    WakeByRef,
}

/// Something is done to a task's waker.
///
/// A waker may outlive its task. Were the slot given to another task between the look at its life and the write, the other
/// one would be counted a waker too many or too few: for that, thousands of tasks would have to end in between.
#[inline]
pub(super) fn waker(local: &Local, id: u64, op: WakerOp) {
    let Some(span) = id::decode(id).filter(|span| span.kind == Kind::Task) else { return };
    let Some((slot, written)) = TASKS.at(span.index) else { return };
    if !slot.life.is(span.stamp, Clones::Alike) {
        return;
    }
    let own = local.innermost(Kind::Task) == id || local.is_inside(id);
    let count = |of_own: &Word, of_others: &Word| if own { of_own.add(1) } else { of_others.add_shared(1) };
    match op {
        WakerOp::Clone => {
            count(&slot.own_clones, &slot.clones);
            if own {
                trail::pending(local);
            }
        }
        WakerOp::Drop => count(&slot.own_drops, &slot.drops),
        WakerOp::Wake | WakerOp::WakeByRef => {
            slot.last_wake.set(local.now().raw());
            count(&slot.self_wakes, &slot.wakes);
            if op == WakerOp::Wake {
                count(&slot.own_drops, &slot.drops);
            }
        }
    }
    // The end of its own poll is noted soon enough.
    if !own {
        written.touch();
    }
}

/// A copy of a slot; `None` when it is nobody's.
pub(super) fn view(index: u32, slot: &Slot) -> Option<TaskView> {
    loop {
        let seen = slot.life.look()?;
        let stamp = seen.stamp(Clones::Alike);
        let created = Nanos::from_raw(slot.created.get());
        let name = if slot.has_extra.get() == 0 { None } else { slot.extra.lock().name.clone() };
        let self_wakes = slot.self_wakes.get();
        let view = created.map(|created| TaskView {
            id: id::encode(Ours { kind: Kind::Task, index, stamp }),
            tokio_id: slot.tokio_id.get(),
            kind: slot.kind(),
            name,
            function: slot.function.get().checked_sub(1).map(intern::text),
            place: intern::place(slot.place.get()),
            size: slot.size.get().into(),
            original_size: slot.original_size.get().checked_sub(1).map(u64::from),
            created,
            dropped: Nanos::from_raw(slot.dropped.get()),
            polls: Polls {
                count: slot.polls.get(),
                first: Nanos::from_raw(slot.first.get()),
                last_started: Nanos::from_raw(slot.started.get()),
                last_ended: Nanos::from_raw(slot.ended.get()),
                busy: Duration::from_nanos(slot.busy.get()),
            },
            scheduled: Duration::from_nanos(slot.scheduled.get()),
            wakes: Wakes {
                wakes: slot.wakes.get() + self_wakes,
                self_wakes,
                clones: slot.clones.get() + slot.own_clones.get(),
                drops: slot.drops.get() + slot.own_drops.get(),
                last: Nanos::from_raw(slot.last_wake.get()),
            },
            parent: slot.parent.get(),
            runtime: slot.runtime.get().into(),
        });
        if slot.life.still(seen, Clones::Alike) {
            return view;
        }
    }
}

/// Which of a task's contexts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contexts {
    All,
    /// Those that were not told yet, which they are by this.
    Untold,
}

/// The service's own spans around a task's last poll; `None` where there is nothing to tell.
pub(super) fn context(index: u32, slot: &Slot, which: Contexts) -> Option<SpansView> {
    let seen = slot.life.look()?;
    let task = id::encode(Ours { kind: Kind::Task, index, stamp: seen.stamp(Clones::Alike) });
    let asked = match which {
        Contexts::All => slot.context.get() != 0,
        Contexts::Untold => slot.untold_context.get() != 0,
    };
    asked.then_some(())?;
    if which == Contexts::Untold {
        slot.untold_context.set(0);
    }
    let span = slot.extra.lock().context.clone();
    let view = SpansView { task, spans: span.as_deref().map(spans::view).unwrap_or_default() };
    slot.life.still(seen, Clones::Alike).then_some(view)
}

/// The histograms of a task that is still there.
pub(super) fn histograms(span: Ours) -> Option<Histograms> {
    let slot = slot(span)?;
    let histograms = Histograms { polls: slot.poll_times.read(), scheduled: slot.scheduled_times.read() };
    slot.life.is(span.stamp, Clones::Alike).then_some(histograms)
}

/// What a `runtime.spawn` span tells.
struct Told<'a> {
    local: &'a Local,
    tokio_id: u64,
    size: u32,
    original_size: Option<u32>,
    file: u32,
    line: u32,
    place: u32,
    kind: TaskKind,
    name: Option<Arc<str>>,
    function: u32,
    /// [`WORKER`] for one, else 0.
    worker: u32,
}

impl<'a> Told<'a> {
    #[inline]
    fn new(local: &'a Local) -> Self {
        Self {
            local,
            tokio_id: 0,
            size: 0,
            original_size: None,
            file: 0,
            line: 0,
            place: 0,
            kind: TaskKind::Task,
            name: None,
            function: 0,
            worker: 0,
        }
    }
}

impl Visit for Told<'_> {
    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "task.id" => self.tokio_id = value,
            "size.bytes" => self.size = at_most(value),
            "original_size.bytes" => self.original_size = Some(at_most(value)),
            "loc.line" => self.line = value as u32,
            // The last one of the three.
            "loc.col" => self.place = self.local.recent.place(self.file, self.line, value as u32),
            _ => {}
        }
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "loc.file" {
            self.file = self.local.recent.text(value);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = Short::new();
        let whole = write!(text, "{value:?}").is_ok();
        match field.name() {
            "kind" => {
                self.kind = match text.bytes() {
                    b"local" => TaskKind::Local,
                    b"block_on" => TaskKind::BlockOn,
                    b"blocking" => TaskKind::Blocking,
                    _ => TaskKind::Task,
                };
            }
            "task.name" if whole && text.len == 0 => {}
            "task.name" => self.name = Some(format!("{value:?}").into()),
            "fn" => {
                let function = format!("{value:?}");
                self.worker = if function.starts_with(WORKERS) { WORKER } else { 0 };
                self.function = intern::number_of_text(&function).wrapping_add(1);
            }
            _ => {}
        }
    }
}

/// A size; beyond 4 GiB it is just large.
fn at_most(bytes: u64) -> u32 {
    bytes.try_into().unwrap_or(u32::MAX - 1)
}

/// A few bytes of text: enough for tokio's words, and to see whether there is any.
struct Short {
    bytes: [u8; 16],
    len: usize,
}

impl Short {
    #[inline]
    fn new() -> Self {
        Self { bytes: [0; 16], len: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl std::fmt::Write for Short {
    #[inline]
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}
