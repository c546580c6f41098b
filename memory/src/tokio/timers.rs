//! How late the timers of a runtime are. Its wheel has six levels of 64 slots, each with a bit that says whether something is in it; the
//! earliest of these is when the driver has to turn the wheel next, whatever it waits for itself. It is believed where it is as a
//! wheel has to be.

use super::value::Value;
use crate::debug::Kind;
use std::time::Duration;

const LEVELS: u64 = 6;
/// Bits of a slot's number.
const BITS: u64 = 6;
/// The wheel may be ahead of the look's own clock by as long as the look takes.
const AHEAD: u64 = 60_000;

/// How long ago the earliest slot was due, on the clock that says `now`; `None` where the handle of a runtime has no timers, where time
/// is paused, or where its wheel is not known.
pub(crate) fn lag(handle: Value<'_>, now: Duration) -> Option<Duration> {
    let driver = handle.path(&["driver"])?;
    // A test may have stopped the clock: then no deadline means anything.
    if let Some(clock) = driver.path(&["clock"]).and_then(|clock| clock.having("unfrozen")) {
        clock.some()?;
    }
    let time = driver.path(&["time"])?.some()?;
    let source = time.path(&["time_source"])?;
    let start = Duration::from_secs(source.having("tv_sec")?.number()?)
        .checked_add(Duration::from_nanos(source.having("tv_nsec")?.number()?))?;
    let now = u64::try_from(now.checked_sub(start)?.as_millis()).ok()?;
    let mut wheels: Vec<Value<'_>> = time.find("tokio::runtime::time::wheel", "Wheel").into_iter().collect();
    if wheels.is_empty() {
        // Up to tokio 1.44 there are several, each behind a lock.
        let shards = time.having("wheels")?.slice()?;
        wheels = shards.filter_map(|shard| shard.find("tokio::runtime::time::wheel", "Wheel")).collect();
    }
    let mut late = None;
    for wheel in wheels {
        late = late.max(Some(now.saturating_sub(due(wheel, now)?)));
    }
    late.map(Duration::from_millis)
}

/// When the wheel is to be turned next, as it counts; one with nothing in it, never.
fn due(wheel: Value<'_>, now: u64) -> Option<u64> {
    let elapsed = || wheel.path(&["elapsed"])?.number();
    for _ in 0..3 {
        let before = elapsed().filter(|elapsed| *elapsed <= now.saturating_add(AHEAD))?;
        let levels = levels(wheel)?;
        // What was read while the wheel turned is of two instants.
        if elapsed()? == before {
            return Some(earliest(before, &levels).unwrap_or(u64::MAX));
        }
    }
    None
}

/// Which slots of each level have something in them.
fn levels(wheel: Value<'_>) -> Option<Vec<u64>> {
    let array = wheel.path(&["levels"])?.target()?;
    let Kind::Array(_, LEVELS) = array.kind().kind else { return None };
    let mut occupied = Vec::new();
    for (level, number) in array.items()?.zip(0..) {
        if level.path(&["level"])?.number()? != number {
            return None;
        }
        occupied.push(level.path(&["occupied"])?.number()?);
    }
    Some(occupied)
}

/// The time of the earliest slot that has something in it: the lowest level that has any is turned first.
fn earliest(elapsed: u64, levels: &[u64]) -> Option<u64> {
    let (level, occupied) = (0..LEVELS).zip(levels).find(|(_, occupied)| **occupied != 0)?;
    let slot_range = 1_u64 << (BITS * level);
    let range = slot_range << BITS;
    let here = elapsed / slot_range % 64;
    // The one after that of this moment comes first.
    let slot = (u64::from(occupied.rotate_right(here as u32 + 1).trailing_zeros()) + here + 1) % 64;
    let due = (elapsed & !(range - 1)).saturating_add(slot * slot_range);
    Some(if due < elapsed { due.saturating_add(range) } else { due })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_slot_is_due_first() {
        let at = |elapsed, level: usize, occupied: u64| {
            let mut levels = [0; 6];
            levels[level] = occupied;
            earliest(elapsed, &levels)
        };
        assert_eq!(earliest(7, &[0; 6]), None);
        assert_eq!((at(0, 0, 1 << 10), at(65, 0, 1 << 10)), (Some(10), Some(74)));
        assert_eq!(at(100, 1, 1 << 2 | 1 << 5), Some(128));
        // Behind the end of a level it begins again.
        assert_eq!(at(63 << 30, 5, 1 << 3), Some((64 + 3) << 30));
        assert_eq!(earliest(0, &[0, 1 << 1, 1 << 1, 0, 0, 0]), Some(64));
        assert_eq!(earliest(u64::MAX, &[u64::MAX; 6]), Some(u64::MAX));
    }
}
