//! Captures a thread that runs, by a signal whose handler copies registers and stack into memory made beforehand.
//!
//! No system call of the service may fail with `EINTR` because of it. A signal that is *sent* to a thread cannot promise
//! that: the thread may fall asleep between the look and the delivery, and calls such as `epoll_wait` and `nanosleep` are
//! never restarted. So none is sent. Instead, the thread's own CPU clock is given a timer: it expires at a tick that finds
//! the thread on a CPU, and kernels that expire such timers in the thread's own context (`POSIX_CPU_TIMERS_TASK_WORK`: x86-64
//! since 5.10, and every architecture that mainline can build for real time since 6.12) do that on the way back to user space:
//! a call that sleeps is not woken by it, and one that returns has returned already. Only `io_uring_enter` does such work
//! itself before it sleeps, and can return early if the tick came during the call; it does so for other reasons, too. Where the
//! kernel is older, or the thread blocks the signal, the thread is left alone, and the refusal says so.
//!
//! # The word that says whose the memory is
//!
//! ```text
//!  63                                   3 2       0
//! ┌──────────────────────────────────────┬─────────┐
//! │ the turn, 61 bits                    │ state   │   0: nobody's
//! └──────────────────────────────────────┴─────────┘
//!  WANTED 1, COPYING 2, COPIED 3, UNWANTED 4
//! ```
//!
//! | from | to | by whom | how | what it publishes |
//! |---|---|---|---|---|
//! | 0 | turn, WANTED | [`Interrupts::arm`]: the one who may interrupt | release store | the thread that is wanted, written before |
//! | turn, WANTED | turn, COPYING | [`handler`], on that thread, with that turn | acquire exchange | |
//! | turn, WANTED | 0 | dropping the turn's [`Armed`] | exchange | |
//! | turn, COPYING | turn, COPIED | the handler that made it COPYING | exchange with release | registers and stack |
//! | turn, COPYING | turn, UNWANTED | dropping the turn's [`Armed`] | exchange | |
//! | turn, COPIED | 0 | the same | release store | that nobody reads the memory any more |
//! | turn, UNWANTED | 0 | the handler that made it COPYING | release store | that nobody writes the memory any more |
//!
//! - **C1, one at the memory.** In COPYING and UNWANTED the memory is the handler's that made it COPYING, in COPIED it is the turn's `Armed`'s, and else
//!   nobody's. Each leaves it by changing the word, and does not look at it again.
//! - **C2, one turn at a time.** A turn begins at 0 alone, so that there is one `Armed` at most, and no handler at work that is not its own.
//! - **C3, a turn comes once.** Turns are counted up: a signal that comes late, or is another's, carries none that is wanted, or comes on another thread.
//! - **C4, safe at any instruction.** The handler makes two system calls and touches what is static, and `errno`, which it puts back.

#![allow(
    unsafe_code,
    reason = "signals and timers have no safe interface, and the handler shares memory with whoever waits"
)]

use crate::capture::buffer::{Refused, STACK_BYTES, Snapshot};
use holdup_stack::{copy::Registers, memory::read_own};
use std::{
    cell::UnsafeCell,
    ffi::{c_int, c_void},
    fs, io, mem, ptr,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};

/// The right to interrupt threads: one in a process.
#[derive(Debug)]
pub(crate) struct Interrupts {
    signal: c_int,
}

/// A capture that is under way: it happens when the thread uses a CPU next. Dropped, it happens no more.
#[derive(Debug)]
pub(crate) struct Armed {
    timer: libc::timer_t,
    turn: u64,
}

// SAFETY: a timer's id belongs to the process, not to a thread.
unsafe impl Send for Armed {}

/// What the handler fills. `state` says whose it is.
struct Slot {
    /// As drawn above.
    state: AtomicU64,
    /// The thread that is wanted.
    tid: AtomicU32,
    memory: UnsafeCell<Memory>,
}

struct Memory {
    registers: Registers,
    filled: usize,
    stack: [u8; STACK_BYTES],
}

const NOBODYS: u64 = 0;
const WANTED: u64 = 1;
const COPYING: u64 = 2;
const COPIED: u64 = 3;
/// The handler is at work for somebody who has given up.
const UNWANTED: u64 = 4;
const TURN_AT: u32 = 3;
const STATE: u64 = (1 << TURN_AT) - 1;

/// The word of a turn.
fn word(turn: u64, state: u64) -> u64 {
    debug_assert!(turn != 0 && turn >> (64 - TURN_AT) == 0 && (WANTED..=UNWANTED).contains(&state));
    (turn << TURN_AT) | state
}

// SAFETY: C1: `memory` is touched by one at a time, and handed on by release and acquire.
unsafe impl Sync for Slot {}

static SLOT: Slot = Slot {
    state: AtomicU64::new(NOBODYS),
    tid: AtomicU32::new(0),
    memory: UnsafeCell::new(Memory {
        registers: Registers { pc: 0, sp: 0, fp: None, lr: None },
        filled: 0,
        stack: [0; STACK_BYTES],
    }),
};

static IN_USE: AtomicBool = AtomicBool::new(false);

/// Grows with each capture, so that a signal that comes too late is told from the one that is waited for.
static TURNS: AtomicU64 = AtomicU64::new(0);

impl Interrupts {
    /// Takes a real-time signal that nobody uses.
    pub(crate) fn new() -> Result<Self, Refused> {
        if !is_safe() {
            return Err(never("this kernel is too old to interrupt it without a risk for its system calls"));
        }
        try_timer()?;
        is_roomy()?;
        if IN_USE.swap(true, Ordering::AcqRel) {
            return Err(never("something else in this process captures threads already"));
        }
        let signal = free_signal().inspect_err(|_| IN_USE.store(false, Ordering::Release))?;
        Ok(Self { signal })
    }

    #[cfg(test)]
    pub(crate) fn signal(&self) -> c_int {
        self.signal
    }

    /// Has a thread captured when it uses a CPU next. One at a time.
    pub(crate) fn arm(&mut self, tid: u32) -> Result<Armed, Refused> {
        is_roomy()?;
        if handler_of(self.signal) != ours() {
            // The service has taken it over, and keeps it.
            self.signal = free_signal()?;
        }
        if blocks(tid, self.signal)? {
            return Err(Refused::NotInterruptible("blocks the signal that would interrupt it".into()));
        }
        // C2: what is nobody's stays so, since nobody else begins a turn.
        if SLOT.state.load(Ordering::Acquire) != NOBODYS {
            return Err(Refused::Busy);
        }
        let turn = TURNS.fetch_add(1, Ordering::Relaxed) + 1;
        let timer = timer_on_cpu_clock(tid, self.signal, turn).map_err(|error| no_timer(&error))?;
        let armed = Armed { timer, turn };
        SLOT.tid.store(tid, Ordering::Relaxed);
        let before = SLOT.state.swap(word(turn, WANTED), Ordering::Release);
        debug_assert_eq!(before, NOBODYS, "C2: a turn began during another");
        expire(timer, SOON).map_err(|error| no_start(&error))?;
        Ok(armed)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // The handler stays: a signal that is still under way must find it.
        IN_USE.store(false, Ordering::Release);
    }
}

impl Armed {
    /// Hands out the capture, once it has happened.
    pub(crate) fn take(&self, into: &mut Snapshot) -> bool {
        if SLOT.state.load(Ordering::Acquire) != word(self.turn, COPIED) {
            return false;
        }
        // SAFETY: C1: the handler of this turn is through, and by C2 no other turn begins before `self` is gone.
        let memory = unsafe { &*SLOT.memory.get() };
        into.fill(memory.registers, &memory.stack[..memory.filled]);
        true
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        // SAFETY: the timer was made for this value, which alone deletes it.
        unsafe { libc::timer_delete(self.timer) };
        // A handler that is at work is left to finish: until then nobody arms again.
        let own = |state| word(self.turn, state);
        let give_up = |now: u64| match now {
            _ if now == own(WANTED) || now == own(COPIED) => Some(NOBODYS),
            _ if now == own(COPYING) => Some(own(UNWANTED)),
            _ => None,
        };
        let before = SLOT.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, give_up);
        debug_assert!(before.is_ok_and(|word| word >> TURN_AT == self.turn), "C2: {before:?} is not of this turn");
    }
}

/// Copies what it interrupted. It allocates nothing, takes no lock, touches no thread-local but `errno`, which it puts back (C4).
extern "C" fn handler(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes both, for as long as the handler runs.
    let (info, context) = unsafe { (&*info, &*context.cast::<libc::ucontext_t>()) };
    if info.si_code != libc::SI_TIMER {
        return;
    }
    // SAFETY: a timer's signal carries the value that the timer was made with.
    let turn = unsafe { info.si_value() }.sival_ptr as u64;
    let wanted = SLOT.state.load(Ordering::Acquire);
    // C3: timers of the service's own may use the signal too, with any value, on any thread.
    if wanted & STATE != WANTED || wanted >> TURN_AT != turn || SLOT.tid.load(Ordering::Relaxed) != current_tid() {
        return;
    }
    let [copying, copied] = [COPYING, COPIED].map(|state| (turn << TURN_AT) | state);
    if SLOT.state.compare_exchange(wanted, copying, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return;
    }
    // SAFETY: C4: `errno` is the thread's own.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: C1: the word was WANTED and is COPYING now, by this very call: nobody else touches the memory.
    let memory = unsafe { &mut *SLOT.memory.get() };
    memory.registers = interrupted(context);
    memory.filled = read_own(memory.registers.sp, &mut memory.stack).unwrap_or(0);
    if SLOT.state.compare_exchange(copying, copied, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        // It is UNWANTED by now, and nobody else changes that.
        SLOT.state.store(NOBODYS, Ordering::Release);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

#[cfg(target_arch = "x86_64")]
fn interrupted(context: &libc::ucontext_t) -> Registers {
    let register = |index: c_int| context.uc_mcontext.gregs[index as usize] as u64;
    Registers { pc: register(libc::REG_RIP), sp: register(libc::REG_RSP), fp: Some(register(libc::REG_RBP)), lr: None }
}

#[cfg(target_arch = "aarch64")]
fn interrupted(context: &libc::ucontext_t) -> Registers {
    let machine = &context.uc_mcontext;
    Registers { pc: machine.pc, sp: machine.sp, fp: Some(machine.regs[29]), lr: Some(machine.regs[30]) }
}

fn never(why: impl Into<String>) -> Refused {
    Refused::Never(why.into())
}

fn no_timer(error: &io::Error) -> Refused {
    never(format!(
        "the kernel refuses a timer on a CPU clock (timer_create: {error}); a filter of system calls may have to let it through"
    ))
}

fn no_start(error: &io::Error) -> Refused {
    never(format!(
        "the kernel refuses to start a timer (timer_settime: {error}); a filter of system calls may have to let it through"
    ))
}

/// Makes a timer and lets it go, to know whether that can be done.
fn try_timer() -> Result<(), Refused> {
    // It is never started, so that its signal does not matter.
    let timer = timer_on_cpu_clock(current_tid(), libc::SIGRTMAX(), 0).map_err(|error| no_timer(&error))?;
    let stopped = expire(timer, NEVER).map_err(|error| no_start(&error));
    // SAFETY: the timer is deleted once.
    unsafe { libc::timer_delete(timer) };
    stopped
}

/// A real-time signal with the handler: the one that was taken before, if there was one, or one that nobody uses.
fn free_signal() -> Result<c_int, Refused> {
    let with = |handler| {
        let mut signals = (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev();
        signals.find(|signal| handler_of(*signal) == handler && install(*signal))
    };
    with(ours()).or_else(|| with(libc::SIG_DFL)).ok_or_else(|| {
        if handler_of(libc::SIGRTMAX()) == libc::SIG_ERR {
            let error = io::Error::last_os_error();
            return never(format!("the kernel lets nobody handle a signal (rt_sigaction: {error})"));
        }
        never("the service uses every real-time signal itself")
    })
}

/// Whether this kernel lets timers on CPU clocks expire on the way to user space.
fn is_safe() -> bool {
    kernel_is_safe(&fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default())
}

/// Whether a kernel of this release does.
fn kernel_is_safe(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= SAFE_SINCE
}

const SAFE_SINCE: (u32, u32) = if cfg!(target_arch = "x86_64") { (5, 10) } else { (6, 12) };

/// Whether no handler of the service's, such as profilers have, runs on the stack that threads have for signals. What the kernel puts
/// there for one is half of it, or more, where registers are wide: were the thread interrupted once more in there, the process would end.
/// This handler lets nobody in while it runs. What ends a process or tells of a child comes seldom, and is not looked at.
fn is_roomy() -> Result<(), Refused> {
    let profilers = [libc::SIGPROF, libc::SIGVTALRM, libc::SIGALRM];
    let crowds = |signal: &c_int| {
        action_of(*signal).is_some_and(|action| {
            let is_theirs = ![libc::SIG_DFL, libc::SIG_IGN, ours()].contains(&action.sa_sigaction);
            is_theirs && action.sa_flags & libc::SA_ONSTACK != 0
        })
    };
    match profilers.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()).find(crowds) {
        None => Ok(()),
        Some(signal) => Err(never(format!(
            "the service has a profiler, or the like, that handles signal {signal} on the stack for signals (SA_ONSTACK), which has no room for two"
        ))),
    }
}

fn action_of(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeroes is a valid value, and the kernel writes what it has; nothing is changed.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        (libc::sigaction(signal, ptr::null(), &raw mut action) == 0).then_some(action)
    }
}

fn handler_of(signal: c_int) -> libc::sighandler_t {
    action_of(signal).map_or(libc::SIG_ERR, |action| action.sa_sigaction)
}

/// Puts the handler where there is none. Another thread may have put its own there since that was looked at: it gets it back.
fn install(signal: c_int) -> bool {
    // SAFETY: the handler has the signature that SA_SIGINFO asks for, and is safe to run at any instruction; what is put back is what
    // the kernel had.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = ours();
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        let mut before: libc::sigaction = mem::zeroed();
        if libc::sigaction(signal, &raw const action, &raw mut before) != 0 {
            return false;
        }
        let was_free = [libc::SIG_DFL, ours()].contains(&before.sa_sigaction);
        if !was_free {
            libc::sigaction(signal, &raw const before, ptr::null_mut());
        }
        was_free
    }
}

/// The handler, as the kernel knows it.
fn ours() -> libc::sighandler_t {
    handler as *const () as libc::sighandler_t
}

/// The calling thread, as the kernel numbers it. Asked for without the library, whose call is younger than some of its versions.
fn current_tid() -> u32 {
    // SAFETY: it takes nothing, and cannot fail.
    (unsafe { libc::syscall(libc::SYS_gettid) }) as u32
}

/// Whether a thread blocks a signal. One that does would get it in the very call that unblocks it, `ppoll` perhaps.
fn blocks(tid: u32, signal: c_int) -> Result<bool, Refused> {
    let status = fs::read_to_string(format!("/proc/self/task/{tid}/status")).map_err(|_| Refused::Gone)?;
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigBlk:")?.trim(), 16).ok());
    mask.map(|mask| mask >> (signal - 1) & 1 == 1)
        .ok_or_else(|| never("the kernel does not tell which signals it blocks"))
}

fn timer_on_cpu_clock(tid: u32, signal: c_int, turn: u64) -> io::Result<libc::timer_t> {
    // SAFETY: all zeroes is a valid value of both, and the kernel checks the ids of thread and signal.
    unsafe {
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = signal;
        event.sigev_notify_thread_id = tid as c_int;
        event.sigev_value.sival_ptr = turn as *mut c_void;
        let mut timer: libc::timer_t = mem::zeroed();
        match libc::timer_create(cpu_clock(tid), &raw mut event, &raw mut timer) {
            0 => Ok(timer),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// At the next tick that finds the thread on a CPU.
const SOON: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 1 };
const NEVER: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

/// Has a timer expire once, or not.
fn expire(timer: libc::timer_t, at: libc::timespec) -> io::Result<()> {
    let once = libc::itimerspec { it_interval: NEVER, it_value: at };
    // SAFETY: the timer exists, and the old value is not asked for.
    match unsafe { libc::timer_settime(timer, 0, &raw const once, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The clock of the CPU time of a thread, as the kernel numbers it: the id's complement, the bit for "of a thread", and the
/// number of the clock that the scheduler keeps.
fn cpu_clock(tid: u32) -> libc::clockid_t {
    (!tid << 3 | 0b110) as libc::clockid_t
}

/// The CPU time that a thread of this process has used; `None` when there is no such thread.
pub(crate) fn cpu_time(tid: u32) -> Option<std::time::Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel checks the id, and writes the time.
    let read = unsafe { libc::clock_gettime(cpu_clock(tid), &raw mut time) };
    (read == 0).then(|| std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read() {
        let (major, minor) = SAFE_SINCE;
        assert!(
            kernel_is_safe("6.18.44-fc-v657\n")
                && kernel_is_safe(&format!("{major}.{minor}.0"))
                && kernel_is_safe("10.0")
        );
        assert!(!kernel_is_safe(&format!("{major}.{}.16", minor - 1)) && !kernel_is_safe("4.18.0-553.el8"));
        assert!(!kernel_is_safe(""));
    }

    /// A thread that sleeps until the sender is dropped.
    fn sleeper() -> (u32, std::sync::mpsc::Sender<()>, std::thread::JoinHandle<()>) {
        let (wake, sleeps) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send(current_tid()).unwrap();
            sleeps.recv().unwrap_err();
        });
        (told.recv().unwrap(), wake, thread)
    }

    #[test]
    fn no_turn_begins_while_a_handler_is_at_work_for_one_that_was_given_up() {
        let _turn = crate::capture::tests::turn();
        let mut interrupts = Interrupts::new().unwrap();
        let (tid, wake, thread) = sleeper();
        while crate::capture::sleeping::asleep(tid, &mut Snapshot::new(STACK_BYTES)).is_err() {
            std::thread::yield_now();
        }
        let armed = interrupts.arm(tid).unwrap();
        let turn = armed.turn;
        // As the handler leaves it that has begun to copy.
        SLOT.state.store(word(turn, COPYING), Ordering::Release);
        drop(armed);
        assert_eq!(SLOT.state.load(Ordering::Acquire), word(turn, UNWANTED));
        assert_eq!(interrupts.arm(tid).unwrap_err(), Refused::Busy);
        // As it leaves it when it is through.
        SLOT.state.store(NOBODYS, Ordering::Release);
        let armed = interrupts.arm(tid).unwrap();
        SLOT.state.store(word(armed.turn, COPIED), Ordering::Release);
        assert_eq!(interrupts.arm(tid).unwrap_err(), Refused::Busy, "its memory is read");
        drop(armed);
        assert_eq!(SLOT.state.load(Ordering::Acquire), NOBODYS);
        drop(wake);
        thread.join().unwrap();
    }

    /// Has a timer of the service's own expire on this thread, with a value of its own.
    fn foreign_timer(signal: c_int, value: u64) {
        let timer = timer_on_cpu_clock(current_tid(), signal, value).unwrap();
        expire(timer, SOON).unwrap();
        // SAFETY: all zeroes is a valid value.
        let mut left: libc::itimerspec = unsafe { mem::zeroed() };
        let begun = cpu_time(current_tid()).unwrap();
        loop {
            // SAFETY: the timer exists, and the kernel writes what is left of its time.
            assert_eq!(unsafe { libc::timer_gettime(timer, &raw mut left) }, 0);
            if left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0 {
                break;
            }
            assert!(cpu_time(current_tid()).unwrap() < begun + std::time::Duration::from_secs(10), "it never expires");
        }
        // SAFETY: it is deleted once.
        unsafe { libc::timer_delete(timer) };
    }

    #[test]
    fn a_timer_of_the_services_own_on_the_same_signal_takes_no_capture() {
        let _turn = crate::capture::tests::turn();
        let mut interrupts = Interrupts::new().unwrap();
        let signal = interrupts.signal();
        let (tid, wake, sleeper) = sleeper();
        let armed = interrupts.arm(tid).unwrap();
        let state = SLOT.state.load(Ordering::Acquire);
        for value in [armed.turn, u64::MAX, u64::MAX / 8 + 1 + armed.turn] {
            foreign_timer(signal, value);
        }
        // The sleeper may have used a CPU since it told its number, and been captured.
        let now = SLOT.state.load(Ordering::Acquire);
        // SAFETY: the slot is read only once it is filled.
        let captured = || unsafe { (*SLOT.memory.get()).registers.sp };
        let here = std::ptr::from_ref(&now) as u64;
        assert!(now == state || captured().abs_diff(here) > 1 << 16, "this thread was taken for the one that sleeps");
        drop(armed);
        drop(wake);
        sleeper.join().unwrap();
    }

    extern "C" fn foreign(_: c_int) {}

    #[test]
    fn a_signal_that_the_service_takes_over_is_its_own_and_another_is_taken() {
        let _turn = crate::capture::tests::turn();
        let mut interrupts = Interrupts::new().unwrap();
        let signal = interrupts.signal();
        let theirs = foreign as *const () as libc::sighandler_t;
        // SAFETY: the handler does nothing.
        assert_ne!(unsafe { libc::signal(signal, theirs) }, libc::SIG_ERR);
        drop(interrupts.arm(current_tid()).unwrap());
        assert_ne!(interrupts.signal(), signal);
        assert_eq!(handler_of(signal), theirs);
        // SAFETY: as it was before.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }

    #[test]
    fn a_handler_that_is_put_there_in_the_meantime_stays() {
        let _turn = crate::capture::tests::turn();
        let signal = (libc::SIGRTMIN()..=libc::SIGRTMAX()).find(|it| handler_of(*it) == libc::SIG_DFL).unwrap();
        let theirs = foreign as *const () as libc::sighandler_t;
        // SAFETY: the handler does nothing.
        assert_ne!(unsafe { libc::signal(signal, theirs) }, libc::SIG_ERR);
        assert!(!install(signal));
        assert_eq!(handler_of(signal), theirs);
        // SAFETY: as it was before.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}
