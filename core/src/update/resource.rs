//! Resources: what one is, and how it fares.

use super::{Attribute, MetaId, ResourceId, SourcePlace, Stamp};

/// A resource that the target announces.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResource {
    /// Its id.
    pub id: ResourceId,
    /// Its span's description.
    pub metadata: Option<MetaId>,
    /// The resource that it is a part of.
    pub parent: Option<ResourceId>,
    /// Such as `Sync` or `timer`.
    pub kind: String,
    /// Such as `Mutex`.
    pub concrete_type: String,
    /// The module that it comes from, such as `tokio::sync::mutex`; empty where its description says it.
    pub target: String,
    /// Where it was made.
    pub place: Option<SourcePlace>,
    /// Whether it is a part that the service's author never wrote down.
    pub internal: bool,
}

/// A resource's state, whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourceStats {
    /// When it was made.
    pub created: Option<Stamp>,
    /// When it was dropped.
    pub dropped: Option<Stamp>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}
