//! loader PATH: loads the shared object at PATH, and runs it.

use std::{ffi::CString, process::exit};

fn main() {
    let Some(path) = std::env::args().nth(1).and_then(|path| CString::new(path).ok()) else { exit(2) };
    #[cfg(feature = "twice")]
    own();
    // SAFETY: both strings end in 0, and the function that is looked for has no arguments.
    unsafe {
        let object = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        let run = if object.is_null() { object } else { libc::dlsym(object, c"run".as_ptr()) };
        if run.is_null() {
            eprintln!("not loaded");
            exit(2);
        }
        std::mem::transmute::<*mut libc::c_void, extern "C" fn()>(run)();
    }
}

/// Tasks of the executable's own tokio.
#[cfg(feature = "twice")]
fn own() {
    use std::time::Duration;
    async fn own_sleep(seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        for _ in 0..3 {
            runtime.spawn(own_sleep(100_000));
        }
        runtime.block_on(own_sleep(200_000));
    });
}
