//! The birth of a task: what its `runtime.spawn` span tells, and a slot that is written for it.

use super::slot::{Extra, Slot, TASKS, WORKER};
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
use tracing_core::{Field, field::Visit, span::Attributes};

/// Where the functions of the jobs that are [`WORKER`]s are.
pub(crate) const WORKERS: &str = "tokio::runtime::scheduler::multi_thread::worker::";

/// Begins a task; returns its span's id.
#[inline]
pub(crate) fn spawn(local: &ThreadState, attributes: &Attributes<'_>) -> u64 {
    let Some(slot) = local.tasks.take(&free_list::TASKS, &TASKS) else { return id::INERT };
    let mut fields = SpanFields::new(local);
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
        for word in [&self.polls, &self.started, &self.ended, &self.busy, &self.scheduled, &self.self_wakes] {
            word.set(0);
        }
        for word in [&self.self_clones, &self.self_drops, &self.wakes, &self.clones, &self.drops, &self.last_wake] {
            word.set(0);
        }
        for word in [&self.first, &self.dropped, &self.context] {
            word.set(0);
        }
        self.poll_times.reset();
        self.scheduled_times.reset();
        self.created.set(now.raw());
        self.tokio_id.set(fields.tokio_id);
        self.parent.set(parent);
        self.runtime.set(0);
        self.size.set(fields.size);
        self.original_size.set(fields.original_size.map_or(0, |size| size.saturating_add(1)));
        self.context_changed.set(0);
        self.location.set(fields.location);
        self.kind.set(fields.kind as u32 | fields.worker);
        self.function.set(fields.function);
        if fields.name.is_some() || self.has_extra.get() != 0 {
            self.has_extra.set(u32::from(fields.name.is_some()));
            *self.extra.lock() = Extra { name: fields.name.clone(), context: None };
        }
    }
}

/// What a `runtime.spawn` span tells.
struct SpanFields<'a> {
    local: &'a ThreadState,
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
    fn new(local: &'a ThreadState) -> Self {
        Self {
            local,
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
        match field.name() {
            "task.id" => self.tokio_id = value,
            "size.bytes" => self.size = at_most(value),
            "original_size.bytes" => self.original_size = Some(at_most(value)),
            "loc.line" => self.line = value as u32,
            // The last one of the three.
            "loc.col" => self.location = self.local.recent.location(self.file, self.line, value as u32),
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
