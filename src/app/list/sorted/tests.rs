//! Whatever is placed, refined and merged, the order is the one that sorting gives.

use super::*;
use proptest::prelude::*;

fn entry((key, slot): (u64, usize)) -> Entry {
    Entry::new(key, Slot::from_index(slot))
}

fn done(mut sorted: Sorted) -> Sorted {
    while sorted.is_rough() {
        sorted.refine(1, &Entry::cmp);
    }
    sorted
}

proptest! {
    #[test]
    fn merging_is_sorting(
        old in proptest::collection::btree_set((0_u64..50, 0_usize..50), 0..60),
        changes in proptest::collection::vec((0_usize..60, 0_u64..50, 50_usize..99), 0..40),
    ) {
        let old: Vec<Entry> = old.into_iter().map(entry).collect();
        let mut gone: Vec<Entry> = changes.iter().filter_map(|&(at, ..)| old.get(at).copied()).collect();
        gone.sort_unstable();
        gone.dedup();
        let mut come: Vec<Entry> = changes.iter().map(|&(_, key, slot)| entry((key, slot))).collect();
        come.sort_unstable();
        come.dedup();
        let mut expected: Vec<Entry> = old.iter().filter(|entry| !gone.contains(entry)).copied().collect();
        expected.extend(&come);
        expected.sort_unstable();
        let mut sorted = Sorted::new(old, &Entry::cmp);
        prop_assert_eq!(sorted.merge(gone, come, &Entry::cmp), Ok(()));
        prop_assert_eq!(sorted.entries, expected);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_rough_list_is_right_where_somebody_looks(
        seed in any::<u64>(),
        keys in 1_u64..1 << 40,
        looks in proptest::collection::vec((0_usize..40_000, 0_usize..300), 1..6),
        effort in 1_usize..100_000,
    ) {
        let random = |at: u64| (at ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23) % keys;
        let entries: Vec<Entry> = (0..40_000).map(|at| entry((random(at as u64), at))).collect();
        let mut expected = entries.clone();
        expected.sort_unstable();
        let mut sorted = Sorted::new(entries, &Entry::cmp);
        prop_assert!(sorted.is_rough());
        for (from, length) in looks.into_iter().chain([(0, 100), (39_900, 100)]) {
            let range = from..(from + length).min(expected.len());
            sorted.look(range.clone(), &Entry::cmp);
            let shown: Vec<Entry> = range.clone().filter_map(|at| sorted.get(at)).copied().collect();
            prop_assert_eq!(&shown[..], &expected[range]);
            let at = (from * 7) % expected.len();
            prop_assert_eq!(sorted.position(expected[at], &Entry::cmp), Some(at));
            if from % 2 == 0 {
                sorted.look_around(expected[at], &Entry::cmp);
                prop_assert_eq!(sorted.get(at), Some(&expected[at]));
                prop_assert_eq!(sorted.position(expected[at], &Entry::cmp), Some(at));
            }
            sorted.refine(effort, &Entry::cmp);
        }
        let sorted = done(sorted);
        prop_assert_eq!(sorted.entries, expected);
    }
}

#[test]
fn an_entry_that_is_nowhere_has_no_place() {
    let entries: Vec<Entry> = (0..RUN * 3).map(|at| entry((at as u64 * 2, at))).collect();
    let sorted = Sorted::new(entries, &Entry::cmp);
    assert_eq!(sorted.position(entry((7, 1)), &Entry::cmp), None);
    let mut sorted = done(sorted);
    assert_eq!(sorted.position(entry((7, 1)), &Entry::cmp), None);
    assert_eq!(sorted.position(entry((8, 4)), &Entry::cmp), Some(4));
    assert_eq!(sorted.merge(vec![entry((7, 1))], Vec::new(), &Entry::cmp), Err(Mismatch));
}
