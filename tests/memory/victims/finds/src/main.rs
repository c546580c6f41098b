//! finds CASE [control]: a process in which one thing is wrong; as a control, one that looks like it and in which nothing is. It says
//! `ready` once it stands where it will, and ends with its stdin.

mod guards;
mod locks;
mod pool;
mod tasks;
mod waits;

use std::{io::Read, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(100_000);

/// What is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Wrong,
    Control,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let case = if arguments.next().as_deref() == Some("control") { Case::Control } else { Case::Wrong };
    let runtime = threads(4);
    let begin: fn(Case) = match name.as_str() {
        "deadlock" => locks::deadlock,
        "deadlock-of-many" => locks::deadlock_of_many,
        "held-across-await" => locks::held_across_await,
        "join-set" => locks::join_set,
        "lock-convoy" => locks::lock_convoy,
        "stalled-worker" => tasks::stalled_worker,
        "never-polled" => tasks::never_polled,
        "abandoned-wait" => waits::abandoned_wait,
        "abandoned-deadlock" => |_| waits::abandoned_deadlock(),
        "undriven" => tasks::undriven,
        "lost-waker" => tasks::lost_waker,
        "blocking-pool-full" => tasks::blocking_pool_full,
        "panicked" => tasks::panicked,
        "guard-only-thread" => guards::only_thread,
        "guard-root" => guards::root_has_it,
        "guard-job" => guards::job_waits,
        "guard-two-kinds" => guards::two_kinds,
        "guard-all-workers" => guards::all_workers,
        "guard-condition" => |_| guards::condition(),
        "pool" => pool::pool,
        "healthy" => pool::healthy,
        "idle" => pool::idle,
        _ => {
            eprintln!("no such case: {name}");
            std::process::exit(2);
        }
    };
    // A thread that is none of tokio's could have any lock of the standard library.
    if name.starts_with("guard-") {
        runtime.spawn_blocking(ends_with_stdin);
    } else {
        std::thread::spawn(ends_with_stdin);
    }
    runtime.block_on(async move {
        begin(case);
        sleep(ms(500)).await;
        println!("ready");
        sleep(LONG).await;
    });
}

fn ends_with_stdin() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}

fn threads(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).max_blocking_threads(2).enable_all().build().expect("a runtime")
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
