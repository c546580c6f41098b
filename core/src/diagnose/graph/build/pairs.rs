//! Which of somebody's parts belongs to which of their places: in a queue, or among those who have something.

use super::{Frame, Part, Polled};

/// The frame of all of these.
pub(super) fn only(parts: &[Part]) -> Option<Frame> {
    let first = parts.first()?.frame;
    parts.iter().all(|part| part.frame == first).then_some(first)
}

/// Which part belongs to which place, with the permits that are had or wanted there: as many parts as places, and the larger ones belong
/// together. Among equal ones it may be another.
pub(super) fn alike(places: &[(usize, u64)], parts: &[Part]) -> Option<Vec<(usize, u64, Frame)>> {
    let (mut places, mut parts) = (places.to_vec(), parts.to_vec());
    places.sort_by_key(|(place, permits)| (*permits, *place));
    parts.sort_by_key(|part| part.permits);
    let equal_places = places.windows(2).map(|two| matches!(two, [one, other] if one.1 == other.1));
    let equal_parts = parts.windows(2).map(|two| matches!(two, [one, other] if one.permits == other.permits));
    let is_so = places.len() == parts.len() && equal_places.eq(equal_parts);
    let pair = |((place, permits), part): (&(usize, u64), &Part)| (*place, *permits, part.frame);
    is_so.then(|| places.iter().zip(&parts).map(pair).collect())
}

/// Of parts that want the same, and may stand in one or the other of their places: what is polled in the first of them, and what nobody
/// polls, and would keep what it is given, in the last.
pub(super) fn soonest(mut pairs: Vec<(usize, u64, Frame)>) -> Vec<(usize, u64, Frame)> {
    for equal in pairs.chunk_by_mut(|one, other| one.1 == other.1) {
        let places = equal.iter().map(|pair| pair.0);
        let (first, last) = (places.clone().min().unwrap_or(0), places.max().unwrap_or(0));
        for (place, _, frame) in equal {
            *place = if frame.polled == Polled::Yes { first } else { last };
        }
    }
    pairs
}
