//! Durations counted by doublings of a microsecond, in rows that many threads count in at once. Each thread has blocks of its own, one for each row that it
//! counts in, so that a duration costs it a load, an addition and a store of each of two words that nobody else writes (I6 of [`super`]).
//!
//! A block belongs to its row for good. When its thread ends it goes on to the next thread that counts in the row, with what it has: the sum of a row's
//! blocks is all that was ever counted in it, and never shrinks. So there are as many blocks as threads counted at once, row by row.
//!
//! A block is also of those for whom its thread polls, a runtime or none in particular, for good. So the same blocks say how long polls took row by row, and runtime
//! by runtime, and who counts looks at neither: a thread that begins to poll for others gives back its blocks.

use super::{budget, word::Word};
#[cfg(feature = "metrics")]
use crate::view::Timed;
use crate::view::{DOUBLINGS, Doublings};
use parking_lot::Mutex;
#[cfg(feature = "metrics")]
use std::time::Duration;
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

/// Rows are numbered from 1 to this. What has no room for a block of its own is counted in the last one.
pub(crate) const ROWS: usize = 201;
const LAST: u8 = ROWS as u8;

/// For whom a thread polls: nobody of whom it is told apart.
pub(crate) const ANYBODY: u8 = 0;

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
    /// All polls together, in nanoseconds.
    polled: Word,
    waited: Word,
}

impl Block {
    const fn new() -> Self {
        let (polls, waits) = ([const { Word::new() }; DOUBLINGS], [const { Word::new() }; DOUBLINGS]);
        Self { polls, waits, polled: Word::new(), waited: Word::new() }
    }

    /// Where a duration is counted, and where it is added.
    #[inline]
    fn words(&self, of: Of, nanos: u64) -> (&Word, &Word) {
        let (words, sum) = match of {
            Of::Poll => (&self.polls, &self.polled),
            Of::Wait => (&self.waits, &self.waited),
        };
        (&words[doubling(nanos)], sum)
    }

    /// Counts, on the one thread that does.
    #[inline]
    fn count(&self, of: Of, nanos: u64) {
        let (word, sum) = self.words(of, nanos);
        word.add(1);
        sum.add(nanos);
    }
}

/// Of whom a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whose {
    row: u8,
    /// For whom its thread polls.
    polls_for: u8,
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
    /// In the order in which they were first used.
    all: Vec<(Whose, &'static Block)>,
    /// Those whose threads have ended, or poll for others.
    free: Vec<(Whose, &'static Block)>,
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

fn take(whose: Whose) -> Option<&'static Block> {
    if SPENT.load(Ordering::Relaxed) {
        return None;
    }
    let mut pool = POOL.lock();
    if let Some(at) = pool.free.iter().position(|(of, _)| *of == whose) {
        return Some(pool.free.swap_remove(at).1);
    }
    if pool.ready.is_empty() && !make(&mut pool) {
        SPENT.store(true, Ordering::Relaxed);
    }
    let block = pool.ready.pop()?;
    pool.all.push((whose, block));
    Some(block)
}

/// A thread's blocks.
pub(crate) struct Blocks {
    of_rows: [Cell<Option<&'static Block>>; ROWS],
    polls_for: Cell<u8>,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self { of_rows: [const { Cell::new(None) }; ROWS], polls_for: Cell::new(ANYBODY) }
    }

    /// The thread polls for these from now on.
    #[inline]
    pub(crate) fn poll_for(&self, whom: u8) {
        if self.polls_for.get() != whom {
            self.give_back();
            self.polls_for.set(whom);
        }
    }

    /// Counts a duration in a row; nowhere where there is no such row.
    #[inline]
    pub(crate) fn count(&self, row: u32, of: Of, nanos: u64) {
        let Some(cell) = self.of_rows.get((row as usize).wrapping_sub(1)) else { return };
        match cell.get() {
            Some(block) => block.count(of, nanos),
            None => count_first(cell, Whose { row: row as u8, polls_for: self.polls_for.get() }, of, nanos),
        }
    }

    /// The thread ends, or polls for others.
    #[cold]
    pub(crate) fn give_back(&self) {
        let polls_for = self.polls_for.get();
        let mine = (1..).zip(&self.of_rows);
        let mine = mine.filter_map(|(row, cell)| Some((Whose { row, polls_for }, cell.take()?)));
        let mut mine = mine.peekable();
        if mine.peek().is_some() {
            POOL.lock().free.extend(mine);
        }
    }
}

#[cold]
fn count_first(cell: &Cell<Option<&'static Block>>, whose: Whose, of: Of, nanos: u64) {
    if let Some(block) = take(whose) {
        cell.set(Some(block));
        block.count(of, nanos);
    } else {
        let (word, sum) = SHARED.words(of, nanos);
        word.add_shared(1);
        sum.add_shared(nanos);
    }
}

/// Sums of rows, for one who asks again and again.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    known: Vec<(Whose, &'static Block)>,
}

impl Sums {
    /// All blocks that there are by now.
    fn blocks(&mut self) -> impl Iterator<Item = (Whose, &'static Block)> {
        {
            // Nobody who counts waits for the sums.
            let pool = POOL.lock();
            self.known.extend_from_slice(&pool.all[self.known.len()..]);
        }
        self.known.iter().copied().chain([(Whose { row: LAST, polls_for: ANYBODY }, &SHARED)])
    }

    /// What was counted in each row up to now, from the first one on.
    pub(crate) fn read(&mut self) -> Vec<Doublings> {
        let mut rows = vec![Doublings::default(); ROWS];
        for (whose, block) in self.blocks() {
            let sum = &mut rows[usize::from(whose.row) - 1];
            let add = |sum: &mut [u64; DOUBLINGS], words: &[Word; DOUBLINGS]| {
                sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += word.get());
            };
            add(&mut sum.polls, &block.polls);
            add(&mut sum.waits, &block.waits);
        }
        rows
    }

    /// The same with sums, in each row, and for each for whom threads poll: there are so many of those.
    #[cfg(feature = "metrics")]
    pub(crate) fn read_timed(&mut self, whom: usize) -> (Vec<Timed>, Vec<Timed>) {
        let (mut rows, mut polls_for) = (vec![Timed::default(); ROWS], vec![Timed::default(); whom]);
        for (whose, block) in self.blocks() {
            let row = rows.get_mut(usize::from(whose.row) - 1);
            for timed in row.into_iter().chain(polls_for.get_mut(usize::from(whose.polls_for))) {
                let add = |sum: &mut [u64; DOUBLINGS], words: &[Word; DOUBLINGS]| {
                    sum.iter_mut().zip(words).for_each(|(sum, word)| *sum += word.get());
                };
                add(&mut timed.counted.polls, &block.polls);
                add(&mut timed.counted.waits, &block.waits);
                timed.polled += Duration::from_nanos(block.polled.get());
                timed.waited += Duration::from_nanos(block.waited.get());
            }
        }
        (rows, polls_for)
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

    #[cfg(feature = "metrics")]
    #[test]
    fn a_thread_that_polls_for_others_counts_for_them() {
        // No location of a task in these tests has this row, and no runtime these numbers.
        const ROW: u32 = 151;
        let mut sums = Sums::default();
        let blocks = Blocks::new();
        for (whom, polls) in [(200, 1), (201, 2), (200, 4), (201, 8)] {
            blocks.poll_for(whom);
            for _ in 0..polls {
                blocks.count(ROW, Of::Poll, 3_000);
                blocks.count(ROW, Of::Wait, 500);
            }
        }
        blocks.give_back();
        let (rows, polls_for) = sums.read_timed(202);
        let row = &rows[ROW as usize - 1];
        assert_eq!((row.counted.polls[2], row.polled, row.waited.as_nanos()), (15, Duration::from_micros(45), 7_500));
        assert_eq!((polls_for[200].counted.polls[2], polls_for[201].counted.waits[0]), (5, 10));
        let made = POOL.lock().all.iter().filter(|(of, _)| u32::from(of.row) == ROW).count();
        assert_eq!(made, 2, "one for each, although it was taken twice");
    }

    #[test]
    fn what_threads_count_is_all_there_when_they_have_ended() {
        // No location of a task in these tests has this row.
        const ROW: u32 = 150;
        let before = POOL.lock().all.iter().filter(|(of, _)| u32::from(of.row) == ROW).count();
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
        let made = POOL.lock().all.iter().filter(|(of, _)| u32::from(of.row) == ROW).count() - before;
        assert!((1..=4).contains(&made), "{made} blocks for four threads at once");
    }
}
