//! What was lost.

use crate::{
    source::codec::text,
    update::{DecodeIssues, Loss},
};
use holdup_proto::v1 as proto;

/// A count of what was lost.
pub(super) fn loss(loss: proto::Loss, issues: &mut DecodeIssues) -> Loss {
    Loss { kind: text::text(loss.kind, issues), count: loss.count }
}

pub(super) fn encode_loss(loss: &Loss) -> proto::Loss {
    proto::Loss { kind: loss.kind.clone(), count: loss.count }
}
