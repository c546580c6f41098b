//! A program whose first thread ends before the others.

use std::{cell::Cell, io::Read, time::Duration};

unsafe extern "C" {
    fn gettid() -> i32;
    fn syscall(number: i64, ...) -> i64;
}

thread_local! {
    static LARGE: Cell<[u64; 40]> = const { Cell::new([7; 40]) };
}

fn main() {
    std::thread::Builder::new()
        .name("stays".into())
        .spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            let at = LARGE.with(|large| large.as_ptr() as usize);
            println!("thread stays {} {at:#x}", unsafe { gettid() });
            println!("ready");
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        })
        .unwrap();
    // The call that ends one thread alone.
    unsafe { syscall(if cfg!(target_arch = "x86_64") { 60 } else { 93 }, 0) };
}
