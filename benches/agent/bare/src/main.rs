//! bare WORK SCALE: does the work once, and prints what it took.

#[path = "../../src/done.rs"]
mod done;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let took = match &*arguments {
        [work, scale] => scale.parse().ok().and_then(|scale| done::by_name(work, scale)),
        _ => None,
    };
    match took {
        Some(took) => {
            println!("{took}");
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}
