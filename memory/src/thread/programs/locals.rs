//! Nine threads, each of which says where its thread-local variable is, and where that of a library is that is loaded late.

use std::{
    cell::Cell,
    ffi::{CString, c_char, c_int, c_void},
    io::Read,
    sync::{Arc, Barrier},
};

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn gettid() -> c_int;
}

thread_local! {
    static LARGE: Cell<[u64; 40]> = const { Cell::new([7; 40]) };
}

fn say(name: &str, library: Option<extern "C" fn() -> usize>) {
    let at = LARGE.with(|large| large.as_ptr() as usize);
    let tid = unsafe { gettid() };
    match library {
        Some(of_library) => println!("thread {name} {tid} {at:#x} {:#x}", of_library()),
        None => println!("thread {name} {tid} {at:#x}"),
    }
}

fn load(path: &str) -> extern "C" fn() -> usize {
    let (path, name) = (CString::new(path).unwrap(), CString::new("where_it_is").unwrap());
    unsafe {
        let library = dlopen(path.as_ptr(), 2);
        assert!(!library.is_null());
        std::mem::transmute::<*mut c_void, extern "C" fn() -> usize>(dlsym(library, name.as_ptr()))
    }
}

fn main() {
    let library = std::env::args().nth(1).map(|path| load(&path));
    let all = Arc::new(Barrier::new(9));
    for number in 0..8 {
        let all = Arc::clone(&all);
        std::thread::spawn(move || {
            say(&format!("t{number}"), library);
            all.wait();
            std::thread::park();
        });
    }
    say("main", library);
    all.wait();
    println!("ready");
    let _ = std::io::stdin().read(&mut [0]);
}
