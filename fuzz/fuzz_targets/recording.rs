//! A recording.
#![no_main]

#[path = "../bodies/recorded.rs"]
#[expect(dead_code, reason = "each target uses a part of this")]
mod recorded;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recorded::recording(bytes));
