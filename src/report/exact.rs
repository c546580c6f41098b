//! What only an agent tells, as plain data of the JSON: workers, runtimes and stacks.

use super::{
    location::Location,
    task::{TaskRow, task},
};
use crate::{
    diagnose::{RuntimeRef, StackRef, WorkerRef},
    update::{Frame, StackLine},
};
use serde::Serialize;

/// A worker.
#[derive(Debug, Serialize)]
pub struct WorkerRow {
    /// Its number in its runtime, from 0.
    pub index: u32,
    /// Its runtime.
    pub runtime: RuntimeRow,
    /// Its thread's name.
    pub thread: Option<String>,
}

/// A runtime.
#[derive(Debug, Serialize)]
pub struct RuntimeRow {
    /// Tokio's number of it.
    pub id: u64,
    /// What the service calls it, or else its number in words.
    pub name: String,
}

/// A stack.
#[derive(Debug, Serialize)]
pub struct StackRow {
    /// What it is the stack of: `stack`, `acquired` or `asleep`.
    pub what: &'static str,
    /// Who acquired or sleeps there; null for the task that the finding is about.
    pub task: Option<TaskRow>,
    /// Whether parts of it were guessed.
    pub approximate: bool,
    /// Why there are no frames.
    pub limitation: Option<String>,
    /// Innermost first.
    pub frames: Vec<FrameRow>,
    /// The same as the text has it, the machinery folded.
    #[serde(skip)]
    pub lines: Vec<String>,
}

/// A frame of a stack.
#[derive(Debug, Serialize)]
pub struct FrameRow {
    /// The function.
    pub function: Option<String>,
    /// Where in the source.
    pub location: Option<Location>,
    /// The file name of the module that it is in.
    pub module: Option<String>,
    /// The address in the process.
    pub address: u64,
    /// Where it is in the executable, as that was linked; none of one in a library.
    pub offset: Option<u64>,
    /// Whether it is the service's own code, as far as its file tells.
    pub service: bool,
}

pub(super) fn worker(worker: &WorkerRef) -> WorkerRow {
    WorkerRow {
        index: worker.id.index,
        runtime: RuntimeRow { id: worker.id.runtime.0, name: worker.runtime.clone() },
        thread: text(&worker.thread),
    }
}

pub(super) fn runtime(runtime: &RuntimeRef) -> RuntimeRow {
    RuntimeRow { id: runtime.id.0, name: runtime.name.clone() }
}

pub(super) fn stack(stack: &StackRef) -> StackRow {
    StackRow {
        what: stack.what,
        task: stack.of.as_ref().map(task),
        approximate: stack.stack.approximate,
        limitation: text(&stack.stack.limitation),
        frames: stack.stack.frames.iter().map(frame).collect(),
        lines: stack.stack.folded().iter().map(StackLine::in_words).collect(),
    }
}

fn frame(frame: &Frame) -> FrameRow {
    let place = &frame.place;
    let line = Some(place.line).filter(|&line| line > 0);
    FrameRow {
        function: text(&frame.function),
        location: text(&place.file).map(|file| Location { file, line }),
        module: text(&frame.module),
        address: frame.address,
        offset: Some(frame.offset).filter(|&offset| offset != 0),
        service: frame.is_of_service(),
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
