//! Functions that stall a thread, one for each way to do it, and [such as hold a lock across an await](holding). The workspace builds them as a release build does, so that the
//! agent's tests unwind and name optimized code without frame pointers. Each stores the line on which it stalls.

pub mod holding;

use std::{
    hint::black_box,
    io::Read,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::Receiver,
    },
    thread,
    time::Duration,
};

/// Sleeps on purpose.
#[inline(never)]
pub fn sleeps(line: &AtomicU32, time: Duration) {
    line.store(line!() + 1, Ordering::Release);
    thread::sleep(time);
    black_box(());
}

/// Computes until it is told to stop, on two lines.
#[inline(never)]
pub fn computes(line: &AtomicU32, stop: &AtomicBool) -> u64 {
    let mut number = 1_u64;
    line.store(line!() + 1, Ordering::Release);
    while !stop.load(Ordering::Relaxed) {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(number)
}

/// Waits for a lock.
#[inline(never)]
pub fn locks(line: &AtomicU32, lock: &Mutex<u64>) -> u64 {
    line.store(line!() + 1, Ordering::Release);
    let number = *lock.lock().unwrap_or_else(PoisonError::into_inner);
    black_box(number)
}

/// Waits for a message.
#[inline(never)]
pub fn receives(line: &AtomicU32, messages: &Receiver<u64>) -> u64 {
    line.store(line!() + 1, Ordering::Release);
    let number = messages.recv().unwrap_or_default();
    black_box(number)
}

/// Reads what may not come.
#[inline(never)]
pub fn reads(line: &AtomicU32, source: &mut impl Read) -> usize {
    let mut bytes = [0; 64];
    line.store(line!() + 1, Ordering::Release);
    let count = source.read(&mut bytes).unwrap_or_default();
    black_box(bytes);
    black_box(count)
}

/// Sleeps in a function that is inlined into this one.
#[inline(never)]
pub fn sleeps_inside(line: &AtomicU32, time: Duration) {
    inlined(line, time);
    black_box(());
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined for the test to mean anything")]
fn inlined(line: &AtomicU32, time: Duration) {
    line.store(line!() + 1, Ordering::Release);
    thread::sleep(time);
    black_box(());
}
