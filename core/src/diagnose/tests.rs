//! The engine as a whole.

mod before;
mod compare;
mod engine;
