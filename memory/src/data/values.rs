//! What the frames of a task have, by name. It is read when it is asked for, of one task at a time, and never otherwise: memory
//! holds secrets.

use super::{Place, Reach, Who};
use std::sync::Arc;

/// What the frames of one task have, or of the future that a thread runs by `block_on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// Whose they are.
    pub of: Who,
    /// Its async functions, blocks and closures, and futures that are written by hand, those that have any: from the outermost in.
    pub frames: Vec<FrameValues>,
    /// Why they are not known; empty where they are.
    pub unread: Arc<str>,
}

/// What one frame has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameValues {
    /// What it is, as in the chain: `orders::load`.
    pub name: Arc<str>,
    /// The line of the `.await` that it sleeps at; none of one that is written by hand.
    pub place: Option<Place>,
    /// Whether it is polled when its task is.
    pub reach: Reach,
    /// Its variables, as far as they are told.
    pub variables: Vec<Variable>,
    /// How many more it has.
    pub left_out: usize,
}

/// A variable that lives where its frame sleeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its type, shortened for people.
    pub ty: Arc<str>,
    /// Its value, escaped and cut: nothing in it steers a terminal.
    pub value: Arc<str>,
    /// Whether it owns memory. If it was moved or dropped, its bytes are what is left of it, and may lead to what is another's by now.
    pub owns: bool,
}
