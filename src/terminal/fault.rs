//! A panic on request, so that tests of the shipped program can see what one leaves of the terminal. Nobody else asks for it.

use std::{env, time::Duration};

/// `screen` panics in the event loop, `thread` in a thread beside it; both a second after the start.
const VARIABLE: &str = "HOLDUP_FAULT_PANIC";

/// Panics where the environment asks for it. What it gives back ends in a panic, or never.
pub(super) async fn panic_on_request() {
    match env::var(VARIABLE).as_deref() {
        Ok("screen") => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            panic!("a panic on request, in the event loop");
        }
        Ok("thread") => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            std::thread::spawn(|| panic!("a panic on request, in another thread"));
        }
        _ => {}
    }
    std::future::pending::<()>().await;
}
