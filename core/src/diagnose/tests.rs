//! The engine as a whole, and lints whose cases need no agent.

mod driven;
mod engine;
mod lints;
mod turns;
