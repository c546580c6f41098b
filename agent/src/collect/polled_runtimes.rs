//! Runtimes as small numbers, by which it is told apart for whom a thread polls. The first twenty have one each, in the order in which something is first polled
//! for them; all others share one, as do those of which tokio tells no number. Jobs of the blocking pool are polls of no runtime.

use crate::slots::doublings::ANYBODY;
use parking_lot::Mutex;

/// Runtimes that are told apart.
const MOST: u8 = 20;

/// Jobs of the blocking pool.
pub(crate) const JOBS: u8 = MOST + 1;

/// So many numbers there are.
#[cfg(feature = "metrics")]
pub(crate) const NUMBERS: usize = JOBS as usize + 1;

static KNOWN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// The small number of a runtime, by tokio's.
#[cold]
pub(crate) fn number(runtime: u64) -> u8 {
    let mut known = KNOWN.lock();
    let at = known.iter().position(|other| *other == runtime).or_else(|| {
        let may = runtime != 0 && known.len() < usize::from(MOST);
        may.then(|| {
            known.push(runtime);
            known.len() - 1
        })
    });
    at.map_or(ANYBODY, |at| at as u8 + 1)
}

/// Those that are told apart, from the number 1 on.
#[cfg(feature = "metrics")]
pub(crate) fn known() -> Vec<u64> {
    KNOWN.lock().clone()
}
