//! The birth of a task: what its `runtime.spawn` span tells, and a slot that is written for it.

use super::{
    row,
    slot::{Extra, ROW_SHIFT, Slot, TASKS, WORKER, waits_are_expected},
};
use crate::{
    clock::Nanos,
    collect::thread_state::ThreadState,
    slots::{
        free_list,
        id::{self, Kind},
        intern,
    },
    view::TaskKind,
};
use std::{fmt::Write as _, sync::Arc};
use tracing_core::{Field, Metadata, field::Visit, span::Attributes};

/// Where the functions of the jobs that are [`WORKER`]s are.
pub(crate) const WORKERS: &str = "tokio::runtime::scheduler::multi_thread::worker::";

/// Begins a task; returns its span's id.
#[inline]
pub(crate) fn spawn(local: &ThreadState, attributes: &Attributes<'_>) -> u64 {
    let Some(slot) = local.tasks.take(&free_list::TASKS, &TASKS) else { return id::INERT };
    let mut fields = SpanFields::new(local, roles(local, attributes.metadata()));
    attributes.record(&mut fields);
    let slot = slot.begin();
    slot.rewrite(&fields, local.innermost(Kind::Task), local.now());
    let span = slot.publish();
    if fields.kind == TaskKind::BlockOn {
        local.enter_block_on();
    }
    id::encode(span)
}

impl Slot {
    /// Writes the slot for a new user.
    #[inline]
    fn rewrite(&self, fields: &SpanFields<'_>, parent: u64, now: Nanos) {
        for word in [&self.polls, &self.started, &self.ended, &self.busy, &self.scheduled] {
            word.set(0);
        }
        for word in [&self.first, &self.dropped, &self.context, &self.self_drops] {
            word.set(0);
        }
        self.poll_times.reset();
        if waits_are_expected() {
            for word in [&self.self_wakes, &self.self_clones, &self.wakes, &self.clones, &self.drops, &self.last_wake] {
                word.set(0);
            }
            self.scheduled_times.reset();
        }
        self.created.set(now.raw());
        self.tokio_id.set(fields.tokio_id);
        self.parent.set(parent);
        self.runtime.set(0);
        self.size.set(fields.size);
        self.original_size.set(fields.original_size.map_or(0, |size| size.saturating_add(1)));
        self.context_changed.set(0);
        self.location.set(fields.location);
        // A worker is no job of the service's.
        let row = if fields.worker == 0 { row::of(fields.location) } else { row::NOWHERE };
        self.kind.set(fields.kind as u32 | fields.worker | row << ROW_SHIFT);
        self.function.set(fields.function);
        if fields.name.is_some() || self.has_extra.get() != 0 {
            self.has_extra.set(u32::from(fields.name.is_some()));
            *self.extra.lock() = Extra { name: fields.name.clone(), context: None };
        }
    }
}

/// What the fields of a span's callsite say, by their places: four bits for each.
#[derive(Clone, Copy)]
pub(crate) struct Roles(u64);

const KIND: u64 = 1;
const NAME: u64 = 2;
const TOKIO_ID: u64 = 3;
const SIZE: u64 = 4;
const ORIGINAL_SIZE: u64 = 5;
const FILE: u64 = 6;
const LINE: u64 = 7;
const COLUMN: u64 = 8;
const FUNCTION: u64 = 9;

const ROLE_BITS: usize = 4;

impl Roles {
    pub(crate) const NONE: Self = Self(0);

    #[cold]
    fn of(metadata: &Metadata<'_>) -> Self {
        let role = |field: Field| match field.name() {
            "kind" => KIND,
            "task.name" => NAME,
            "task.id" => TOKIO_ID,
            "size.bytes" => SIZE,
            "original_size.bytes" => ORIGINAL_SIZE,
            "loc.file" => FILE,
            "loc.line" => LINE,
            // The last one of the three.
            "loc.col" => COLUMN,
            "fn" => FUNCTION,
            _ => 0,
        };
        // Tokio's have nine at the most.
        let places = metadata.fields().iter().take(u64::BITS as usize / ROLE_BITS).enumerate();
        Self(places.fold(0, |roles, (place, field)| roles | role(field) << (ROLE_BITS * place)))
    }

    /// What a field says; 0 for nothing that is kept.
    #[inline]
    fn role(self, field: &Field) -> u64 {
        self.0.checked_shr((ROLE_BITS * field.index()) as u32).unwrap_or(0) & ((1 << ROLE_BITS) - 1)
    }
}

/// The roles of a callsite's fields: looked up when another callsite than the last one spawns on this thread.
#[inline]
fn roles(local: &ThreadState, metadata: &'static Metadata<'static>) -> Roles {
    let address = std::ptr::from_ref(metadata).addr();
    let (known, roles) = local.spawn_roles.get();
    if known == address {
        return roles;
    }
    let roles = Roles::of(metadata);
    local.spawn_roles.set((address, roles));
    roles
}

/// What a `runtime.spawn` span tells.
struct SpanFields<'a> {
    local: &'a ThreadState,
    roles: Roles,
    tokio_id: u64,
    size: u32,
    original_size: Option<u32>,
    file: u32,
    line: u32,
    location: u32,
    kind: TaskKind,
    name: Option<Arc<str>>,
    function: u32,
    /// [`WORKER`] for one, else 0.
    worker: u32,
}

impl<'a> SpanFields<'a> {
    #[inline]
    fn new(local: &'a ThreadState, roles: Roles) -> Self {
        Self {
            local,
            roles,
            tokio_id: 0,
            size: 0,
            original_size: None,
            file: 0,
            line: 0,
            location: 0,
            kind: TaskKind::Task,
            name: None,
            function: 0,
            worker: 0,
        }
    }
}

impl Visit for SpanFields<'_> {
    #[inline]
    fn record_u64(&mut self, field: &Field, value: u64) {
        match self.roles.role(field) {
            TOKIO_ID => self.tokio_id = value,
            SIZE => self.size = at_most(value),
            ORIGINAL_SIZE => self.original_size = Some(at_most(value)),
            LINE => self.line = value as u32,
            COLUMN => self.location = self.local.recent.location(self.file, self.line, value as u32),
            _ => {}
        }
    }

    #[inline]
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.roles.role(field) == FILE {
            self.file = self.local.recent.text(value);
        }
    }

    #[inline]
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match self.roles.role(field) {
            KIND => {
                let mut kind = KindOf(None);
                // What is none of tokio's words is a task.
                let _ = write!(kind, "{value:?}");
                self.kind = kind.0.unwrap_or(TaskKind::Task);
            }
            NAME if write!(Nothing, "{value:?}").is_err() => self.name = Some(format!("{value:?}").into()),
            FUNCTION => {
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

/// Which of tokio's words was written. Each is written at once.
struct KindOf(Option<TaskKind>);

impl std::fmt::Write for KindOf {
    #[inline]
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let kind = match text {
            "local" => TaskKind::Local,
            "block_on" => TaskKind::BlockOn,
            "blocking" => TaskKind::Blocking,
            _ => TaskKind::Task,
        };
        self.0 = Some(self.0.map_or(kind, |_| TaskKind::Task));
        Ok(())
    }
}

/// Takes no text at all.
struct Nothing;

impl std::fmt::Write for Nothing {
    #[inline]
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if text.is_empty() { Ok(()) } else { Err(std::fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::thread_state;
    use tracing_core::{Callsite, Interest, Kind, Level, field::FieldSet, identify_callsite};

    struct Site;

    static SITE: Site = Site;
    static SPAWN: Metadata<'static> = Metadata::new(
        "runtime.spawn",
        "tokio::task",
        Level::TRACE,
        None,
        None,
        None,
        // Not in tokio's order, and with one that nobody knows.
        FieldSet::new(&["size.bytes", "other", "task.name", "kind", "task.id"], identify_callsite!(&SITE)),
        Kind::SPAN,
    );

    impl Callsite for Site {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &SPAWN
        }
    }

    fn field(name: &str) -> Field {
        SPAWN.fields().field(name).expect("it has that")
    }

    #[test]
    fn fields_are_known_by_their_names_wherever_they_stand() {
        thread_state::with(|local| {
            let mut fields = SpanFields::new(local, roles(local, &SPAWN));
            fields.record_u64(&field("size.bytes"), 1 << 40);
            fields.record_u64(&field("other"), 9);
            fields.record_u64(&field("task.id"), 7);
            fields.record_debug(&field("other"), &format_args!("blocking"));
            fields.record_debug(&field("task.name"), &format_args!(""));
            assert_eq!((fields.tokio_id, fields.size, fields.name.clone()), (7, u32::MAX - 1, None));
            fields.record_debug(&field("task.name"), &format_args!("sends {}", "mail"));
            assert_eq!(fields.name.as_deref(), Some("sends mail"));
        });
    }

    #[test]
    fn what_is_none_of_tokios_words_is_a_task() {
        let kind = |word: &dyn std::fmt::Debug| {
            thread_state::with(|local| {
                let mut fields = SpanFields::new(local, roles(local, &SPAWN));
                fields.record_debug(&field("kind"), word);
                Some(fields.kind)
            })
        };
        assert_eq!(kind(&format_args!("block_on")), Some(TaskKind::BlockOn));
        assert_eq!(kind(&format_args!("blocking")), Some(TaskKind::Blocking));
        assert_eq!(kind(&format_args!("local")), Some(TaskKind::Local));
        for other in ["task", "", "locals"] {
            assert_eq!(kind(&format_args!("{other}")), Some(TaskKind::Task));
        }
        let (word, end) = ("local", "ized");
        assert_eq!(kind(&format_args!("{word}{end}")), Some(TaskKind::Task));
    }
}
