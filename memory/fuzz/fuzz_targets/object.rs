//! An object file with its debug information.
#![no_main]

#[path = "../bodies/debug.rs"]
mod debug;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| debug::object(bytes));
