//! holdup shows what is holding up a Tokio service.
//!
//! A datum goes one way through the rooms of this crate:
//!
//! ```text
//! source ──► model ──► diagnose ──► app ──► view ──► terminal
//!              what the      what is      what the   a room for     the real
//!              target is     wrong        user does  each screen    screen
//! ```
//!
//! [`source`] connects and decodes; [`model`] is the target as we know it; [`diagnose`] finds what is wrong with it; [`app`]
//! holds what the user is doing; [`view`] turns both into a frame; [`terminal`] owns the screen and the event loop;
//! [`cli`] is what the user types. ARCHITECTURE.md has the map and the invariants, and `tests/house.rs` checks them.
#![forbid(unsafe_code)]
// Both end the program where nobody reads them any more.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod app;
pub mod cli;
pub mod compare;
pub mod export;
pub mod fleet;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod record;
pub mod report;
pub mod source;
pub mod terminal;
pub mod view;

pub use holdup_core::{diagnose, model, number, packed, session, update};

// Services that tests play by hand name this crate as whoever uses it does.
#[cfg(test)]
extern crate self as holdup;
