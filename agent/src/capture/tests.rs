//! Stacks of threads that stall in optimized code without frame pointers: right to the function and the line.

#![allow(unsafe_code, reason = "thread ids, signal masks, and assembly that no compiler would write")]

use crate::capture::{
    Stack,
    buffer::{Refused, STACK_BYTES, Snapshot},
    running::Interrupts,
    sleeping,
    worker::Reader,
};
use holdup_stack::{frame::Frame, memory::read_own};
use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Of the tests, the ones that interrupt take turns: a process has one set of interrupts.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURNS: Mutex<()> = Mutex::new(());
    TURNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that stalls, and where.
struct Staller {
    tid: u32,
    line: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
    release: Option<Box<dyn FnOnce()>>,
}

impl Staller {
    fn new(release: impl FnOnce() + 'static, stall: impl FnOnce(&AtomicU32) + Send + 'static) -> Self {
        let line = Arc::new(AtomicU32::new(0));
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn({
            let line = Arc::clone(&line);
            move || {
                tell.send(current_tid()).unwrap();
                stall(&line);
            }
        });
        let tid = told.recv().unwrap();
        Self { tid, line, thread: Some(thread), release: Some(Box::new(release)) }
    }

    /// The line on which it stalls, once it does.
    fn line(&self) -> u32 {
        until(|| Some(self.line.load(Ordering::Acquire)).filter(|line| *line != 0))
    }
}

impl Drop for Staller {
    fn drop(&mut self) {
        self.release.take().unwrap()();
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(crate) fn current_tid() -> u32 {
    // SAFETY: it takes nothing and cannot fail.
    (unsafe { libc::gettid() }) as u32
}

/// Asks again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Reads a copy, and gives it back.
pub(crate) fn read(stack: &mut Box<Snapshot>) -> Stack {
    let reader = Reader::shared(|| {}).unwrap();
    let (tell, told) = mpsc::channel();
    let mut waiting = std::mem::replace(stack, Box::new(Snapshot::new(0)));
    while let Err(full) = reader.read(waiting, {
        let tell = tell.clone();
        move |stack, snapshot| tell.send((stack, snapshot)).unwrap()
    }) {
        thread::yield_now();
        waiting = full;
    }
    let (read, snapshot) = told.recv().unwrap();
    *stack = snapshot;
    read
}

/// The stack of a thread that will sleep soon, in the function that is asked for.
fn asleep(staller: &Staller, within: &str) -> Stack {
    let mut snapshot = Box::new(Snapshot::new(STACK_BYTES));
    staller.line();
    until(|| {
        sleeping::asleep(staller.tid, &mut snapshot).ok()?;
        Some(read(&mut snapshot)).filter(|stack| stack.frames.iter().any(|frame| frame.function.contains(within)))
    })
}

/// The frame of a function of the crate `stalling`. The name of an inlined one is told without its path.
fn frame<'a>(stack: &'a Stack, function: &str) -> &'a Frame {
    let named = |frame: &&Frame| frame.function.rsplit("::").next() == Some(function);
    let found = stack.frames.iter().find(named);
    let frame = found.unwrap_or_else(|| panic!("no {function} in {stack:#?}"));
    assert!(frame.file.ends_with("stalling/src/lib.rs"), "{frame:?}");
    frame
}

/// The stack goes all the way to where the thread began, and nothing on it was guessed.
fn whole(stack: &Stack) {
    // The standard library keeps frame pointers; its first instructions say all that the kernel does not.
    assert!(cfg!(not(target_arch = "x86_64")) || !stack.approximate, "{stack:#?}");
    to_its_root(stack);
}

fn to_its_root(stack: &Stack) {
    assert_eq!(stack.limitation, "", "{stack:#?}");
    assert!(stack.frames.iter().any(|frame| frame.function.contains("thread_start")), "{stack:#?}");
}

/// Lets a thread go on once it has noticed that the other end is gone.
fn gate() -> (impl FnOnce() + 'static, mpsc::Receiver<()>) {
    let (open, gate) = mpsc::channel::<()>();
    (move || drop(open), gate)
}

fn closed(gate: &mpsc::Receiver<()>) -> bool {
    gate.try_recv() == Err(mpsc::TryRecvError::Empty)
}

#[test]
fn the_functions_that_stall_keep_no_frame_pointer() {
    let code = stalling::sleeps as fn(&AtomicU32, Duration) as *const u8;
    let mut bytes = [0; 4];
    assert_eq!(read_own(code as u64, &mut bytes).unwrap(), bytes.len());
    assert_ne!(bytes, [0x55, 0x48, 0x89, 0xe5], "push rbp; mov rbp, rsp");
}

#[test]
fn a_thread_that_sleeps_on_purpose() {
    let (open, gate) = gate();
    let staller = Staller::new(open, move |line| {
        while closed(&gate) {
            stalling::sleeps(line, Duration::from_millis(300));
        }
    });
    let stack = asleep(&staller, "stalling::sleeps");
    assert_eq!(frame(&stack, "sleeps").line, staller.line());
    whole(&stack);
}

#[test]
fn a_thread_that_sleeps_in_a_function_inlined_into_another() {
    let (open, gate) = gate();
    let staller = Staller::new(open, move |line| {
        while closed(&gate) {
            stalling::sleeps_inside(line, Duration::from_millis(300));
        }
    });
    let stack = asleep(&staller, "stalling::sleeps_inside");
    let (inner, outer) = (frame(&stack, "inlined"), frame(&stack, "sleeps_inside"));
    assert_eq!((inner.line, inner.inlined, outer.inlined), (staller.line(), true, false));
    assert_eq!(inner.address, outer.address);
    assert_ne!(inner.line, outer.line);
    whole(&stack);
}

#[test]
fn a_thread_that_waits_for_a_lock() {
    let lock = Arc::new(Mutex::new(0));
    let theirs = Arc::clone(&lock);
    // The guard lives in a thread of its own, which gives it back in the end.
    let (open, gate) = gate();
    let (tell, told) = mpsc::channel();
    let holder = thread::spawn(move || {
        let _guard = lock.lock().unwrap();
        tell.send(()).unwrap();
        let _ = gate.recv();
    });
    told.recv().unwrap();
    let staller = Staller::new(open, move |line| {
        stalling::locks(line, &theirs);
    });
    let stack = asleep(&staller, "stalling::locks");
    assert_eq!(frame(&stack, "locks").line, staller.line());
    whole(&stack);
    drop(staller);
    holder.join().unwrap();
}

#[test]
fn a_thread_that_waits_for_a_message() {
    let (send, messages) = mpsc::channel::<u64>();
    let staller = Staller::new(
        move || drop(send),
        move |line| {
            stalling::receives(line, &messages);
        },
    );
    let stack = asleep(&staller, "stalling::receives");
    assert_eq!(frame(&stack, "receives").line, staller.line());
    whole(&stack);
}

#[test]
fn a_thread_that_reads_from_a_socket() {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let staller = Staller::new(
        move || ours.write_all(b"x").unwrap(),
        move |line| {
            stalling::reads(line, &mut theirs);
        },
    );
    let stack = asleep(&staller, "stalling::reads");
    let function = stack.frames.iter().find(|frame| frame.function.starts_with("stalling::reads")).unwrap();
    assert_eq!(function.line, staller.line());
    whole(&stack);
}

#[test]
fn a_thread_that_computes() {
    let _turn = turn();
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let staller = Staller::new(
        move || stop.store(true, Ordering::Relaxed),
        move |line| {
            stalling::computes(line, &theirs);
        },
    );
    staller.line();
    let mut snapshot = Box::new(Snapshot::new(STACK_BYTES));
    let mut interrupts = Interrupts::new().unwrap();
    assert!(matches!(Interrupts::new(), Err(Refused::Never(_))));
    let stack = until(|| {
        let armed = interrupts.arm(staller.tid).unwrap();
        until(|| armed.take(&mut snapshot).then_some(()));
        Some(read(&mut snapshot))
            .filter(|stack| stack.frames.iter().any(|frame| &*frame.function == "stalling::computes"))
    });
    let line = staller.line();
    assert!((line..=line + 1).contains(&frame(&stack, "computes").line), "{stack:#?}");
    assert!(!stack.approximate);
    whole(&stack);
}

#[test]
fn a_thread_that_blocks_signals_is_left_alone() {
    let _turn = turn();
    let (open, gate) = gate();
    let (tell, told) = mpsc::channel();
    let staller = Staller::new(open, move |_| {
        block_signals();
        tell.send(()).unwrap();
        let _ = gate.recv();
    });
    told.recv().unwrap();
    let refused = Interrupts::new().unwrap().arm(staller.tid).unwrap_err();
    assert_eq!(refused.to_string(), "the thread runs, and blocks the signal that would interrupt it");
}

fn block_signals() {
    // SAFETY: all zeroes is a valid set, and the call changes the calling thread's mask alone.
    unsafe {
        let mut every: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut every);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &raw const every, std::ptr::null_mut()), 0);
    }
}

#[test]
fn a_capture_that_is_given_up_does_not_happen() {
    let _turn = turn();
    let (open, gate) = gate();
    let staller = Staller::new(open, move |line| {
        line.store(1, Ordering::Release);
        let _ = gate.recv();
    });
    staller.line();
    let mut interrupts = Interrupts::new().unwrap();
    let mut snapshot = Box::new(Snapshot::new(STACK_BYTES));
    let armed = interrupts.arm(staller.tid).unwrap();
    assert!(interrupts.arm(staller.tid).is_err(), "one at a time");
    thread::sleep(Duration::from_millis(20));
    // It sleeps, and nothing wakes it.
    assert!(!armed.take(&mut snapshot));
    drop(armed);
    drop(interrupts.arm(staller.tid).unwrap());
}

#[test]
fn the_calling_thread() {
    let mut snapshot = Box::new(Snapshot::new(STACK_BYTES));
    sleeping::here(&mut snapshot).unwrap();
    let stack = read(&mut snapshot);
    let own = stack.frames.iter().find(|frame| frame.function.ends_with("the_calling_thread")).unwrap();
    assert!(own.file.ends_with("capture/tests.rs") && own.line > 0, "{own:?}");
    whole(&stack);
}

#[test]
fn a_stack_deeper_than_the_copy() {
    let mut snapshot = Box::new(Snapshot::new(1024));
    sleeping::here(&mut snapshot).unwrap();
    let stack = read(&mut snapshot);
    assert_eq!(stack.limitation, "the stack is deeper than what was copied of it");
    assert!(!stack.frames.is_empty());
}

// A function whose frame pointer cannot be told by its first instructions: it rounds the stack pointer down.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .text.holdup_rounds, \"ax\", @progbits",
    ".globl holdup_rounds",
    ".hidden holdup_rounds",
    ".type holdup_rounds, @function",
    "holdup_rounds:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "and rsp, -64",
    "sub rsp, 128",
    "call rdi",
    "mov rsp, rbp",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    ".size holdup_rounds, . - holdup_rounds",
    ".popsection",
);

#[test]
#[cfg(target_arch = "x86_64")]
fn a_frame_pointer_that_must_be_searched_for() {
    unsafe extern "C" {
        fn holdup_rounds(call: extern "C" fn());
    }
    extern "C" fn nap() {
        let time = libc::timespec { tv_sec: 0, tv_nsec: 300_000_000 };
        // SAFETY: the time lives until the call returns, and what is left of it is not asked for.
        unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
    }
    let (open, gate) = gate();
    let staller = Staller::new(open, move |line| {
        line.store(line!() + 3, Ordering::Release);
        while closed(&gate) {
            // SAFETY: it calls what it is given, with the stack as the calling convention asks.
            unsafe { holdup_rounds(nap) };
        }
    });
    let stack = asleep(&staller, "holdup_rounds");
    let at = stack.frames.iter().position(|frame| &*frame.function == "holdup_rounds").unwrap();
    let caller = &stack.frames[at + 1];
    assert!(caller.file.ends_with("capture/tests.rs") && caller.line == staller.line(), "{stack:#?}");
    assert!(stack.approximate);
    to_its_root(&stack);
}
