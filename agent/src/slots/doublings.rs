//! Durations counted by doublings of a microsecond, in rows that many threads count in at once. Each thread has blocks of its own, one for each row that it
//! counts in, so that a duration costs it a load, an addition and a store of a word that nobody else writes (I6 of [`super`]).
//!
//! A block belongs to its row for good. When its thread ends it goes on to the next thread that counts in the row, with what it has: the sum of a row's
//! blocks is all that was ever counted in it, and never shrinks. So there are as many blocks as threads counted at once, row by row.

use super::{budget, word::Word};
use crate::view::{DOUBLINGS, Doublings};
use parking_lot::Mutex;
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

/// Rows are numbered from 1 to this. What has no room for a block of its own is counted in the last one.
pub(crate) const ROWS: usize = 201;
const LAST: u8 = ROWS as u8;

/// Blocks that are made ahead by [`make_ahead`].
const AHEAD: usize = 32;

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// A poll.
    Poll,
    /// A wait for one.
    Wait,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Block {
    polls: [Word; DOUBLINGS],
    waits: [Word; DOUBLINGS],
}

impl Block {
    const fn new() -> Self {
        Self { polls: [const { Word::new() }; DOUBLINGS], waits: [const { Word::new() }; DOUBLINGS] }
    }

    #[inline]
    fn word(&self, of: Of, nanos: u64) -> &Word {
        let words = match of {
            Of::Poll => &self.polls,
            Of::Wait => &self.waits,
        };
        &words[doubling(nanos)]
    }
}

/// Which of them a duration in nanoseconds is.
#[inline]
fn doubling(nanos: u64) -> usize {
    let micros = nanos / 1_000;
    ((u64::BITS - micros.leading_zeros()) as usize).min(DOUBLINGS - 1)
}

/// What was counted for want of room for more blocks, by whichever thread.
static SHARED: Block = Block::new();

/// Whether there can be no more blocks: nobody waits for the lock then to be told the same again.
static SPENT: AtomicBool = AtomicBool::new(false);

static POOL: Mutex<Pool> = Mutex::new(Pool { all: Vec::new(), free: Vec::new(), ready: Vec::new() });

struct Pool {
    /// Each with its row, in the order in which they were first used.
    all: Vec<(u8, &'static Block)>,
    /// Those whose threads have ended.
    free: Vec<(u8, &'static Block)>,
    /// Those that belong to no row yet.
    ready: Vec<&'static Block>,
}

/// Whether there was room for one.
fn make(pool: &mut Pool) -> bool {
    let may = budget::take(size_of::<Block>());
    if may {
        pool.ready.push(Box::leak(Box::default()));
    }
    may
}

/// Makes blocks ahead, on the agent's thread, so that hardly one has to be made on the service's.
pub(crate) fn make_ahead() {
    let mut pool = POOL.lock();
    while pool.ready.len() < AHEAD && make(&mut pool) {}
}

fn take(row: u8) -> Option<&'static Block> {
    if SPENT.load(Ordering::Relaxed) {
        return None;
    }
    let mut pool = POOL.lock();
    if let Some(at) = pool.free.iter().position(|(of, _)| *of == row) {
        return Some(pool.free.swap_remove(at).1);
    }
    if pool.ready.is_empty() && !make(&mut pool) {
        SPENT.store(true, Ordering::Relaxed);
    }
    let block = pool.ready.pop()?;
    pool.all.push((row, block));
    Some(block)
}

/// A thread's blocks.
pub(crate) struct Blocks([Cell<Option<&'static Block>>; ROWS]);

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self([const { Cell::new(None) }; ROWS])
    }

    /// Counts a duration in a row; nowhere where there is no such row.
    #[inline]
    pub(crate) fn count(&self, row: u32, of: Of, nanos: u64) {
        let Some(cell) = self.0.get((row as usize).wrapping_sub(1)) else { return };
        match cell.get() {
            Some(block) => block.word(of, nanos).add(1),
            None => count_first(cell, row as u8, of, nanos),
        }
    }

    /// The thread ends.
    pub(crate) fn give_back(&self) {
        let mine = (1..).zip(&self.0).filter_map(|(row, cell)| Some((row, cell.take()?)));
        let mut mine = mine.peekable();
        if mine.peek().is_some() {
            POOL.lock().free.extend(mine);
        }
    }
}

#[cold]
fn count_first(cell: &Cell<Option<&'static Block>>, row: u8, of: Of, nanos: u64) {
    match take(row) {
        Some(block) => {
            cell.set(Some(block));
            block.word(of, nanos).add(1);
        }
        None => SHARED.word(of, nanos).add_shared(1),
    }
}

/// Sums of rows, for one who asks again and again.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    known: Vec<(u8, &'static Block)>,
}

impl Sums {
    /// What was counted in each row up to now, from the first one on.
    pub(crate) fn read(&mut self) -> Vec<Doublings> {
        {
            // Nobody who counts waits for the sums.
            let pool = POOL.lock();
            self.known.extend_from_slice(&pool.all[self.known.len()..]);
        }
        let mut rows = vec![Doublings::default(); ROWS];
        for (row, block) in self.known.iter().copied().chain([(LAST, &SHARED)]) {
            let sum = &mut rows[usize::from(row) - 1];
            let add = |sum: &mut [u64; DOUBLINGS], words: &[Word; DOUBLINGS]| {
                sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += word.get());
            };
            add(&mut sum.polls, &block.polls);
            add(&mut sum.waits, &block.waits);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_less_than_its_doubling_and_not_less_than_the_one_before() {
        assert_eq!([0, 999].map(doubling), [0, 0]);
        for power in 0..DOUBLINGS as u32 - 2 {
            let least = 1_000_u64 << power;
            let at = power as usize + 1;
            assert_eq!([least, 2 * least - 1, 2 * least].map(doubling), [at, at, at + 1]);
        }
        assert_eq!(doubling(u64::MAX), DOUBLINGS - 1);
    }

    #[test]
    fn what_threads_count_is_all_there_when_they_have_ended() {
        // No location of a task in these tests has this row.
        const ROW: u32 = 150;
        let before = POOL.lock().all.iter().filter(|(row, _)| u32::from(*row) == ROW).count();
        let mut sums = Sums::default();
        for round in 1..=3 {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    std::thread::spawn(|| {
                        let blocks = Blocks::new();
                        for _ in 0..1_000 {
                            blocks.count(ROW, Of::Poll, 3_000);
                            blocks.count(ROW, Of::Wait, 0);
                        }
                        blocks.count(0, Of::Poll, 1);
                        blocks.count(ROWS as u32 + 1, Of::Poll, 1);
                        blocks.give_back();
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            let rows = sums.read();
            let counted = &rows[ROW as usize - 1];
            assert_eq!((counted.polls[2], counted.waits[0]), (round * 4_000, round * 4_000));
            assert_eq!(counted.polls.iter().chain(&counted.waits).sum::<u64>(), round * 8_000);
        }
        let made = POOL.lock().all.iter().filter(|(row, _)| u32::from(*row) == ROW).count() - before;
        assert!((1..=4).contains(&made), "{made} blocks for four threads at once");
    }
}
