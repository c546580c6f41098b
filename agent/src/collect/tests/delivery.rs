//! What was told of a slot's users, step by step; `tests/loom.rs` has it in every order.

use crate::slots::delivery::{Delivery, End, Fate, News, Now};

const SILENT: Option<News> = Some(News { gone: None, now: Now::BeSilent });
const TELL: Option<News> = Some(News { gone: None, now: Now::Tell });

fn tell(told: &Delivery, stamp: u64, end: End) -> Option<News> {
    told.tell(told.look(), stamp, end)
}

#[test]
fn whose_end_was_told_is_not_lost_and_who_is_lost_is_not_told() {
    let told = Delivery::default();
    assert!(!told.has_heard_of(7) && !told.is_over(7));
    assert_eq!(tell(&told, 7, End::Lives), TELL);
    assert!(told.has_heard_of(7) && !told.is_over(7));
    assert_eq!(tell(&told, 7, End::Ended), TELL);
    assert!(told.is_over(7));
    assert_eq!(told.give_up(7), Fate::Known);
    assert_eq!(told.give_up(8), Fate::Lost);
    assert_eq!((told.give_up(8), told.is_over(8), told.has_heard_of(8)), (Fate::Known, true, false));
    assert_eq!(tell(&told, 8, End::Ended), SILENT);
    assert_eq!(tell(&told, 9, End::Ended), TELL);
}

#[test]
fn who_was_told_to_live_is_handed_over_once() {
    let told = Delivery::default();
    tell(&told, 7, End::Lives);
    assert_eq!(told.give_up(7), Fate::HandOver);
    assert_eq!((told.give_up(7), told.is_over(7), told.has_heard_of(7)), (Fate::Known, true, true));
    assert_eq!(tell(&told, 7, End::Ended), SILENT);
    assert_eq!(tell(&told, 8, End::Lives), TELL);
    let gone = News { gone: Some(8), now: Now::Tell };
    assert_eq!(tell(&told, 9, End::Lives), Some(gone), "nobody watched in between");
}

#[test]
fn what_was_given_up_while_it_was_read_is_read_again() {
    let told = Delivery::default();
    let seen = told.look();
    assert_eq!(told.give_up(7), Fate::Lost);
    assert_eq!(told.give_up(8), Fate::Lost);
    assert_eq!(told.tell(seen, 7, End::Ended), None);
    assert_eq!(tell(&told, 9, End::Lives), TELL);
}
