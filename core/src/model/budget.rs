//! How much room the model takes, as an estimate that costs nothing to make: rows and their parts are counted where they come
//! and go, and each kind has its price. `tests/memory.rs` compares it with the allocator's own account.

use super::{Attr, Chain, Lock, Model, Names, Op, Resource, Table};
use crate::update::{Field, FieldName, Permits, Stamp, TaskId, Value};
use std::sync::Arc;

/// An entry of a hash map or set beyond what is in it: tables are between half and almost full.
const SPARE: usize = 2;

/// The counts before what is shared.
const COUNTS: usize = 2 * size_of::<usize>();

/// What an operation takes beside its row: the ends of the chain of those that its task waits on.
const OP_EXTRA_BYTES: usize = SPARE * size_of::<(TaskId, Chain)>();

/// A task's place in the queue to be let go of, or in the one of those whose recent past is to be.
const QUEUED_BYTES: usize = size_of::<(Stamp, TaskId)>();

/// A panic, with what it said: there are few.
const PANIC_BYTES: usize = 4_096;

/// What was let go of, or not taken in, to stay below [`Retention::max_bytes`](super::Retention::max_bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Evicted {
    /// Tasks that had ended, before their time.
    pub finished_tasks: u64,
    /// Resources and operations that were over, before their time.
    pub dropped: u64,
    /// New tasks that there was no room for. They are counted and not kept.
    pub new_tasks: u64,
    /// New resources and operations that there was no room for.
    pub new_others: u64,
    /// When that last happened, by the target's clock.
    pub at: Option<Stamp>,
}

impl Evicted {
    /// Whether anything that is alive is not shown.
    pub fn is_short(&self) -> bool {
        self.new_tasks + self.new_others > 0
    }
}

/// Who took permits of a semaphore.
pub(super) fn permits(permits: &Permits) -> usize {
    size_of::<Permits>() + size_of_val(permits.taken.as_slice()) + size_of_val(permits.givers.as_slice())
}

impl Model {
    /// How many bytes the model takes, with what is kept beside its tasks, as an estimate.
    pub fn bytes(&self) -> usize {
        self.tasks.bytes()
            + self.tasks.len() * self.retention.beside
            + (self.ended.len() + self.recents.len()) * QUEUED_BYTES
            + self.resources.len() * Table::<Resource>::ROW_BYTES
            + self.locks.len() * size_of::<Lock>()
            + self.ops.len() * (Table::<Op>::ROW_BYTES + OP_EXTRA_BYTES)
            + self.names.bytes()
            + self.loose_bytes
            + self.panics.len() * PANIC_BYTES
            + self.agent.bytes()
            + self.memory.bytes()
    }

    /// Bytes of rows that were copied since it was made, because a clone of the model had them too.
    pub fn copied(&self) -> usize {
        self.tasks.copied() + self.resources.copied() + self.ops.copied()
    }

    /// What was let go of to stay below the bound.
    pub fn evicted(&self) -> &Evicted {
        &self.evicted
    }

    /// The bound that the model keeps to.
    pub fn max_bytes(&self) -> usize {
        self.retention.max_bytes
    }

    /// Whether there is room for one more row. Names that nothing has any more make room, and then finished tasks, the oldest first.
    pub(super) fn has_room(&mut self, now: Stamp) -> bool {
        if self.bytes() >= self.retention.max_bytes && self.names.may_collect() {
            self.forget_names();
        }
        while self.bytes() >= self.retention.max_bytes {
            let Some((at, id)) = self.ended.pop_front() else { return false };
            if self.tasks.get(id).is_some_and(|task| task.dropped() == Some(at)) {
                self.remove_task(id);
                self.evicted.finished_tasks += 1;
                self.evicted.at = Some(now);
            }
        }
        true
    }

    /// Whether a new task can be taken in; if not, it is counted.
    pub(super) fn takes_task(&mut self, now: Stamp) -> bool {
        let takes = self.has_room(now);
        if !takes {
            self.evicted.new_tasks += 1;
            self.evicted.at = Some(now);
        }
        takes
    }

    /// Whether a new resource or operation can be taken in; if not, it is counted.
    pub(super) fn takes_other(&mut self, now: Stamp) -> bool {
        let takes = self.has_room(now);
        if !takes {
            self.evicted.new_others += 1;
            self.evicted.at = Some(now);
        }
        takes
    }
}

/// What a task's other fields take, their place in its chunk included.
pub(super) fn fields(fields: &[Field]) -> usize {
    if fields.is_empty() {
        return 0;
    }
    let name = |field: &Field| match &field.name {
        FieldName::Text(text) => text.len(),
        FieldName::Index(..) => 0,
    };
    let inside: usize = fields.iter().map(|field| size_of::<Field>() + name(field) + value(&field.value)).sum();
    SPARE * size_of::<(u16, Arc<[Field]>)>() + COUNTS + inside
}

/// What attributes take.
pub(super) fn attributes(attributes: &[Attr]) -> usize {
    attributes.iter().map(|attribute| size_of::<Attr>() + value(&attribute.value)).sum()
}

fn value(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bool(_) | Value::U64(_) | Value::I64(_) => 0,
    }
}

impl Names {
    /// How many bytes they take, as an estimate.
    pub(super) fn bytes(&self) -> usize {
        // A text stands in a list and in a map, and its counts before it.
        let each = 2 * size_of::<usize>() * (2 + SPARE);
        self.in_use() * each + self.text_bytes()
    }
}
