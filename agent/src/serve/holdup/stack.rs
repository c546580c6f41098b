//! Stalls and stacks as messages of `holdup.v1`.

use crate::{
    capture::Stack,
    serve::time::{duration, timestamp},
    stalls::{
        cause::Cause,
        record::Stall,
        round::{Doing, WorkerStack},
    },
};
use holdup_proto::v1;
use holdup_stack::frame::Frame;

pub(crate) fn stall(stall: &Stall) -> v1::Stall {
    let cause = match stall.cause {
        None => v1::stall::Cause::Unspecified,
        Some(Cause::Running) => v1::stall::Cause::Running,
        Some(Cause::InSystemCall) => v1::stall::Cause::InSystemCall,
        Some(Cause::Lock) => v1::stall::Cause::Lock,
        Some(Cause::Sleep) => v1::stall::Cause::Sleep,
        Some(Cause::Device) => v1::stall::Cause::Device,
        Some(Cause::Starved) => v1::stall::Cause::Starved,
        Some(Cause::Child) => v1::stall::Cause::Child,
    };
    v1::Stall {
        id: stall.id,
        runtime_id: stall.runtime,
        worker: Some(stall.worker),
        thread: Some(v1::Thread { tid: stall.tid, name: stall.thread.to_string() }),
        task_id: stall.task,
        since: Some(timestamp(stall.since)),
        ended_at: stall.ended_at.map(timestamp),
        cause: cause.into(),
        system_call: stall.system_call.clone(),
        kernel_function: stall.kernel_function.clone(),
        on_cpu: Some(duration(stall.on_cpu)),
        queued: stall.queued,
        stack: stall.stack.as_deref().map(stack),
        limitation: stall.limitation.clone(),
    }
}

pub(crate) fn worker_stack(row: &WorkerStack) -> v1::WorkerStack {
    let doing = match row.doing {
        Doing::Unknown => v1::worker_stack::Doing::Unspecified,
        Doing::Parked => v1::worker_stack::Doing::Parked,
        Doing::Runs => v1::worker_stack::Doing::Running,
        Doing::Sleeps => v1::worker_stack::Doing::Sleeping,
    };
    v1::WorkerStack {
        runtime_id: row.runtime,
        worker: row.worker,
        thread: Some(v1::Thread { tid: row.tid, name: row.thread.to_string() }),
        doing: doing.into(),
        task_id: row.task,
        at: Some(timestamp(row.at)),
        stack: row.stack.as_deref().map(stack),
    }
}

pub(crate) fn stack(stack: &Stack) -> v1::Stack {
    v1::Stack {
        frames: stack.frames.iter().map(frame).collect(),
        approximate: stack.approximate,
        captured_at: Some(timestamp(stack.captured_at)),
        limitation: stack.limitation.clone(),
        executable: stack.executable.to_vec(),
    }
}

fn frame(frame: &Frame) -> v1::Frame {
    v1::Frame {
        function: frame.function.to_string(),
        file: frame.file.to_string(),
        line: frame.line,
        column: frame.column,
        address: frame.address,
        module: frame.module.to_string(),
        inlined: frame.inlined,
        offset: frame.offset,
    }
}
