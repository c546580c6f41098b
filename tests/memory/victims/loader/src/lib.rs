//! Loads a shared object, and runs it.

use std::{ffi::CString, process::exit};

/// Loads what the first argument names.
pub fn load() {
    let Some(path) = std::env::args().nth(1).and_then(|path| CString::new(path).ok()) else { exit(2) };
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
