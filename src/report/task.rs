//! A task as the report names it, whoever speaks of it.

use super::location::{Location, location};
use crate::diagnose::TaskRef;
use serde::Serialize;

/// A task.
#[derive(Debug, Serialize)]
pub struct TaskRow {
    /// The instrumentation's id.
    pub id: u64,
    /// Tokio's number for it.
    pub number: Option<u64>,
    /// Its name.
    pub name: Option<String>,
    /// Such as `task` or `blocking`.
    pub task_kind: &'static str,
    /// Where it was spawned.
    pub location: Option<Location>,
}

pub(super) fn task(task: &TaskRef) -> TaskRow {
    TaskRow {
        id: task.id.0,
        number: task.number,
        name: (!task.name.is_empty()).then(|| task.name.clone()),
        task_kind: task.kind,
        location: location(&task.place),
    }
}
