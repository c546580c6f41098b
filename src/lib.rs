//! holdup shows what is holding up a Tokio service.
//!
//! A datum goes one way through the rooms of this crate:
//!
//! ```text
//! wire ──► model ──► diagnose ──► app ──► view ──► terminal
//!            what the      what is      what the   one file for   the real
//!            target is     wrong        user does  each region    screen
//! ```
//!
//! [`wire`] connects and decodes; [`model`] is the target as we know it; [`diagnose`] finds what is wrong with it; [`app`]
//! holds what the user is doing; [`view`] turns both into a frame; [`terminal`] owns the screen and the event loop;
//! [`cli`] is what the user types. ARCHITECTURE.md has the map and the invariants, and `tests/house.rs` checks them.

pub mod app;
pub mod cli;
pub mod report;
pub mod terminal;
pub mod view;
pub mod wire;

pub use holdup_core::{diagnose, model, number, session, update};
