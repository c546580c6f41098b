//! Locks, and who holds them or waits for them.

use super::{
    id::{id, task},
    stack::{encode_stack, encode_thread, stack, thread},
};
use crate::{
    source::codec::{
        required, text,
        time::{duration, encode_duration, needed, stamp, timestamp},
    },
    update::{Access, Across, DecodeIssues, Holder, LockStats, OpId, ResourceId, Waiting},
};
use holdup_proto::v1 as proto;
use std::sync::Arc;

/// The most holders and waiters of one lock that are kept; the other waiters are counted.
const MAX_LISTED: usize = 256;

/// A lock. Without its id it is nothing.
pub(super) fn lock(lock: proto::Lock, issues: &mut DecodeIssues) -> Option<LockStats> {
    let id = ResourceId(required(Some(lock.resource_id), issues)?);
    let across = lock.across_await.unwrap_or_default();
    let unlisted = lock.waiters.len().saturating_sub(MAX_LISTED) as u64;
    issues.cut_text += lock.holders.len().saturating_sub(MAX_LISTED) as u64;
    Some(LockStats {
        id,
        holders: lock.holders.into_iter().take(MAX_LISTED).filter_map(|one| holder(one, issues)).collect(),
        waiters: lock.waiters.iter().take(MAX_LISTED).map(|one| waiter(one, issues)).collect(),
        more_waiters: lock.more_waiters.saturating_add(unlisted),
        acquisitions: lock.acquisitions,
        contended: lock.contended,
        across_count: across.count,
        across_longest: duration(across.longest, issues),
        hold_times: text::items(lock.hold_times, issues).collect(),
        longest_hold: duration(lock.longest_hold, issues),
        unknown_holders: lock.unknown_holders,
    })
}

pub(super) fn encode_lock(stats: &LockStats) -> proto::Lock {
    proto::Lock {
        resource_id: stats.id.0,
        holders: stats.holders.iter().map(encode_holder).collect(),
        waiters: stats.waiters.iter().map(encode_waiter).collect(),
        more_waiters: stats.more_waiters,
        acquisitions: stats.acquisitions,
        contended: stats.contended,
        across_await: Some(proto::lock::AcrossAwait {
            count: stats.across_count,
            longest: Some(encode_duration(stats.across_longest)),
            total: None,
        }),
        hold_times: stats.hold_times.clone(),
        held_total: None,
        longest_hold: Some(encode_duration(stats.longest_hold)),
        unknown_holders: stats.unknown_holders,
    }
}

/// A holder. Without a time it cannot be shown.
fn holder(holder: proto::lock::Holder, issues: &mut DecodeIssues) -> Option<Holder> {
    let access = access(holder.access());
    Some(Holder {
        task: task(holder.task_id),
        thread: holder.thread.map(|one| thread(one, issues)),
        access,
        since: needed(holder.since, issues)?,
        across: if holder.across_await { Across::Await } else { Across::SamePoll },
        acquired_at: holder.acquired_at.map(|one| Arc::new(stack(one, issues))),
        suspended_at: holder.suspended_at.map(|one| Arc::new(stack(one, issues))),
    })
}

fn encode_holder(holder: &Holder) -> proto::lock::Holder {
    proto::lock::Holder {
        task_id: id(holder.task),
        thread: holder.thread.as_ref().map(encode_thread),
        access: encode_access(holder.access).into(),
        since: Some(timestamp(holder.since)),
        acquired_at: holder.acquired_at.as_deref().map(encode_stack),
        suspended_at: holder.suspended_at.as_deref().map(encode_stack),
        across_await: holder.across == Across::Await,
    }
}

fn waiter(waiter: &proto::lock::Waiter, issues: &mut DecodeIssues) -> Waiting {
    Waiting {
        op: OpId(waiter.op_id),
        task: task(waiter.task_id),
        access: access(waiter.access()),
        since: stamp(waiter.since, issues),
    }
}

fn encode_waiter(waiter: &Waiting) -> proto::lock::Waiter {
    proto::lock::Waiter {
        op_id: waiter.op.0,
        task_id: id(waiter.task),
        access: encode_access(waiter.access).into(),
        since: waiter.since.map(timestamp),
    }
}

/// What is not said is taken for what locks out everyone.
fn access(access: proto::lock::Access) -> Access {
    match access {
        proto::lock::Access::Shared => Access::Shared,
        proto::lock::Access::Exclusive | proto::lock::Access::Unspecified => Access::Exclusive,
    }
}

fn encode_access(access: Access) -> proto::lock::Access {
    match access {
        Access::Shared => proto::lock::Access::Shared,
        Access::Exclusive => proto::lock::Access::Exclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_past_the_bound_are_counted() {
        let issues = &mut DecodeIssues::default();
        let since = Some(prost_types::Timestamp { seconds: 3, nanos: 0 });
        let waiter = proto::lock::Waiter { op_id: 1, task_id: 2, access: 2, since };
        let sent = proto::Lock {
            resource_id: 7,
            holders: vec![proto::lock::Holder { since, ..Default::default() }, proto::lock::Holder::default()],
            waiters: vec![waiter; MAX_LISTED + 44],
            more_waiters: 6,
            ..Default::default()
        };
        let told = lock(sent, issues).expect("it has an id");
        assert_eq!((told.waiters.len(), told.more_waiters, told.holders.len()), (MAX_LISTED, 50, 1));
        assert_eq!((told.waiters[0].access, told.holders[0].access), (Access::Shared, Access::Exclusive));
        assert_eq!(issues.missing_field, 1, "a holder without a time");
        assert_eq!(lock(proto::Lock::default(), issues), None);
    }
}
