//! What the frames of a task have.

use super::task;
use crate::update::look::{FrameValues, Values, Variable, Who};
use holdup_memory as memory;

pub(in crate::source::memory) fn values(of: Who, told: &memory::Values) -> Values {
    let variable = |variable: &memory::Variable| Variable {
        name: variable.name.clone(),
        ty: variable.ty.clone(),
        value: variable.value.clone(),
        owns: variable.owns,
    };
    let frame = |frame: &memory::FrameValues| FrameValues {
        name: frame.name.clone(),
        place: task::place(frame.place.as_ref()),
        reach: task::reach(frame.reach),
        variables: frame.variables.iter().map(variable).collect(),
        left_out: frame.left_out,
    };
    Values { of, frames: told.frames.iter().map(frame).collect(), unread: told.unread.clone() }
}
