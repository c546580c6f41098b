//! What is known of a Tokio service, and what is wrong with it. Pure: no I/O, no clock, no runtime, no terminal; the manifest and
//! `clippy.toml` see to that.
//!
//! ```text
//! model ──► diagnose
//! what the  what is
//! target is wrong
//! ```
//!
//! [`model`] is the target as we know it; [`diagnose`] finds what is wrong with it.

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
