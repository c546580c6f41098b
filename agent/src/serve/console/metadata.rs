//! What the console calls metadata: the callsites inside of tokio at which spans begin. A client looks up their names and
//! targets. What a row is tells which callsite it came from, so that none has to be remembered with it: they are announced
//! with ids of our own, whether there is a row of theirs or not.

use crate::view::{OpView, ResourceView, TaskKind};
use console_api::{
    MetaId, Metadata, RegisterMetadata,
    metadata::{Kind, Level},
    register_metadata::NewMetadata,
};

/// A callsite. Its id is its place in the table, and one.
struct Callsite {
    /// What a row must have for it to be this: its concrete type, its source, or nothing in particular.
    of: Of,
    target: &'static str,
    fields: &'static [&'static str],
}

enum Of {
    Task,
    Blocking,
    Resource(&'static str),
    /// One that is part of another one.
    Internal(&'static str),
    AnyResource,
    Op(&'static str),
    AnyOp,
}

const SPAWN: &[&str] =
    &["kind", "task.name", "task.id", "original_size.bytes", "size.bytes", "loc.file", "loc.line", "loc.col"];
const SPAWN_BLOCKING: &[&str] =
    &["kind", "task.name", "task.id", "fn", "original_size.bytes", "size.bytes", "loc.file", "loc.line", "loc.col"];
const MAKE: &[&str] = &["concrete_type", "kind", "loc.file", "loc.line", "loc.col"];
const MAKE_INHERITING: &[&str] = &["concrete_type", "kind", "loc.file", "loc.line", "loc.col", "inherits_child_attrs"];
const MAKE_INTERNAL: &[&str] = &["concrete_type", "kind", "is_internal"];
const OPERATE: &[&str] = &["source"];
const OPERATE_INHERITING: &[&str] = &["source", "inherits_child_attrs"];

/// The callsites of tokio 1.54, and for each kind one for what is not known yet, which comes last.
const CALLSITES: &[Callsite] = &[
    Callsite { of: Of::Task, target: "tokio::task", fields: SPAWN },
    Callsite { of: Of::Blocking, target: "tokio::task::blocking", fields: SPAWN_BLOCKING },
    Callsite { of: Of::Resource("Mutex"), target: "tokio::sync::mutex", fields: MAKE },
    Callsite { of: Of::Resource("RwLock"), target: "tokio::sync::rwlock", fields: MAKE },
    Callsite { of: Of::Resource("Semaphore"), target: "tokio::sync::semaphore", fields: MAKE_INHERITING },
    Callsite { of: Of::Internal("Semaphore"), target: "tokio::sync::batch_semaphore", fields: MAKE_INTERNAL },
    Callsite { of: Of::Resource("Barrier"), target: "tokio::sync::barrier", fields: MAKE },
    Callsite { of: Of::Resource("Sender|Receiver"), target: "tokio::sync::oneshot", fields: MAKE },
    Callsite { of: Of::Resource("Sleep"), target: "tokio::time::sleep", fields: MAKE },
    Callsite { of: Of::Resource("Interval"), target: "tokio::time::interval", fields: MAKE },
    Callsite { of: Of::AnyResource, target: "tokio", fields: MAKE },
    Callsite { of: Of::Op("Acquire::new"), target: "tokio::sync::batch_semaphore", fields: OPERATE },
    Callsite { of: Of::Op("Receiver::await"), target: "tokio::sync::oneshot", fields: OPERATE },
    Callsite { of: Of::Op("Sleep::new_timeout"), target: "tokio::time::sleep", fields: OPERATE },
    Callsite { of: Of::Op("Sleep::reset"), target: "tokio::time::sleep", fields: OPERATE },
    Callsite { of: Of::AnyOp, target: "tokio::util::trace", fields: OPERATE_INHERITING },
];

fn find(is: impl Fn(&Of) -> bool) -> MetaId {
    let index = CALLSITES.iter().position(|callsite| is(&callsite.of)).unwrap_or(0);
    MetaId { id: index as u64 + 1 }
}

pub(crate) fn of_task(kind: TaskKind) -> MetaId {
    find(|of| match of {
        Of::Task => kind != TaskKind::Blocking,
        Of::Blocking => true,
        _ => false,
    })
}

pub(crate) fn of_resource(row: &ResourceView) -> MetaId {
    find(|of| match of {
        Of::Resource(known) => *known == row.concrete_type && !row.internal,
        Of::Internal(known) => *known == row.concrete_type && row.internal,
        Of::AnyResource => true,
        _ => false,
    })
}

/// The module that a resource comes from.
pub(crate) fn target_of(row: &ResourceView) -> &'static str {
    let MetaId { id } = of_resource(row);
    usize::try_from(id).ok().and_then(|id| CALLSITES.get(id.checked_sub(1)?)).map_or("", |callsite| callsite.target)
}

pub(crate) fn of_op(row: &OpView) -> MetaId {
    find(|of| match of {
        Of::Op(known) => *known == row.source,
        Of::AnyOp => true,
        _ => false,
    })
}

/// All that rows refer to.
pub(crate) fn all() -> RegisterMetadata {
    let metadata = CALLSITES.iter().zip(1..).map(|(callsite, id)| {
        let name = match callsite.of {
            Of::Task | Of::Blocking => "runtime.spawn",
            Of::Resource(_) | Of::Internal(_) | Of::AnyResource => "runtime.resource",
            Of::Op(_) | Of::AnyOp => "runtime.resource.async_op",
        };
        let metadata = Metadata {
            name: name.to_owned(),
            target: callsite.target.to_owned(),
            kind: Kind::Span as i32,
            level: Level::Trace as i32,
            field_names: callsite.fields.iter().map(ToString::to_string).collect(),
            ..Metadata::default()
        };
        NewMetadata { id: Some(MetaId { id }), metadata: Some(metadata) }
    });
    RegisterMetadata { metadata: metadata.collect() }
}
