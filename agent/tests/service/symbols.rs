//! What a service needs of the C library for the agent's sake: nothing that glibc 2.17 does not have, so that it starts on systems as old as those
//! that Rust itself supports. This executable has all of the agent in it, and what it depends on.

use object::{Object as _, ObjectSymbol as _};
use std::{collections::BTreeSet, env, fs};

/// Functions of glibc that came later. What is looked for at run time, as a weak symbol, is not needed.
const NEWER: &str = include_str!("../../../tests/house/newer_than_glibc_2_17.txt");

#[test]
fn nothing_is_needed_that_an_old_c_library_does_not_have() {
    let executable = fs::read(env::current_exe().expect("this executable is known")).expect("it can be read");
    let file = object::File::parse(&*executable).expect("an executable");
    let needed = file.dynamic_symbols().filter(|symbol| symbol.is_undefined() && !symbol.is_weak());
    let needed: BTreeSet<&str> = needed.filter_map(|symbol| symbol.name().ok()).collect();
    assert!(needed.contains("timer_create"), "the agent was not found: {needed:?}");
    let newer: Vec<&str> = NEWER.lines().filter(|name| needed.contains(name)).collect();
    assert!(newer.is_empty(), "newer than glibc 2.17: {newer:?}");
}
