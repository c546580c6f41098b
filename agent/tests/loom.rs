//! The lock-free parts, in every order that the memory model allows: a slot's life against its reader, the handles of a span,
//! and the bits of what was written. The sources are those of the agent; loom's atomics stand in for the standard ones.

#![allow(dead_code, reason = "only what is under test is used of the sources")]

mod atomics {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

/// Loom knows no barrier of which one side is free: both are full ones here, which is what the pair is worth together.
mod barrier {
    pub(super) fn light() {
        loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
    }

    pub(super) fn heavy() {
        loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
    }
}

#[path = "../src/slots/bitmap.rs"]
mod bitmap;
mod id {
    pub(super) const STAMP_BITS: u32 = 36;
}
#[path = "../src/slots/delivery.rs"]
mod delivery;
#[path = "../src/slots/lifetime.rs"]
mod lifetime;

use lifetime::{Clones, Lifetime};
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

#[test]
fn a_reader_never_takes_one_users_data_for_anothers() {
    loom::model(|| {
        let slot = Arc::new((Lifetime::default(), AtomicU64::new(0), AtomicU64::new(0)));
        let write = |slot: &(Lifetime, AtomicU64, AtomicU64)| {
            let stamp = slot.0.begin(Clones::Alike);
            slot.1.store(stamp * 10, Ordering::Relaxed);
            slot.2.store(stamp * 100, Ordering::Relaxed);
            slot.0.publish(stamp);
        };
        write(&slot);
        let writer = thread::spawn({
            let slot = Arc::clone(&slot);
            move || {
                assert!(slot.0.drop_handle(|| {}));
                write(&slot);
            }
        });
        if let Some(seen) = slot.0.look() {
            let read = (slot.1.load(Ordering::Relaxed), slot.2.load(Ordering::Relaxed));
            if slot.0.still(seen, Clones::Alike) {
                let stamp = seen.stamp(Clones::Alike);
                assert_eq!(read, (stamp * 10, stamp * 100));
            }
        }
        writer.join().unwrap();
    });
}

#[test]
fn of_several_handles_exactly_one_is_the_last_and_each_clone_has_its_number() {
    loom::model(|| {
        let life = Arc::new(Lifetime::default());
        let stamp = life.begin(Clones::Numbered);
        life.publish(stamp);
        let first = life.clone_handle(Clones::Numbered);
        // One handle for the other thread, one for this.
        let other = thread::spawn({
            let life = Arc::clone(&life);
            move || {
                let clone = life.clone_handle(Clones::Numbered);
                (clone, u32::from(life.drop_handle(|| {})) + u32::from(life.drop_handle(|| {})))
            }
        });
        let mine = u32::from(life.drop_handle(|| {}));
        let (clone, theirs) = other.join().unwrap();
        assert_ne!(clone, first);
        assert_eq!(lifetime::user(clone, Clones::Numbered), stamp);
        assert_eq!(mine + theirs, 1);
    });
}

#[test]
fn a_write_is_told_in_this_round_or_in_a_later_one() {
    loom::model(|| {
        let shared = Arc::new((bitmap::Bitmap::<1>::new(), AtomicU64::new(0)));
        shared.0.set(3);
        let writers: Vec<_> = [3, 5]
            .into_iter()
            .map(|bit| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.1.fetch_add(bit, Ordering::Relaxed);
                    shared.0.set(bit as usize);
                })
            })
            .collect();
        let first = shared.0.take(0);
        barrier::heavy();
        let seen = shared.1.load(Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
        let later = shared.0.take(0);
        // Whatever was not seen in the first round has its bit in the second.
        if !matches!(seen, 3 | 8) {
            assert_eq!(later & (1 << 3), 1 << 3, "first {first:b}, seen {seen}");
        }
        if !matches!(seen, 5 | 8) {
            assert_eq!(later & (1 << 5), 1 << 5, "first {first:b}, seen {seen}");
        }
        assert_eq!(bitmap::ones(first | later).collect::<Vec<_>>(), [3, 5]);
    });
}

#[test]
fn the_end_of_a_user_is_told_or_counted_and_never_both() {
    use delivery::{Delivery, End, Fate, Now};
    for heard in [false, true] {
        loom::model(move || {
            let told = Arc::new(Delivery::default());
            if heard {
                told.tell(told.look(), 1, End::Lives);
            }
            let other = thread::spawn({
                let told = Arc::clone(&told);
                move || told.give_up(1)
            });
            let news = loop {
                if let Some(news) = told.tell(told.look(), 1, End::Ended) {
                    break news;
                }
            };
            let fate = other.join().unwrap();
            assert_eq!(news.now == Now::Tell, fate == Fate::Known);
            assert_eq!(news.gone, None);
            assert_eq!(fate == Fate::HandOver, heard && fate != Fate::Known);
            assert!(told.is_over(1));
        });
    }
}
