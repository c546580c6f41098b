//! Stalls, and standstills of the whole process.

use super::{
    id::{id, task},
    stack::{encode_stack, encode_thread, stack, thread},
};
use crate::{
    source::codec::{
        text,
        time::{duration, encode_duration, needed, stamp, timestamp},
    },
    update::{Cause, DecodeIssues, RuntimeId, Stall, Standstill, WorkerId},
};
use holdup_proto::v1 as proto;
use std::sync::Arc;

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
        on_cpu: duration(stall.on_cpu, issues),
        queued: stall.queued,
        stack: stall.stack.map(|one| Arc::new(stack(one, issues))),
        limitation: text::text(stall.limitation, issues),
    })
}

/// A standstill. Without both its ends it is none.
pub(super) fn standstill(told: &proto::Standstill, issues: &mut DecodeIssues) -> Option<Standstill> {
    Some(Standstill { from: needed(told.from, issues)?, to: needed(told.to, issues)? })
}

pub(super) fn encode_standstill(standstill: &Standstill) -> proto::Standstill {
    proto::Standstill { from: Some(timestamp(standstill.from)), to: Some(timestamp(standstill.to)) }
}

pub(super) fn encode_stall(stall: &Stall) -> proto::Stall {
    let cause = match stall.cause {
        Cause::Unknown => proto::stall::Cause::Unspecified,
        Cause::Running => proto::stall::Cause::Running,
        Cause::SystemCall => proto::stall::Cause::InSystemCall,
        Cause::Lock => proto::stall::Cause::Lock,
        Cause::Sleep => proto::stall::Cause::Sleep,
        Cause::Device => proto::stall::Cause::Device,
        Cause::Starved => proto::stall::Cause::Starved,
        Cause::Child => proto::stall::Cause::Child,
    };
    proto::Stall {
        id: stall.id,
        runtime_id: stall.runtime.0,
        worker: stall.worker.map(|worker| worker.index),
        thread: stall.thread.as_ref().map(encode_thread),
        task_id: id(stall.task),
        since: Some(timestamp(stall.since)),
        ended_at: stall.ended.map(timestamp),
        cause: cause.into(),
        system_call: stall.system_call.clone(),
        kernel_function: stall.kernel_function.clone(),
        on_cpu: Some(encode_duration(stall.on_cpu)),
        queued: stall.queued,
        stack: stall.stack.as_deref().map(encode_stack),
        limitation: stall.limitation.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::codec::holdup::stack::MAX_FRAMES;

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
