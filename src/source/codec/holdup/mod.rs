//! holdup's own format, `holdup.v1`: what an agent tells, and what a recording will hold.

mod encode;
mod lock;
mod process;
mod runtime;
mod schema;
mod task;

pub use encode::encode;
pub(in crate::source) use process::process;
pub(in crate::source) use schema::Holdup;
pub use schema::decode;
pub(in crate::source) use task::details;

use super::{text, time};

#[cfg(test)]
mod tests;
