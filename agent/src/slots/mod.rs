//! Memory that never moves, and its reuse: slots in which one thread writes while others read, which of them were written, and
//! which are free. Nothing here waits for anybody but for the lock on the free ones.
//!
//! It knows nothing of tasks and locks: what a slot holds is its user's.

pub(crate) mod arena;
mod atomics;
pub(crate) mod barrier;
mod bitmap;
pub(crate) mod budget;
pub(crate) mod delivery;
pub(crate) mod final_states;
pub(crate) mod free_list;
pub(crate) mod histogram;
pub(crate) mod id;
pub(crate) mod intern;
pub(crate) mod lifetime;
pub(crate) mod word;
