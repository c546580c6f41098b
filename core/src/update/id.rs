//! The identifiers that the target gives to what it reports. They are the console wire format's own, in both of its services, so that the two join.

use std::{fmt, num::NonZeroU64};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A task, as the target's instrumentation numbers it: a span id, unique among live tasks only.
    /// The number that a user knows is [`NewTask::number`](super::NewTask::number).
    TaskId
}

impl TaskId {
    /// What stands for a thread that runs no task, where something is done outside of any.
    pub const NONE: TaskId = TaskId(0);

    /// A task of which no more than Tokio's number is known, beside a source that gives its tasks other numbers: it is never one of those.
    pub fn unannounced(number: NonZeroU64) -> Self {
        Self(u64::MAX - number.get())
    }

    /// The number of one that is known by that alone.
    pub fn unannounced_number(self) -> Option<NonZeroU64> {
        NonZeroU64::new(u64::MAX - self.0).filter(|number| number.get() <= UNANNOUNCED)
    }
}

/// Numbers that tasks may have of which no more is known. The ids of spans, which have a slot's address in their lower bits and count its users above, do not come there.
const UNANNOUNCED: u64 = 1 << 36;

id! {
    /// A resource: a lock, a semaphore, a timer, a channel end.
    ResourceId
}
id! {
    /// An operation on a resource that a task awaits.
    OpId
}
id! {
    /// The description of a span or an event, sent once and referred to afterwards.
    MetaId
}

/// Tokio's own number of a runtime, unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct RuntimeId(pub u64);

/// A worker: a runtime, and the worker's number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub struct WorkerId {
    /// The runtime.
    pub runtime: RuntimeId,
    /// From 0.
    pub index: u32,
}
