//! The wire format of holdup's own service, `holdup.v1.Diagnostics`: what the console's format cannot say.
//!
//! An agent serves it beside `rs.tokio.console.instrument.Instrument` on one port; the client asks for it and goes on
//! without it when the answer is UNIMPLEMENTED. `holdup.proto`, next to this crate's manifest, is the format and its
//! documentation. The Rust is generated from it, committed, and compared with a fresh generation by
//! `tests/regenerate.rs`, so that a build needs no `protoc` and a change to the format is seen in review.
//!
//! To change the format: edit `holdup.proto`, run `HOLDUP_REGENERATE=1 cargo test -p holdup-proto`, commit both. Fields
//! are only added, never renumbered or reused: clients and agents of different age must understand each other.
//!
//! This crate knows nothing of what is sent or why: no conversion, no transport, no defaults.
#![forbid(unsafe_code)]

/// Messages, client and server of the package `holdup.v1`.
pub mod v1 {
    #![allow(
        missing_docs,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        reason = "generated; holdup.proto documents what has a meaning"
    )]
    include!("generated/holdup.v1.rs");
}
