//! What an agent sends.
#![no_main]

#[path = "../bodies/updates.rs"]
#[expect(dead_code, reason = "each target uses a part of this")]
mod updates;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| updates::holdup(bytes));
