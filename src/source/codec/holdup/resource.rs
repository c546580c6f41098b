//! Resources.

use super::{
    field::{attributes, encode_attribute, encode_place, place},
    id::known,
};
use crate::{
    source::codec::{
        required, text,
        time::{stamp, timestamp},
    },
    update::{DecodeIssues, MetaId, NewResource, ResourceId, ResourceStats},
};
use holdup_proto::v1 as proto;

/// A resource that is announced. Without an id it is nothing.
pub(super) fn new_resource(new: proto::NewResource, issues: &mut DecodeIssues) -> Option<NewResource> {
    Some(NewResource {
        id: ResourceId(required(Some(new.id), issues)?),
        metadata: new.metadata.map(MetaId),
        parent: known(new.parent_id).map(ResourceId),
        kind: text::text(new.kind, issues),
        concrete_type: text::text(new.concrete_type, issues),
        target: text::text(new.target, issues),
        place: place(new.location, issues),
        internal: new.internal,
    })
}

pub(super) fn encode_new_resource(new: &NewResource) -> proto::NewResource {
    proto::NewResource {
        id: new.id.0,
        parent_id: new.parent.map_or(0, |parent| parent.0),
        kind: new.kind.clone(),
        concrete_type: new.concrete_type.clone(),
        target: new.target.clone(),
        location: new.place.as_ref().map(encode_place),
        internal: new.internal,
        metadata: new.metadata.map(|meta| meta.0),
    }
}

/// A resource's state. Without a creation time it is kept.
pub(super) fn resource_stats(
    stats: proto::ResourceStats,
    issues: &mut DecodeIssues,
) -> Option<(ResourceId, ResourceStats)> {
    let id = ResourceId(required(Some(stats.id), issues)?);
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = ResourceStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        attributes: attributes(stats.attributes, issues),
    };
    Some((id, stats))
}

pub(super) fn encode_resource_stats(id: u64, stats: &ResourceStats) -> proto::ResourceStats {
    proto::ResourceStats {
        id,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        attributes: stats.attributes.iter().map(encode_attribute).collect(),
    }
}
