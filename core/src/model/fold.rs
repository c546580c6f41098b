//! How a stack is read.

pub use crate::update::{StackLine, plain_name};
