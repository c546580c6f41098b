//! What is kept of what has ended, while it is yet to be told: within its bounds, and counted where it is not told.

use super::Change;
use crate::{
    read::changes,
    slots::{
        arena::Arena,
        delivery::Delivery,
        free_list::{BATCH, FreeList, Keep, Kept, LocalCache, Watchers},
        id::{self, Kind, Ours},
        lifetime::{Clones, Lifetime},
        round::{Round, Touched},
        stages,
    },
};
use parking_lot::Mutex;
use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
};

/// A slot of nothing but its users.
#[derive(Debug, Default)]
struct Slot {
    lifetime: Lifetime,
    delivery: Delivery,
    ended: AtomicBool,
    handed_over: Mutex<Vec<(u64, bool)>>,
}

impl stages::Slot for Slot {
    const KIND: Kind = Kind::Task;
    const CLONES: Clones = Clones::Alike;

    fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }
}

impl Kept for Slot {
    fn hand_over(&self, round: &Round, index: u32) {
        self.handed_over.lock().extend(view(round, index, self));
    }
}

/// Its user's id, and whether it has ended.
fn view(round: &Round, index: u32, slot: &Slot) -> Option<(u64, bool)> {
    round.read(slot, |seen| {
        let id = id::encode(Ours { kind: Kind::Task, index, stamp: seen.stamp(Clones::Alike) });
        let ended = slot.ended.load(Ordering::Relaxed);
        Some((id, ended))
    })
}

/// A user comes and goes.
fn live(cache: &LocalCache, list: &FreeList, arena: &Arena<Slot>) {
    let slot = cache.take(list, arena).expect("there is room").begin();
    slot.ended.store(false, Ordering::Relaxed);
    let span = slot.publish();
    let ended = arena.drop_handle(span.index, |slot| slot.ended.store(true, Ordering::Relaxed));
    cache.retire(list, ended.expect("it was the only handle"));
}

/// What was told.
#[derive(Debug, Default)]
struct Heard {
    /// By id: what was told in one round may be told in the next one again.
    ended: HashSet<u64>,
    /// Those that were told to live, and not yet to have ended.
    alive: HashSet<u64>,
}

/// A round of changes.
fn round(arena: &'static Arena<Slot>, heard: &mut Heard) {
    let mut touched = Touched::default();
    let round = Round::begin(|taking| touched.take(arena, taking));
    let mut each = |change: Change<(u64, bool)>| match change {
        Change::Now((id, false)) => _ = heard.alive.insert(id),
        Change::Now((id, true)) => {
            heard.alive.remove(&id);
            heard.ended.insert(id);
        }
        Change::Gone(id) => unreachable!("somebody watches all the time: {id}"),
    };
    for (_, slot) in arena.iter(&round) {
        slot.handed_over.lock().drain(..).map(Change::Now).for_each(&mut each);
    }
    changes::tell(&round, &touched, arena, &mut each, |index, slot| {
        view(&round, index, slot).map(|(id, ended)| (id, ended, (id, ended)))
    });
}

const KEEP: Keep = Keep { least: 4, most: 16 };

/// A reader that reads all the time, and one that pauses: in both cases each user is told or counted, while its slot
/// is used again and again under the reader's hands.
#[test]
fn whoever_ended_was_told_or_is_counted() {
    static ARENA: Arena<Slot> = Arena::new();
    static LIST: FreeList = FreeList::new(KEEP);
    LIST.set_watchers(Watchers::Some);
    let (users, mut heard) = (300_000_u64, Heard::default());
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let cache = LocalCache::new();
            for at in 0..users {
                live(&cache, &LIST, &ARENA);
                if at % 1_000 == 0 {
                    std::thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
        });
        for at in 0_u64.. {
            if done.load(Ordering::Acquire) {
                break;
            }
            round(&ARENA, &mut heard);
            if at % 100 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
    });
    round(&ARENA, &mut heard);
    let ended = heard.ended.len() as u64;
    assert_eq!(ended + LIST.lost(), users, "{ended} told");
    assert!(heard.alive.is_empty(), "{:?} live for ever", heard.alive);
    assert!(ended > 0 && LIST.lost() > 0, "both happen: {ended} told");
}

#[test]
fn unread_slots_are_bounded_and_all_but_those_are_counted() {
    static ARENA: Arena<Slot> = Arena::new();
    static LIST: FreeList = FreeList::new(KEEP);
    LIST.set_watchers(Watchers::Some);
    LIST.keep(10 * BATCH * size_of::<Slot>(), size_of::<Slot>());
    let cache = LocalCache::new();
    (0..100_000).for_each(|_| live(&cache, &LIST, &ARENA));
    // Those that wait in line, and what one thread has at hand.
    assert!(LIST.made() as usize <= 12 * BATCH, "{}", LIST.made());
    let mut heard = Heard::default();
    round(&ARENA, &mut heard);
    assert_eq!(heard.ended.len() as u64 + LIST.lost(), 100_000);
    assert!(heard.ended.len() >= 10 * BATCH, "{}", heard.ended.len());
}

#[test]
fn what_ends_while_nobody_watches_is_no_loss_and_takes_no_room() {
    static ARENA: Arena<Slot> = Arena::new();
    static LIST: FreeList = FreeList::new(KEEP);
    let cache = LocalCache::new();
    (0..100_000).for_each(|_| live(&cache, &LIST, &ARENA));
    assert_eq!(LIST.lost(), 0);
    assert!(LIST.made() as usize <= (KEEP.least + 3) * BATCH, "{}", LIST.made());
}
