//! What is known of a Tokio service, and what is wrong with it. Pure: no I/O, no clock, no runtime, no terminal; the manifest and
//! `clippy.toml` see to that.
//!
//! ```text
//! update ──────► model ──────► diagnose ────► session
//! what a source  what the      what is        one target
//! tells          target is     wrong          at one instant
//! ```
//!
//! [`update`] is what a source tells, in plain data; [`model`] is the target as we know it; [`diagnose`] finds what is wrong with it;
//! a [`session`] is all of that of one target, and where its source stands.
#![forbid(unsafe_code)]
// Nothing that a peer sends may end the program.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]

// Unit tests share the service that tests/support plays, and that names the crate as a user of it does.
#[cfg(test)]
extern crate self as holdup;

pub mod diagnose;
pub mod model;
pub mod number;
pub mod packed;
pub mod session;
pub mod update;
