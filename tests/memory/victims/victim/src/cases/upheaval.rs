//! What becomes of a process while it is looked at: on a line of stdin it executes another program, exits, forks, gives memory
//! back, or puts another file in the place of its own.

use super::{asleep, motion, settle, spawn};
use crate::truth;
use std::{
    os::unix::process::CommandExt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

pub async fn run() {
    for n in 0..2_000 {
        spawn(asleep(n));
    }
    motion::start();
    settle().await;
    std::future::pending::<()>().await;
}

static MAPPED: AtomicU64 = AtomicU64::new(0);

pub fn happens(line: &str) {
    match line {
        "exec" => {
            let error = std::process::Command::new("/proc/self/exe").args(["chains"]).exec();
            eprintln!("{error}");
        }
        "exit" => std::process::exit(0),
        "fork" => fork(),
        "map" => map(),
        "unmap" => unmap(),
        "replace" => replace(),
        line => eprintln!("not known: {line}"),
    }
}

/// The child has the tasks, and none of the threads that would run them.
fn fork() {
    // SAFETY: the child calls nothing but `read` and `_exit`.
    unsafe {
        match libc::fork() {
            0 => {
                // Stdin ends for the child as it does for its parent.
                let mut byte = 0_u8;
                while libc::read(0, (&raw mut byte).cast(), 1) > 0 {}
                libc::_exit(0);
            }
            child => truth::say(&format!("forked {child}\n")),
        }
    }
}

const SIZE: usize = 16 << 20;

/// Memory that is present, and goes away again.
fn map() {
    // SAFETY: new pages, of which the first byte each is written.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        let at = libc::mmap(std::ptr::null_mut(), SIZE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        MAPPED.store(at as u64, Relaxed);
    }
    truth::say("mapped\n");
}

fn unmap() {
    // SAFETY: what `map` made, and nobody else uses.
    unsafe { libc::munmap(MAPPED.load(Relaxed) as *mut libc::c_void, SIZE) };
    truth::say("unmapped\n");
}

/// Another file gets this one's name, as by an update of the service. The name must be of a copy that is the test's own.
fn replace() {
    let replaced = std::env::current_exe().and_then(|path| {
        let new = path.with_extension("new");
        std::fs::write(&new, "not a program")?;
        std::fs::rename(&new, &path)
    });
    truth::say(if replaced.is_ok() { "replaced\n" } else { "not replaced\n" });
}
