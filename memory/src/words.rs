//! Locks of the standard library: their words, which count who has them as permits do, and the threads that wait for them.

use crate::{
    SleepsFor, Thing, ThingKind, Waiter, Who,
    bytes::Bytes,
    future::{class::Word, planner::ALL_READERS},
    sleepers::Sleeper,
};
use rustc_hash::FxHashMap;

/// What a lock's word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) word: Word,
    value: u32,
}

/// The words at these addresses, as far as they can be read.
pub(crate) fn read(at: &FxHashMap<u64, Word>, bytes: &dyn Bytes) -> FxHashMap<u64, State> {
    let one = |(at, word): (&u64, &Word)| {
        let mut value = [0; 4];
        let state = |value| State { word: *word, value };
        bytes.read(*at, &mut value).then(|| (*at, state(u32::from_le_bytes(value))))
    };
    at.iter().filter_map(one).collect()
}

/// What the thing at an address that a thread sleeps on is a word of. Who writes sleeps on the other word of a lock of two.
pub(crate) fn slept_on(sleeper: &Sleeper, is_known: impl Fn(u64) -> bool) -> Option<u64> {
    let near = [sleeper.at.wrapping_sub(4), sleeper.at.wrapping_add(4)];
    match sleeper.lock {
        SleepsFor::Mutex | SleepsFor::Read => Some(sleeper.at),
        SleepsFor::Write => near.into_iter().find(|at| is_known(*at)),
        SleepsFor::ParkingLot => None,
    }
}

/// What a thread sleeps on.
pub(crate) fn word(lock: SleepsFor) -> Word {
    if lock == SleepsFor::Mutex { Word::Mutex } else { Word::RwLock }
}

impl State {
    /// How many permits there are, and how many are free: of a lock for one, of one for many readers.
    fn permits(self) -> (u64, u64) {
        match self.word {
            Word::Mutex => (1, u64::from(self.value == 0)),
            Word::RwLock => {
                let all = u64::from(ALL_READERS);
                (all, all - u64::from(self.value & ALL_READERS))
            }
        }
    }

    /// Fills in what the word of a lock says, and who waits for it: these threads.
    pub(crate) fn tell(self, thing: &mut Thing, sleepers: &[(Sleeper, u64)]) {
        let (total, free) = self.permits();
        thing.kind = if self.word == Word::Mutex { ThingKind::StdMutex } else { ThingKind::StdRwLock };
        (thing.total, thing.free) = (Some(total), Some(free));
        let of_it = sleepers.iter().filter(|(_, lock)| *lock == thing.at);
        thing.queue = of_it.map(|(sleeper, _)| waiter(sleeper)).collect();
        // In which order they get it nobody knows: who asks for least may come first.
        thing.queue.sort_by_key(|waiter| (waiter.wanted, waiter.who == Who::Unknown));
    }
}

fn waiter(sleeper: &Sleeper) -> Waiter {
    let wanted = if sleeper.lock == SleepsFor::Write { ALL_READERS } else { 1 };
    Waiter { who: sleeper.who, wanted, missing: wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_permits_do() {
        let permits = |word, value| State { word, value }.permits();
        let all = u64::from(ALL_READERS);
        assert_eq!([0, 1, 2].map(|value| permits(Word::Mutex, value)), [(1, 1), (1, 0), (1, 0)]);
        assert_eq!(permits(Word::RwLock, 0), (all, all));
        assert_eq!(permits(Word::RwLock, 3), (all, all - 3));
        // Written to, with others that wait.
        assert_eq!(permits(Word::RwLock, ALL_READERS | 3 << 30), (all, 0));
    }

    #[test]
    fn who_writes_sleeps_beside_the_word_that_counts() {
        let sleeper = |lock| Sleeper { thread: 1, who: Who::Task(7), lock, at: 0x1004 };
        assert_eq!(slept_on(&sleeper(SleepsFor::Write), |at| at == 0x1000), Some(0x1000));
        assert_eq!(slept_on(&sleeper(SleepsFor::Write), |_| false), None);
        assert_eq!(slept_on(&sleeper(SleepsFor::Read), |_| false), Some(0x1004));
        assert_eq!(slept_on(&sleeper(SleepsFor::ParkingLot), |_| true), None);
    }
}
