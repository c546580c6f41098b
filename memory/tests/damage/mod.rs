//! Bytes that are damaged, each time in another place and the same from run to run, and given to what reads them.

use nix::time::{ClockId, clock_gettime};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// For how long each of the tests goes on.
const TIME: Duration = Duration::from_secs(4);
/// So many times in any case, however busy the machine is.
const LEAST: usize = 4;
/// How much time of processors one file may take: a machine that does something else as well makes it wait, which is no fault.
const LONGEST: Duration = Duration::from_secs(5);

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn damage(numbers: &mut Numbers, good: &[u8], places: &[Range<usize>]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let place = &places[numbers.below(places.len())];
    for _ in 0..=numbers.below(40) {
        // Close together as often as far apart.
        let at = place.start + numbers.below(place.len());
        for (offset, _) in (0..=numbers.below(4)).enumerate() {
            if let Some(byte) = bytes.get_mut(at + offset) {
                *byte = match numbers.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => *byte ^ (1 << numbers.below(8)),
                    _ => numbers.below(256) as u8,
                };
            }
        }
    }
    if numbers.below(10) == 0 {
        bytes.truncate(numbers.below(good.len()));
    }
    bytes
}

/// Time of processors that this process has used.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// Damages what is good in these places, and gives it to what reads it, for a while.
pub(crate) fn go_on(good: &[u8], places: &[Range<usize>], read: fn(&[u8])) {
    let (start, mut numbers, mut times) = (Instant::now(), Numbers(0x9e37_79b9_7f4a_7c15), 0);
    while start.elapsed() < TIME || times < LEAST {
        let bytes = damage(&mut numbers, good, places);
        let before = used();
        read(&bytes);
        let took = used().saturating_sub(before);
        assert!(took < LONGEST, "the one after {times} others took {took:?}");
        times += 1;
    }
}
