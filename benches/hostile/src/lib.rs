//! Clients of an agent that mean harm, or are merely broken, and what becomes of the service meanwhile. `tests/hostile.rs` uses them, and the command of this
//! crate prints them as a table.
//!
//! They write HTTP/2 by hand: no library would do what they do.
#![forbid(unsafe_code)]

mod attack;
mod frames;
mod seen;

pub use attack::{Attack, Attackers};
pub use seen::{Echo, Latencies, Usage, polite};
