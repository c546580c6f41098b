//! From a task's future down to what it waits for: coroutines, futures around others, leaves, and what the frames on the way have of
//! locks and channels. It reads bytes by types, and believes nothing that does not satisfy them.
//!
//! ```text
//! class    what a type is, by its path
//! plan     what of a type is worth a look      planner   found once for each type
//! walk     a value gone through by its plan      view   its bytes, each read once       walk/leaves   where a walk ends
//! raw      what it finds
//! frames   frames and chains, equal ones once
//! ```

pub(crate) mod class;
pub(crate) mod frames;
pub(crate) mod plan;
pub(crate) mod planner;
pub(crate) mod raw;
pub(crate) mod view;
pub(crate) mod walk;
