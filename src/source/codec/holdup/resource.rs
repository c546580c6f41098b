//! Resources.

use super::{
    field::{attributes, encode_attribute, encode_place, place},
    id::{id, known, task},
};
use crate::{
    source::codec::{
        required, text,
        time::{needed, stamp, timestamp},
    },
    update::{DecodeIssues, MetaId, NewResource, Permits, ResourceId, ResourceStats, Taken},
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
        permits: stats.permits.map(|told| Box::new(permits(told, issues))),
    };
    Some((id, stats))
}

/// The most accounts of one semaphore that are kept. With more it is not known who has what.
const MAX_ACCOUNTS: usize = 256;

fn permits(told: proto::Permits, issues: &mut DecodeIssues) -> Permits {
    let is_all = told.taken.len() <= MAX_ACCOUNTS && told.givers.len() <= MAX_ACCOUNTS;
    let kept = told.taken.into_iter().take(MAX_ACCOUNTS);
    Permits {
        first: told.first,
        taken: kept
            .filter_map(|one| {
                Some(Taken { task: task(one.task_id), permits: one.permits, since: needed(one.since, issues)? })
            })
            .collect(),
        known: told.known && is_all,
        givers: told.givers.into_iter().take(MAX_ACCOUNTS).map(task).collect(),
        returned: stamp(told.returned_at, issues),
    }
}

fn encode_permits(permits: &Permits) -> proto::Permits {
    let taken = |taken: &Taken| proto::permits::Taken {
        task_id: id(taken.task),
        permits: taken.permits,
        since: Some(timestamp(taken.since)),
    };
    proto::Permits {
        first: permits.first,
        taken: permits.taken.iter().map(taken).collect(),
        known: permits.known,
        givers: permits.givers.iter().map(|giver| id(*giver)).collect(),
        returned_at: permits.returned.map(timestamp),
    }
}

pub(super) fn encode_resource_stats(id: u64, stats: &ResourceStats) -> proto::ResourceStats {
    proto::ResourceStats {
        id,
        created_at: stats.created.map(timestamp),
        dropped_at: stats.dropped.map(timestamp),
        attributes: stats.attributes.iter().map(encode_attribute).collect(),
        permits: stats.permits.as_deref().map(encode_permits),
    }
}
