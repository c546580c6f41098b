//! bare WORK SCALE: does the work once, and prints what it took.

#[path = "../../src/done.rs"]
mod done;

use done::{Host, log_layer};
use std::process::ExitCode;
use tracing_subscriber::{layer::SubscriberExt as _, registry, util::SubscriberInitExt as _};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let took = match &*arguments {
        [work, scale] => {
            if Host::of(work) == Host::Logs {
                registry().with(log_layer()).init();
            }
            scale.parse().ok().and_then(|scale| done::by_name(work, scale))
        }
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
