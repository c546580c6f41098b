//! The engine as a whole, and lints whose cases need no agent.

mod accounts;
mod driven;
mod ends;
mod engine;
mod idle;
mod late;
mod lints;
mod many;
mod others;
mod outlines;
mod turns;
