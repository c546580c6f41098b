//! Which place of one side is which of the other. A place is its file, line and column. Where only the line has moved, what is known of it beside tells,
//! if no other in the file has the same; nothing is guessed.

use crate::update::Place;

/// How a place was found on both sides, or on which one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// At the same place.
    Same,
    /// It was here before.
    Moved(Place),
    /// On the side after alone.
    New,
    /// On the side before alone.
    Gone,
}

impl Joined {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Moved(_) => "moved",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// Something at a place.
pub(super) trait Placed {
    fn place(&self) -> &Place;

    /// What it is called wherever it stands; empty where that is not known.
    fn known_by(&self) -> &str;
}

/// The two sides of something.
#[derive(Debug)]
pub(super) struct Pair<'a, T> {
    pub(super) before: Option<&'a T>,
    pub(super) after: Option<&'a T>,
}

impl<T: Placed> Pair<'_, T> {
    pub(super) fn joined(&self) -> Joined {
        match (self.before, self.after) {
            (Some(before), Some(after)) if before.place() == after.place() => Joined::Same,
            (Some(before), Some(_)) => Joined::Moved(before.place().clone()),
            (None, _) => Joined::New,
            (_, None) => Joined::Gone,
        }
    }
}

pub(super) fn join<'a, T: Placed>(before: &'a [T], after: &'a [T]) -> Vec<Pair<'a, T>> {
    let at = |side: &'a [T], place: &Place| side.iter().find(|one| one.place() == place);
    let mut pairs: Vec<Pair<T>> = before
        .iter()
        .filter_map(|one| Some(Pair { before: Some(one), after: Some(at(after, one.place())?) }))
        .collect();
    let left: Vec<&T> = before.iter().filter(|one| at(after, one.place()).is_none()).collect();
    let mut come: Vec<&T> = after.iter().filter(|one| at(before, one.place()).is_none()).collect();
    for one in &left {
        let is_same = |other: &&T| {
            !one.known_by().is_empty() && one.known_by() == other.known_by() && one.place().file == other.place().file
        };
        let is_alone = left.iter().filter(|other| is_same(other)).count() == 1;
        let found = match come.iter().filter(|other| is_same(other)).count() {
            1 if is_alone => come.iter().position(is_same),
            _ => None,
        };
        pairs.push(Pair { before: Some(one), after: found.map(|found| come.swap_remove(found)) });
    }
    pairs.extend(come.into_iter().map(|one| Pair { before: None, after: Some(one) }));
    pairs
}
