//! Locks and stalls of an agent's reports, and the stacks in them.

use super::{
    runtime::{needed, task, thread},
    text, time,
};
use crate::{
    source::codec::{required, time::stamp},
    update::{
        Access, Across, Cause, DecodeIssues, Frame, Holder, LockStats, OpId, Place, ResourceId, RuntimeId, SourcePlace,
        Stack, Stall, Waiting, WorkerId,
    },
};
use holdup_proto::v1 as proto;
use std::sync::Arc;

/// The most holders and waiters of one lock that are kept; the other waiters are counted.
const MAX_PEOPLE: usize = 256;

/// The most frames of one stack that are kept, the innermost.
const MAX_FRAMES: usize = 256;

/// A lock. Without its id it is nothing.
pub(super) fn lock(lock: proto::Lock, issues: &mut DecodeIssues) -> Option<LockStats> {
    let id = ResourceId(required(Some(lock.resource_id), issues)?);
    let across = lock.across_await.unwrap_or_default();
    let unlisted = lock.waiters.len().saturating_sub(MAX_PEOPLE) as u64;
    issues.cut_text += lock.holders.len().saturating_sub(MAX_PEOPLE) as u64;
    Some(LockStats {
        id,
        holders: lock.holders.into_iter().take(MAX_PEOPLE).filter_map(|one| holder(one, issues)).collect(),
        waiters: lock.waiters.iter().take(MAX_PEOPLE).map(|one| waiter(one, issues)).collect(),
        more_waiters: lock.more_waiters.saturating_add(unlisted),
        acquisitions: lock.acquisitions,
        contended: lock.contended,
        across_count: across.count,
        across_longest: time::duration(across.longest, issues),
        hold_times: text::items(lock.hold_times, issues).collect(),
        longest_hold: time::duration(lock.longest_hold, issues),
        unknown_holders: lock.unknown_holders,
    })
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

fn waiter(waiter: &proto::lock::Waiter, issues: &mut DecodeIssues) -> Waiting {
    Waiting {
        op: OpId(waiter.op_id),
        task: task(waiter.task_id),
        access: access(waiter.access()),
        since: stamp(waiter.since, issues),
    }
}

/// What is not said is taken for what locks out everyone.
fn access(access: proto::lock::Access) -> Access {
    match access {
        proto::lock::Access::Shared => Access::Shared,
        proto::lock::Access::Exclusive | proto::lock::Access::Unspecified => Access::Exclusive,
    }
}

/// A stall. Without the time at which it began it says nothing.
pub(super) fn stall(stall: proto::Stall, issues: &mut DecodeIssues) -> Option<Stall> {
    let runtime = RuntimeId(stall.runtime_id);
    let cause = match stall.cause() {
        proto::stall::Cause::Unspecified => Cause::Unknown,
        proto::stall::Cause::Running => Cause::Running,
        proto::stall::Cause::InSystemCall => Cause::SystemCall,
        proto::stall::Cause::Lock => Cause::Lock,
        proto::stall::Cause::Sleep => Cause::Sleep,
        proto::stall::Cause::Device => Cause::Device,
        proto::stall::Cause::Starved => Cause::Starved,
        proto::stall::Cause::Child => Cause::Child,
    };
    Some(Stall {
        id: stall.id,
        runtime,
        worker: stall.worker.map(|index| WorkerId { runtime, index }),
        thread: stall.thread.map(|one| thread(one, issues)),
        task: task(stall.task_id),
        since: needed(stall.since, issues)?,
        ended: stamp(stall.ended_at, issues),
        cause,
        system_call: text::text(stall.system_call, issues),
        kernel_function: text::text(stall.kernel_function, issues),
        on_cpu: time::duration(stall.on_cpu, issues),
        queued: stall.queued,
        stack: stall.stack.map(|one| Arc::new(stack(one, issues))),
        limitation: text::text(stall.limitation, issues),
    })
}

fn stack(stack: proto::Stack, issues: &mut DecodeIssues) -> Stack {
    issues.cut_text += stack.frames.len().saturating_sub(MAX_FRAMES) as u64;
    Stack {
        frames: stack.frames.into_iter().take(MAX_FRAMES).map(|one| frame(one, issues)).collect(),
        approximate: stack.approximate,
        captured: stamp(stack.captured_at, issues),
        limitation: text::text(stack.limitation, issues),
    }
}

fn frame(frame: proto::Frame, issues: &mut DecodeIssues) -> Frame {
    let place = SourcePlace { file: text::text(frame.file, issues), line: frame.line, column: frame.column };
    Frame {
        function: text::text(frame.function, issues),
        place: Place::from(place),
        module: text::text(frame.module, issues),
        address: frame.address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_past_the_bound_are_counted() {
        let issues = &mut DecodeIssues::default();
        let since = Some(prost_types::Timestamp { seconds: 3, nanos: 0 });
        let waiter = proto::lock::Waiter { op_id: 1, task_id: 2, access: 2, since };
        let sent = proto::Lock {
            resource_id: 7,
            holders: vec![proto::lock::Holder { since, ..Default::default() }, proto::lock::Holder::default()],
            waiters: vec![waiter; MAX_PEOPLE + 44],
            more_waiters: 6,
            ..Default::default()
        };
        let told = lock(sent, issues).expect("it has an id");
        assert_eq!((told.waiters.len(), told.more_waiters, told.holders.len()), (MAX_PEOPLE, 50, 1));
        assert_eq!((told.waiters[0].access, told.holders[0].access), (Access::Shared, Access::Exclusive));
        assert_eq!(issues.missing_field, 1, "a holder without a time");
        assert_eq!(lock(proto::Lock::default(), issues), None);
    }

    #[test]
    fn a_stall_needs_its_beginning_and_a_deep_stack_is_cut() {
        let issues = &mut DecodeIssues::default();
        assert_eq!(stall(proto::Stall::default(), issues), None);
        let frames = vec![proto::Frame { function: "f".into(), ..Default::default() }; MAX_FRAMES + 5];
        let stack = proto::Stack { frames, approximate: true, ..Default::default() };
        let since = Some(prost_types::Timestamp { seconds: 3, nanos: 0 });
        let sent =
            proto::Stall { since, cause: 99, worker: Some(0), runtime_id: 4, stack: Some(stack), ..Default::default() };
        let told = stall(sent, issues).expect("it has a beginning");
        assert_eq!(told.worker, Some(WorkerId { runtime: RuntimeId(4), index: 0 }));
        assert_eq!((told.cause, told.stack.map(|stack| stack.frames.len())), (Cause::Unknown, Some(MAX_FRAMES)));
        assert_eq!(issues.cut_text, 5);
    }
}
