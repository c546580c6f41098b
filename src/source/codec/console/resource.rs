//! Resources, and polls of the operations on them.

use super::{field, id, stamp, text};
use crate::{
    source::codec::required,
    update::{DecodeIssues, MetaId, NewResource, OpId, PollOp, Readiness, ResourceId, ResourceStats, TaskId},
};
use console_api::resources as api;

/// A resource that is announced. Without an id it is nothing; a kind that this client does not know is left empty.
pub(in crate::source::codec) fn new_resource(
    resource: api::Resource,
    issues: &mut DecodeIssues,
) -> Option<NewResource> {
    let resource_id = ResourceId(required(id(resource.id), issues)?);
    let kind = match resource.kind.and_then(|kind| kind.kind) {
        Some(api::resource::kind::Kind::Other(kind)) => text::text(kind, issues),
        Some(api::resource::kind::Kind::Known(known)) if known == api::resource::kind::Known::Timer as i32 => {
            "timer".to_owned()
        }
        Some(api::resource::kind::Kind::Known(_)) | None => {
            issues.missing_field += 1;
            String::new()
        }
    };
    Some(NewResource {
        id: resource_id,
        metadata: resource.metadata.map(|id| MetaId(id.id)),
        parent: id(resource.parent_resource_id).map(ResourceId),
        kind,
        concrete_type: text::text(resource.concrete_type, issues),
        target: String::new(),
        place: field::place(resource.location, issues),
        internal: resource.is_internal,
    })
}

/// A resource's state. Without a creation time it is kept.
pub(in crate::source::codec) fn resource_stats(
    resource: u64,
    stats: api::Stats,
    issues: &mut DecodeIssues,
) -> Option<(ResourceId, ResourceStats)> {
    let resource = ResourceId(required(Some(resource), issues)?);
    issues.missing_field += u64::from(stats.created_at.is_none());
    let stats = ResourceStats {
        created: stamp(stats.created_at, issues),
        dropped: stamp(stats.dropped_at, issues),
        attributes: field::attributes(stats.attributes, issues),
        permits: None,
    };
    Some((resource, stats))
}

/// A poll of an operation. Without its resource it says nothing.
pub(in crate::source::codec) fn poll_op(poll: &api::PollOp, issues: &mut DecodeIssues) -> Option<PollOp> {
    Some(PollOp {
        resource: ResourceId(required(id(poll.resource_id), issues)?),
        op: id(poll.async_op_id).map(OpId),
        task: id(poll.task_id).map(TaskId),
        readiness: if poll.is_ready { Readiness::Ready } else { Readiness::Pending },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(kind: Option<api::resource::kind::Kind>) -> (Option<String>, u64) {
        let mut issues = DecodeIssues::default();
        let resource =
            api::Resource { id: Some(1.into()), kind: Some(api::resource::Kind { kind }), ..api::Resource::default() };
        let decoded = new_resource(resource, &mut issues).map(|resource| resource.kind);
        (decoded, issues.missing_field)
    }

    #[test]
    fn a_kind_that_is_not_known_is_counted_and_left_empty() {
        use api::resource::kind::Kind;
        assert_eq!(of_kind(Some(Kind::Known(0))), (Some("timer".to_owned()), 0));
        assert_eq!(of_kind(Some(Kind::Other("Sync".to_owned()))), (Some("Sync".to_owned()), 0));
        assert_eq!(of_kind(Some(Kind::Known(77))), (Some(String::new()), 1));
        assert_eq!(of_kind(None), (Some(String::new()), 1));
    }

    #[test]
    fn a_poll_without_its_resource_is_counted() {
        let mut issues = DecodeIssues::default();
        assert_eq!(poll_op(&api::PollOp::default(), &mut issues), None);
        assert_eq!(issues.missing_id, 1);
    }
}
