//! The vtables of tasks: seven functions of one type of future, and where in a cell things are. Their shape can be told in constant
//! data, whether there is debug information or not.

use super::header::word;
use crate::{bytes::Bytes, objects::Object};
use std::ops::Range;

const FUNCTIONS: usize = 7;
/// The largest cell that is believed.
const MOST: u64 = 1 << 28;
/// Constant data of an object is read in pieces of this many bytes, which overlap by a vtable.
const PIECE: usize = 1 << 20;
const VTABLE: usize = 11 * 8;
/// More vtables than this in one object are not looked at.
const MOST_VTABLES: usize = 1 << 20;

/// A vtable, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vtable {
    pub(crate) at: u64,
    /// `poll`, `schedule`, `dealloc`, `try_read_output`, `drop_join_handle_slow`, `drop_abort_handle`, `shutdown`.
    pub(crate) functions: [u64; FUNCTIONS],
    /// Where in the cell the trailer begins.
    pub(crate) trailer: u64,
    pub(crate) scheduler: u64,
    pub(crate) id: u64,
    /// Where the place of the spawn is, in builds that keep it.
    pub(crate) spawned: Option<u64>,
}

impl Vtable {
    /// What these bytes are, if they have the shape of one: functions of one object, then offsets in their order.
    fn parse(at: u64, bytes: &[u8], object: &Object) -> Option<Self> {
        let mut functions = [0; FUNCTIONS];
        for (place, function) in functions.iter_mut().enumerate() {
            *function = word(bytes, place * 8)?;
            if !object.has_code(*function) {
                return None;
            }
        }
        let [trailer, scheduler, id] = [7, 8, 9].map(|place| word(bytes, place * 8));
        let (trailer, scheduler, id) = (trailer?, scheduler?, id?);
        let in_order = (32..=128).contains(&scheduler) && (scheduler..=scheduler + 64).contains(&id) && id < trailer;
        let aligned = (trailer | scheduler | id).is_multiple_of(8);
        if !in_order || !aligned || trailer >= MOST {
            return None;
        }
        // With `tokio_unstable` one more offset follows: that of the place, right behind the id.
        let spawned = word(bytes, 80).filter(|spawned| *spawned == id + 8);
        Some(Self { at, functions, trailer, scheduler, id, spawned })
    }
}

/// The vtables in an object's constant data.
pub(crate) fn vtables(object: &Object, bytes: &dyn Bytes) -> Vec<Vtable> {
    let mut found = Vec::new();
    let mut piece = vec![0; PIECE + VTABLE];
    for range in object.constant.iter().flat_map(|range| bytes.present(range.clone())) {
        let mut at = range.start;
        while at < range.end && found.len() < MOST_VTABLES {
            let len = usize::try_from(range.end - at).unwrap_or(PIECE).min(piece.len());
            let Some(piece) = piece.get_mut(..len) else { break };
            if bytes.read(at, piece) {
                collect(at, piece, &range, object, &mut found);
            }
            at += PIECE as u64;
        }
    }
    found
}

fn collect(at: u64, piece: &[u8], range: &Range<u64>, object: &Object, found: &mut Vec<Vtable>) {
    let mut place = 0;
    while place < piece.len().min(PIECE) {
        let here = at + place as u64;
        let is_code = word(piece, place).is_some_and(|word| object.has_code(word));
        let vtable = is_code.then(|| piece.get(place..)).flatten().and_then(|rest| Vtable::parse(here, rest, object));
        if let Some(vtable) = vtable.filter(|_| here < range.end) {
            found.push(vtable);
        }
        place += 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Object {
        Object {
            path: "x".into(),
            bias: 0,
            code: std::iter::once(0x1000..0x9000).collect(),
            constant: Vec::new(),
            file: Err("none".into()),
        }
    }

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn a_vtable_is_told_by_its_shape() {
        let functions = [0x1000, 0x1100, 0x1200, 0x1300, 0x1400, 0x1500, 0x1600];
        let with = |offsets: [u64; 4]| words(&[&functions[..], &offsets[..]].concat());
        let stable = Vtable::parse(8, &with([184, 40, 48, 0]), &object()).unwrap();
        assert_eq!((stable.trailer, stable.scheduler, stable.id, stable.spawned), (184, 40, 48, None));
        let unstable = Vtable::parse(8, &with([184, 40, 48, 56]), &object()).unwrap();
        assert_eq!(unstable.spawned, Some(56));
        for wrong in [[40, 40, 48, 0], [184, 48, 40, 0], [185, 40, 48, 0], [184, 0, 8, 0], [u64::MAX - 7, 40, 48, 0]] {
            assert_eq!(Vtable::parse(8, &with(wrong), &object()), None, "{wrong:?}");
        }
        let mut elsewhere = functions;
        elsewhere[6] = 0x9000;
        assert_eq!(Vtable::parse(8, &words(&[&elsewhere[..], &[184, 40, 48, 0]].concat()), &object()), None);
    }
}
