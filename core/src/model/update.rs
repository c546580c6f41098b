//! What a source tells.

pub use crate::update::{
    Attribute, DecodeIssues, Dropped, Field, FieldName, Histogram, NewMetadata, NewOp, NewResource, NewTask, OpStats,
    Part, PollOp, PollStats, Readiness, ResourceStats, SourcePlace, TaskDetails, TaskStats, Update, Value,
};
