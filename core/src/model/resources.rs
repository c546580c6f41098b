//! One resource: what was reported of it.

use super::{Chain, Lock, PlaceId, Row, Sym};
use crate::update::{Permits, ResourceId, Stamp, Value};

/// A lock, semaphore, timer or channel end of the target.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is known by: from 1, in the order in which resources were first spoken of. An id is a long number, of which those of
    /// two locks differ somewhere in the middle.
    pub number: u32,
    /// What it is a part of.
    pub parent: Option<ResourceId>,
    /// The parts of it that the model knows.
    pub parts: Vec<ResourceId>,
    /// Such as `Sync` or `timer`.
    pub kind: Sym,
    /// Such as `Mutex`; empty while only statistics have come.
    pub concrete_type: Sym,
    /// The module of the runtime that it comes from, such as `tokio::sync::mutex`; empty where it is not told.
    pub target: Sym,
    /// Where it was made.
    pub place: PlaceId,
    /// Whether it is a part that the service's author never wrote down.
    pub internal: bool,
    /// When it was made.
    pub created: Option<Stamp>,
    /// When it was dropped.
    pub dropped: Option<Stamp>,
    /// Its attributes as last reported.
    pub attributes: Vec<Attr>,
    /// Its latest change came after this instant: the `now` of the update before the one that told it. `None` while no
    /// change has been told, only the first state.
    pub changed_after: Option<Stamp>,
    /// Operations on it that are pending, or were dropped a short while ago.
    pub ops: Chain,
    /// What it is as a lock, if it is one.
    pub lock: Option<Box<Lock>>,
    /// Who took permits of it, where an agent tells.
    pub permits: Option<Box<Permits>>,
}

impl Row for Resource {
    type Key = ResourceId;
    fn key(&self) -> ResourceId {
        self.id
    }
}

impl Resource {
    /// A row without any data.
    pub fn new(id: ResourceId, number: u32) -> Self {
        Self {
            id,
            number,
            parent: None,
            parts: Vec::new(),
            kind: Sym::EMPTY,
            concrete_type: Sym::EMPTY,
            target: Sym::EMPTY,
            place: PlaceId::UNKNOWN,
            internal: false,
            created: None,
            dropped: None,
            attributes: Vec::new(),
            changed_after: None,
            ops: Chain::default(),
            lock: None,
            permits: None,
        }
    }
}

/// An attribute of a resource or an operation.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Attr {
    /// Its name.
    pub name: Sym,
    /// Its value.
    pub value: Value,
    /// Its unit, empty where there is none.
    pub unit: Sym,
}
