//! How long polls and waits in a run queue took: four buckets for each power of two, from 64 ns to a minute. The first eight
//! durations are kept in the task's slot; a task that is polled more often gets a block of counters, and a second one for
//! the upper halves should a counter overflow.

use crate::{
    slots::{budget, word::Word},
    view::{Bucket, Histogram},
};
use once_cell::race::OnceBox;
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering},
    time::Duration,
};

/// Below 2 to the power of this, in nanoseconds, all durations fall into the first bucket.
const FIRST: u32 = 6;
/// From 2 to the power of this on, all fall into the last.
const LAST: u32 = 36;
const BUCKETS: usize = 2 + 4 * (LAST - FIRST) as usize;
const _: () = assert!(BUCKETS < 256, "a bucket and one more fits into a byte");

/// The bucket of a duration in nanoseconds.
#[inline]
fn bucket(nanos: u64) -> usize {
    if nanos < 1 << FIRST {
        return 0;
    }
    if nanos >= 1 << LAST {
        return BUCKETS - 1;
    }
    let power = nanos.ilog2();
    let quarter = (nanos >> (power - 2)) & 3;
    1 + 4 * (power - FIRST) as usize + quarter as usize
}

/// The middle of a bucket.
fn middle(bucket: usize) -> Duration {
    let Some(above) = bucket.checked_sub(1) else { return Duration::from_nanos(1 << (FIRST - 1)) };
    let power = FIRST + (above / 4) as u32;
    if power >= LAST {
        return Duration::from_nanos(1 << LAST);
    }
    let quarter = 1_u64 << (power - 2);
    Duration::from_nanos((4 + (above % 4) as u64) * quarter + quarter / 2)
}

/// The longest duration of a bucket; the last one has none.
fn longest(bucket: usize) -> Option<Duration> {
    let Some(above) = bucket.checked_sub(1) else { return Some(Duration::from_nanos((1 << FIRST) - 1)) };
    let power = FIRST + (above / 4) as u32;
    let quarter = 1_u64 << (power - 2);
    (power < LAST).then(|| Duration::from_nanos((5 + (above % 4) as u64) * quarter - 1))
}

/// The durations of one kind of one task. One thread at a time writes (I6 of [`super`]): who polls the task, and before that who writes the newborn.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// Bucket and one, in eight bytes.
    early: Word,
    /// The block's number and one.
    block: AtomicU32,
}

impl Durations {
    #[inline]
    pub(crate) fn record(&self, nanos: u64) {
        let bucket = bucket(nanos);
        let block = self.block.load(Ordering::Relaxed);
        if block != 0 {
            count(block, bucket, 1);
            return;
        }
        let early = self.early.get();
        if early >> 56 == 0 {
            self.early.set((early << 8) | (bucket as u64 + 1));
            return;
        }
        self.spill(early, bucket);
    }

    #[cold]
    fn spill(&self, early: u64, bucket: usize) {
        let block = take();
        for byte in early.to_le_bytes() {
            count(block, usize::from(byte) - 1, 1);
        }
        count(block, bucket, 1);
        // Whoever sees the block reads it instead of the early ones.
        self.block.store(block, Ordering::Release);
    }

    /// For a new user of the slot.
    #[inline]
    pub(crate) fn reset(&self) {
        self.early.set(0);
        let block = self.block.load(Ordering::Relaxed);
        if block != 0 {
            self.block.store(0, Ordering::Relaxed);
            give(block);
        }
    }

    pub(crate) fn read(&self) -> Histogram {
        let mut counts = [0_u64; BUCKETS];
        match self.block.load(Ordering::Acquire) {
            0 => {
                for byte in self.early.get().to_le_bytes().into_iter().filter(|byte| *byte != 0) {
                    counts[usize::from(byte) - 1] += 1;
                }
            }
            number => {
                for (high, factor) in [(0, 1), (1, 1 << 16)] {
                    let at = if high == 0 {
                        number
                    } else {
                        block(number).map_or(0, |low| low.high.load(Ordering::Acquire))
                    };
                    for (sum, count) in counts.iter_mut().zip(block(at).iter().flat_map(|block| &block.counts)) {
                        *sum += factor * u64::from(count.load(Ordering::Relaxed));
                    }
                }
            }
        }
        let buckets = counts.iter().enumerate().filter(|(_, count)| **count != 0);
        let of = |(bucket, &count)| Bucket { middle: middle(bucket), longest: longest(bucket), count };
        Histogram { buckets: buckets.map(of).collect() }
    }
}

#[derive(Debug)]
struct Block {
    counts: [AtomicU16; BUCKETS],
    /// The block with the upper halves, its number and one.
    high: AtomicU32,
}

const CHUNK: usize = 256;
/// Nothing but zeros until one is made, as in [`super::arena`].
static CHUNKS: [OnceBox<[Block; CHUNK]>; 1 << 14] = [const { OnceBox::new() }; 1 << 14];
static FREE: Mutex<Free> = Mutex::new(Free { numbers: Vec::new(), made: 0 });

struct Free {
    numbers: Vec<u32>,
    made: usize,
}

/// The block with a number; `None` for 0, which is what there is when there are no more blocks.
#[inline]
fn block(number: u32) -> Option<&'static Block> {
    let at = (number as usize).checked_sub(1)?;
    CHUNKS.get(at / CHUNK)?.get()?.get(at % CHUNK)
}

#[inline]
fn count(number: u32, bucket: usize, more: u16) {
    let Some(block) = block(number) else { return };
    let cell = &block.counts[bucket];
    let (sum, over) = cell.load(Ordering::Relaxed).overflowing_add(more);
    cell.store(sum, Ordering::Relaxed);
    if over {
        carry(block, bucket);
    }
}

#[cold]
fn carry(low: &Block, bucket: usize) {
    let mut high = low.high.load(Ordering::Relaxed);
    if high == 0 {
        high = take();
        low.high.store(high, Ordering::Release);
    }
    let Some(high) = block(high) else { return };
    let cell = &high.counts[bucket];
    cell.store(cell.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
}

/// Blocks that are made ahead by [`make_ahead`].
const AHEAD: usize = 4 * CHUNK;

/// Whether there were none and could be no more: nobody waits for the lock then to be told the same again.
static SPENT: AtomicBool = AtomicBool::new(false);

/// A block to count in; 0 when there can be no more.
fn take() -> u32 {
    if SPENT.load(Ordering::Relaxed) {
        return 0;
    }
    let mut free = FREE.lock();
    if free.numbers.is_empty() {
        let spent = !make(&mut free);
        SPENT.store(spent, Ordering::Relaxed);
    }
    free.numbers.pop().unwrap_or(0)
}

fn give(number: u32) {
    let Some(block) = block(number) else { return };
    let high = block.high.swap(0, Ordering::Relaxed);
    for cell in &block.counts {
        cell.store(0, Ordering::Relaxed);
    }
    if high != 0 {
        give(high);
    }
    let mut free = FREE.lock();
    free.numbers.push(number);
    SPENT.store(false, Ordering::Relaxed);
}

/// Makes blocks ahead, on the agent's thread, so that none has to be made on the service's.
pub(crate) fn make_ahead() {
    let mut free = FREE.lock();
    // Once some have been used: a service whose tasks are all short never needs any.
    while free.made > 0 && free.numbers.len() < AHEAD && make(&mut free) {}
}

/// Whether there was room for more.
fn make(free: &mut Free) -> bool {
    let Some(chunk) = CHUNKS.get(free.made / CHUNK).filter(|_| budget::take(CHUNK * size_of::<Block>())) else {
        return false;
    };
    chunk.get_or_init(|| {
        let blocks: Vec<Block> = (0..CHUNK).map(|_| Block::new()).collect();
        blocks.try_into().unwrap_or_else(|_| unreachable!("there are as many as were made"))
    });
    let first = free.made as u32 + 1;
    free.made += CHUNK;
    free.numbers.extend((first..first + CHUNK as u32).rev());
    true
}

impl Block {
    fn new() -> Self {
        Self { counts: std::array::from_fn(|_| AtomicU16::new(0)), high: AtomicU32::new(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_hold_their_middle() {
        let mut last = 0;
        for nanos in (0..22).flat_map(|power| (0..16).map(move |part| (1_u64 << power) * (16 + part) / 16 * 17)) {
            let at = bucket(nanos);
            assert!(at >= last || nanos < 64, "{nanos} ns fell from {last} to {at}");
            last = at;
        }
        for at in 0..BUCKETS {
            assert_eq!(bucket(middle(at).as_nanos() as u64), at);
            if let Some(longest) = longest(at) {
                let nanos = longest.as_nanos() as u64;
                assert_eq!((bucket(nanos), bucket(nanos + 1)), (at, at + 1));
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn nothing_is_lost_on_the_way_from_the_slot_to_a_block_to_a_second_one() {
        let durations = Durations::default();
        let total = |durations: &Durations| durations.read().buckets.iter().map(|bucket| bucket.count).sum::<u64>();
        for done in 1..200_001_u64 {
            durations.record(1000);
            if done < 20 || done % 10_000 == 0 {
                assert_eq!(total(&durations), done);
            }
        }
        durations.record(5_000_000);
        let read = durations.read();
        assert_eq!(read.buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [200_000, 1]);
        assert!((4..6).contains(&read.buckets[1].middle.as_millis()), "{read:?}");
        durations.reset();
        assert_eq!(durations.read(), Histogram::default());
    }
}
