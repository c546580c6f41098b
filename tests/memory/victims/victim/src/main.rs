//! victim CASE: stands still in everything that a task can stand still in, tells the truth of it, and ends with its stdin.

#![cfg_attr(not(feature = "all"), allow(dead_code, unused_variables, reason = "what is left out uses it"))]

mod cases;
mod truth;

use std::sync::Arc;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    truth::answer(Arc::new(|line| cases::told(line)));
    if !cases::run(&case, &rest) {
        eprintln!("no such case: {case}");
        std::process::exit(2);
    }
}
