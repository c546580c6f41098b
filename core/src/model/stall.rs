//! Stalls and stacks, as they are told.

pub use crate::update::{Cause, Frame, Stack, Stall, Thread};
