//! The engine as a whole, and lints whose cases need no agent.

mod before;
mod compare;
mod engine;
mod lints;
