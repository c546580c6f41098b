//! A layout.
#![no_main]

#[path = "../bodies/debug.rs"]
mod debug;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| debug::layout(bytes));
