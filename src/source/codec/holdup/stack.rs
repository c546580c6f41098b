//! Threads and stacks.

use crate::{
    source::codec::{
        text,
        time::{stamp, timestamp},
    },
    update::{DecodeIssues, Frame, Place, SourcePlace, Stack, Thread},
};
use holdup_proto::v1 as proto;

/// The most frames of one stack that are kept, the innermost.
pub(super) const MAX_FRAMES: usize = 256;

/// Bytes of a build id; linkers write 8 to 20.
const MAX_BUILD_ID: usize = 64;

pub(super) fn thread(thread: proto::Thread, issues: &mut DecodeIssues) -> Thread {
    Thread { tid: thread.tid, name: text::text(thread.name, issues) }
}

pub(super) fn encode_thread(thread: &Thread) -> proto::Thread {
    proto::Thread { tid: thread.tid, name: thread.name.clone() }
}

pub(super) fn stack(stack: proto::Stack, issues: &mut DecodeIssues) -> Stack {
    issues.cut_text += stack.frames.len().saturating_sub(MAX_FRAMES) as u64;
    Stack {
        frames: stack.frames.into_iter().take(MAX_FRAMES).map(|one| frame(one, issues)).collect(),
        approximate: stack.approximate,
        captured: stamp(stack.captured_at, issues),
        limitation: text::text(stack.limitation, issues),
        executable: build_id(stack.executable, issues),
    }
}

/// One that is longer than any that a linker writes is none.
fn build_id(bytes: Vec<u8>, issues: &mut DecodeIssues) -> Vec<u8> {
    if bytes.len() <= MAX_BUILD_ID {
        return bytes;
    }
    issues.cut_text += 1;
    Vec::new()
}

pub(super) fn encode_stack(stack: &Stack) -> proto::Stack {
    proto::Stack {
        frames: stack.frames.iter().map(encode_frame).collect(),
        approximate: stack.approximate,
        captured_at: stack.captured.map(timestamp),
        limitation: stack.limitation.clone(),
        executable: stack.executable.clone(),
    }
}

fn frame(frame: proto::Frame, issues: &mut DecodeIssues) -> Frame {
    let place = SourcePlace { file: text::text(frame.file, issues), line: frame.line, column: frame.column };
    Frame {
        function: text::text(frame.function, issues),
        place: Place::from(place),
        module: text::text(frame.module, issues),
        address: frame.address,
        offset: frame.offset,
    }
}

fn encode_frame(frame: &Frame) -> proto::Frame {
    proto::Frame {
        function: frame.function.clone(),
        file: frame.place.file.clone(),
        line: frame.place.line,
        column: frame.place.column,
        address: frame.address,
        module: frame.module.clone(),
        inlined: false,
        offset: frame.offset,
    }
}
