//! Tasks: a slot for each, written at the edges of its polls by whoever polls it, and at its wakes by whoever wakes it.
//!
//! Where slots come from and when they go back is in [`slot`]. What is written into one, and when, is beside: when the task is
//! spawned, at its polls, at its wakes. What is counted of all tasks of a spawn location goes by its [`row`].

pub(crate) mod poll;
pub(crate) mod row;
pub(crate) mod slot;
pub(crate) mod spawn;
pub(crate) mod wake;
pub(crate) mod woken_by;
