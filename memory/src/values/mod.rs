//! What the frames of a task have: which of a coroutine's variables live where it sleeps, what a future written by hand has in it, and
//! what stands in them.
//!
//! ```text
//! task     one task or root, read by itself           locals    which variables those are, and where
//! print    a value as text                            standard  one of the standard library's types
//! known    which those are, by name                   text      text and bytes, escaped and cut
//! ```
//!
//! Nothing here is asked for by a look. What is read is bounded for a value, a frame and a task, and what does not satisfy its type
//! is said not to be readable as that. This room must not know who asks.

mod known;
mod locals;
mod print;
mod standard;
mod task;
mod text;

use crate::{
    FrameValues, Variable,
    debug::{Debug, Kind, TypeId, names::short},
    future::{
        frames::{Frames, Standing},
        view::View,
    },
};
pub(crate) use task::{Sources, root, task};

use known::{Known, known};
use locals::{Owns, fields, locals};
use print::{Budget, Printer};
use std::time::Duration;

/// More variables of a frame are counted.
const MOST_VARIABLES: usize = 40;
/// More frames are not told.
const MOST_FRAMES: usize = 64;

/// What values are read with.
pub(crate) struct Tools<'a> {
    pub(crate) debug: &'a Debug,
    /// The type that the vtable at an address is of.
    pub(crate) dynamic: &'a dyn Fn(u64) -> Option<TypeId>,
    pub(crate) frames: &'a Frames,
    /// The process's monotonic clock.
    pub(crate) now: Duration,
}

/// What the futures of a walk have, out of what the walk read and what that leads to.
pub(crate) fn values(standing: &[Standing], view: &mut View<'_>, tools: &Tools<'_>) -> Vec<FrameValues> {
    let mut budget = Budget::default();
    let mut told = Vec::new();
    for one in standing.iter().take(MOST_FRAMES) {
        let ty = tools.debug.ty(one.ty);
        let Some(text) = tools.frames.get(one.step.text) else { continue };
        let found = if ty.is_coroutine() {
            locals(&ty, one.at, tools.debug, view)
        } else if known(&ty) == Some(Known::Name) {
            // What a library's future has in it is told by its type.
            continue;
        } else {
            fields(&ty, one.at, one.step.reach, tools.debug, view)
        };
        let mut variables = Vec::new();
        for local in found.iter().take(MOST_VARIABLES) {
            let mut printer = Printer { tools, view, budget: &mut budget };
            variables.push(Variable {
                name: local.name.as_ref().into(),
                ty: type_name(local.ty, tools.debug).into(),
                value: printer.whole(local.at, local.ty).into(),
                owns: local.owns == Owns::Memory,
            });
        }
        if !found.is_empty() {
            told.push(FrameValues {
                name: text.name.clone(),
                place: text.place.clone(),
                reach: one.step.reach,
                left_out: found.len() - variables.len(),
                variables,
            });
        }
    }
    told
}

/// A type for people. An array has no name of its own.
fn type_name(ty: TypeId, debug: &Debug) -> String {
    let here = debug.ty(ty);
    match here.kind {
        Kind::Array(of, count) => format!("[{}; {count}]", text::plain(&short(&debug.ty(of).path()))),
        _ => text::plain(&short(&here.path())),
    }
}
