//! Ten thousand captures of threads that sleep, compute, allocate, load libraries and spawn: nothing deadlocks or crashes, and
//! no system call ever fails with `EINTR`.

#![allow(unsafe_code, reason = "calls that the standard library hides or repeats by itself when they are interrupted")]

use crate::capture::{
    buffer::{Refused, STACK_BYTES, Snapshot},
    running::Interrupts,
    sleeping,
    tests::{current_tid, read, turn},
};
use std::{
    ffi::{CStr, c_int},
    hint::black_box,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Captures in all, and how many of them are of running threads: one of those takes a tick of the kernel's clock.
const CAPTURES: usize = 10_000;
const INTERRUPTS: usize = 500;

/// What all threads see.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Calls that failed because of a signal.
    interrupted: AtomicU64,
    /// Calls in all.
    calls: AtomicU64,
}

impl Shared {
    fn until_stopped(&self, work: impl Fn(usize)) {
        let mut round = 0;
        while !self.stop.load(Ordering::Relaxed) {
            work(round);
            round += 1;
        }
    }

    /// Notes what a call that may be interrupted returned.
    fn returned(&self, result: i64) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if result < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) {
            self.interrupted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sleeps for so many milliseconds in one of the calls that are never restarted after a signal handler.
fn sleep(way: usize, millis: c_int) -> i64 {
    let time = libc::timespec { tv_sec: 0, tv_nsec: i64::from(millis) * 1_000_000 };
    // SAFETY: what is pointed to lives until the call returns, and descriptors are closed again.
    unsafe {
        match way % 6 {
            0 => libc::nanosleep(&raw const time, std::ptr::null_mut()).into(),
            1 => libc::poll(std::ptr::null_mut(), 0, millis).into(),
            2 => libc::select(
                0,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                &mut libc::timeval { tv_sec: 0, tv_usec: i64::from(millis) * 1000 },
            )
            .into(),
            3 => {
                let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
                let mut event = libc::epoll_event { events: 0, u64: 0 };
                let result = libc::epoll_wait(epoll, &raw mut event, 1, millis);
                let error = *libc::__errno_location();
                libc::close(epoll);
                *libc::__errno_location() = error;
                result.into()
            }
            4 => {
                let word = 0_u32;
                let wait = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
                libc::syscall(libc::SYS_futex, &raw const word, wait, 0, &raw const time)
            }
            _ => {
                let mut ends = [0; 2];
                assert_eq!(libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, ends.as_mut_ptr()), 0);
                let time = libc::timeval { tv_sec: 0, tv_usec: i64::from(millis) * 1000 };
                let size = size_of_val(&time) as u32;
                libc::setsockopt(ends[0], libc::SOL_SOCKET, libc::SO_RCVTIMEO, (&raw const time).cast(), size);
                let mut byte = 0_u8;
                let result = libc::recv(ends[0], (&raw mut byte).cast(), 1, 0);
                let error = *libc::__errno_location();
                libc::close(ends[0]);
                libc::close(ends[1]);
                *libc::__errno_location() = error;
                result as i64
            }
        }
    }
}

fn compute(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        black_box((0..1000).fold(0_u64, |sum, i| sum ^ black_box(i)));
    }
}

fn load(name: &CStr) {
    // SAFETY: these libraries come with the system's C library, and do nothing when they are loaded.
    unsafe {
        let library = libc::dlopen(name.as_ptr(), libc::RTLD_NOW);
        if !library.is_null() {
            libc::dlclose(library);
        }
    }
}

/// What the threads do, each in a loop: the number of the round is the argument.
fn works(shared: &Arc<Shared>) -> Vec<Box<dyn Fn(usize) + Send>> {
    let mut works: Vec<Box<dyn Fn(usize) + Send>> = Vec::new();
    for way in 0..6 {
        let shared = Arc::clone(shared);
        works.push(Box::new(move |_| shared.returned(sleep(way, 50))));
    }
    // These fall asleep at any moment of a capture.
    for seed in 0..3 {
        let shared = Arc::clone(shared);
        works.push(Box::new(move |round| {
            compute(Duration::from_micros((round * 397 + seed * 1013) as u64 % 3000));
            shared.returned(sleep(round + seed, 1));
        }));
    }
    works.push(Box::new(|round| {
        black_box((0..64).map(|i| vec![round as u8; 1 + (round * 31 + i * 977) % 20_000]).collect::<Vec<_>>());
        thread::sleep(Duration::from_micros(300));
    }));
    works.push(Box::new(|round| {
        load([c"libresolv.so.2", c"libanl.so.1", c"libBrokenLocale.so.1"][round % 3]);
        thread::sleep(Duration::from_micros(300));
    }));
    works.push(Box::new(|round| {
        let children: Vec<_> = (0..4).map(|i| thread::spawn(move || black_box(vec![round; i * 100]))).collect();
        for child in children {
            child.join().unwrap();
        }
        thread::sleep(Duration::from_millis(1));
    }));
    works
}

/// Starts a thread for each work, and tells their ids.
fn start(shared: &Arc<Shared>) -> (Vec<u32>, Vec<JoinHandle<()>>) {
    let (tell, told) = mpsc::channel();
    let works = works(shared);
    let count = works.len();
    let threads = works.into_iter().map(|work| {
        let (shared, tell) = (Arc::clone(shared), tell.clone());
        thread::spawn(move || {
            tell.send(current_tid()).unwrap();
            shared.until_stopped(work);
        })
    });
    let threads = threads.collect();
    (told.into_iter().take(count).collect(), threads)
}

#[test]
fn ten_thousand_captures_disturb_nobody() {
    let _turn = turn();
    let shared = Arc::new(Shared::default());
    let (tids, threads) = start(&shared);
    let mut interrupts = Interrupts::new().unwrap();
    let mut copy = Box::new(Snapshot::new(STACK_BYTES));
    let (mut asleep, mut running, mut frames) = (0_usize, 0, 0);
    for tid in tids.iter().cycle() {
        if asleep + running >= CAPTURES && running == INTERRUPTS {
            break;
        }
        match sleeping::asleep(*tid, &mut copy) {
            Ok(()) => asleep += 1,
            Err(Refused::Runs | Refused::Moved) if running == INTERRUPTS => continue,
            Err(Refused::Runs | Refused::Moved) => {
                let armed = match interrupts.arm(*tid) {
                    Ok(armed) => armed,
                    // A thread that spawns another blocks signals meanwhile.
                    Err(Refused::Busy | Refused::NotInterruptible(_)) => continue,
                    Err(refused) => panic!("{refused}"),
                };
                let begun = Instant::now();
                let mut taken = false;
                while !taken && begun.elapsed() < Duration::from_millis(20) {
                    thread::sleep(Duration::from_micros(500));
                    taken = armed.take(&mut copy);
                }
                if !taken {
                    continue;
                }
                running += 1;
            }
            Err(refused) => panic!("{refused}"),
        }
        // Reading takes longer than capturing: not all of them are read, so that captures follow upon each other as well.
        if (asleep + running) % 8 == 0 {
            frames += read(&mut copy).frames.len();
        }
    }
    println!("{asleep} asleep, {running} running, {frames} frames, {} calls", shared.calls.load(Ordering::Relaxed));
    assert!(asleep > 0 && frames > CAPTURES / 8 * 3, "{asleep} asleep, {running} running, {frames} frames");
    assert!(shared.calls.load(Ordering::Relaxed) > 1000);
    assert_eq!(shared.interrupted.load(Ordering::Relaxed), 0, "calls failed with EINTR");
    shared.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_signal_that_is_sent_would_have_been_noticed() {
    let _turn = turn();
    let interrupts = Interrupts::new().unwrap();
    let shared = Arc::new(Shared::default());
    let tid = Arc::new(AtomicU32::new(0));
    let thread = thread::spawn({
        let (shared, tid) = (Arc::clone(&shared), Arc::clone(&tid));
        move || {
            tid.store(current_tid(), Ordering::Release);
            shared.until_stopped(|way| shared.returned(sleep(way, 50)));
        }
    });
    let begun = Instant::now();
    while shared.interrupted.load(Ordering::Relaxed) == 0 && begun.elapsed() < Duration::from_secs(20) {
        if tid.load(Ordering::Acquire) != 0 {
            // SAFETY: the thread lives, and the handler does nothing with a signal that comes from no timer.
            unsafe {
                libc::syscall(libc::SYS_tgkill, libc::getpid(), tid.load(Ordering::Acquire), interrupts.signal())
            };
        }
        thread::sleep(Duration::from_millis(7));
    }
    shared.stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    assert!(shared.interrupted.load(Ordering::Relaxed) > 0);
}
