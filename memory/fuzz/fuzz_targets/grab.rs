//! A grab: what is in it, since what is packed has a checksum.
#![no_main]

#[path = "../bodies/core.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::grab(bytes));
