//! holdup's own format, `holdup.v1`: what an agent tells, and what it keeps of its past. What is read and what is written stand side by side,
//! a file for each kind.

mod encode;
mod field;
mod id;
mod lock;
mod loss;
mod op;
mod process;
mod resource;
mod runtime;
mod schema;
mod stack;
mod stall;
mod task;
mod worker_stack;

pub use encode::encode;
pub(in crate::source) use process::{described, process};
pub(in crate::source) use schema::Holdup;
pub use schema::decode;
pub(in crate::source) use task::details;

use super::{text, time};

#[cfg(test)]
mod tests;
