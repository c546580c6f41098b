//! What the frames of a task have, by name: read when somebody asks for it, and never kept in the model.

use super::{Reach, Who};
use crate::update::Place;
use std::sync::Arc;

/// What the frames of one task have, or of the future that a thread runs by `block_on`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Values {
    /// Whose they are.
    pub of: Who,
    /// Its async functions, blocks and closures, and futures that are written by hand, those that have any: from the outermost in.
    pub frames: Vec<FrameValues>,
    /// Why they are not known; empty where they are.
    pub unread: Arc<str>,
}

/// What one frame has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FrameValues {
    /// What it is, as in the chain.
    pub name: Arc<str>,
    /// The line of the `.await` that it sleeps at, without a file where that is not known.
    pub place: Place,
    /// Whether it is polled when its task is.
    pub reach: Reach,
    /// Its variables.
    pub variables: Vec<Variable>,
    /// How many more it has.
    pub left_out: usize,
}

/// A variable that lives where its frame sleeps.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its type, shortened for people.
    pub ty: Arc<str>,
    /// Its value, escaped and cut.
    pub value: Arc<str>,
    /// Whether it owns memory: if it was moved or dropped, this is what is left of it.
    pub owns: bool,
}
