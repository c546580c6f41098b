//! A core file.
#![no_main]

#[path = "../bodies/core.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::core(bytes));
