//! Threads that sleep and one that runs, three calls deep.

use std::{
    hint::black_box,
    io::Read,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

unsafe extern "C" {
    fn gettid() -> i32;
}

#[inline(never)]
fn outer(how: fn() -> u64) -> u64 {
    println!("thread {} {} 0", std::thread::current().name().unwrap(), unsafe { gettid() });
    black_box(middle(how)) + 1
}

#[inline(never)]
fn middle(how: fn() -> u64) -> u64 {
    black_box(how()) + 1
}

#[inline(never)]
fn sleeping() -> u64 {
    std::thread::sleep(Duration::from_secs(3600));
    1
}

#[inline(never)]
fn waiting() -> u64 {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let guard = pair.0.lock().unwrap();
    *pair.1.wait_while(guard, |number| *number == 0).unwrap()
}

#[inline(never)]
fn spinning() -> u64 {
    let mut count = 0_u64;
    while count < u64::MAX {
        count = black_box(count.wrapping_add(1)) % 1_000_000;
    }
    count
}

fn main() {
    let ways: [(&str, fn() -> u64); 3] = [("sleeping", sleeping), ("waiting", waiting), ("spinning", spinning)];
    for (name, how) in ways {
        std::thread::Builder::new().name(name.into()).spawn(move || outer(how)).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    println!("ready");
    let _ = std::io::stdin().read(&mut [0]);
}
