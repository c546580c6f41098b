//! A target's address.
#![no_main]

#[path = "../bodies/typed.rs"]
#[expect(dead_code, reason = "each target uses a part of this")]
mod typed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| typed::target(bytes));
