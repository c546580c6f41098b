//! The identifiers that the target gives to what it reports.

pub use crate::update::{MetaId, OpId, ResourceId, TaskId};
