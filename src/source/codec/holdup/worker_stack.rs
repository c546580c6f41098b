//! What workers were doing when somebody asked.

use super::{
    id::{id, task},
    stack::{encode_stack, encode_thread, stack, thread},
};
use crate::{
    source::codec::time::{needed, timestamp},
    update::{DecodeIssues, Doing, RuntimeId, WorkerId, WorkerStack},
};
use holdup_proto::v1 as proto;
use std::sync::Arc;

/// One worker. Without the time at which it was so it says nothing.
pub(super) fn worker_stack(told: proto::WorkerStack, issues: &mut DecodeIssues) -> Option<WorkerStack> {
    let doing = match told.doing() {
        proto::worker_stack::Doing::Unspecified => Doing::Unknown,
        proto::worker_stack::Doing::Parked => Doing::Parked,
        proto::worker_stack::Doing::Running => Doing::Running,
        proto::worker_stack::Doing::Sleeping => Doing::Sleeping,
    };
    Some(WorkerStack {
        id: WorkerId { runtime: RuntimeId(told.runtime_id), index: told.worker },
        thread: told.thread.map(|one| thread(one, issues)),
        doing,
        task: task(told.task_id),
        at: needed(told.at, issues)?,
        stack: told.stack.map(|one| Arc::new(stack(one, issues))),
    })
}

pub(super) fn encode_worker_stack(told: &WorkerStack) -> proto::WorkerStack {
    let doing = match told.doing {
        Doing::Unknown => proto::worker_stack::Doing::Unspecified,
        Doing::Parked => proto::worker_stack::Doing::Parked,
        Doing::Running => proto::worker_stack::Doing::Running,
        Doing::Sleeping => proto::worker_stack::Doing::Sleeping,
    };
    proto::WorkerStack {
        runtime_id: told.id.runtime.0,
        worker: told.id.index,
        thread: told.thread.as_ref().map(encode_thread),
        doing: doing.into(),
        task_id: id(told.task),
        at: Some(timestamp(told.at)),
        stack: told.stack.as_deref().map(encode_stack),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_needs_its_time_and_what_this_version_does_not_know_is_not_known() {
        let issues = &mut DecodeIssues::default();
        assert_eq!(worker_stack(proto::WorkerStack::default(), issues), None);
        let at = Some(prost_types::Timestamp { seconds: 3, nanos: 0 });
        let sent = proto::WorkerStack { at, doing: 99, runtime_id: 4, worker: 2, ..Default::default() };
        let told = worker_stack(sent, issues).expect("it has a time");
        assert_eq!((told.id, told.doing), (WorkerId { runtime: RuntimeId(4), index: 2 }, Doing::Unknown));
    }
}
