//! Names in a unit, and in which namespace each type is.

use super::sections::Slice;
use gimli::{AttributeValue, Dwarf, Section as _, Unit};

/// No name is longer than this; what is longer is cut.
pub(super) const LONGEST_NAME: usize = 1 << 20;
/// How deep entries are nested, at most.
pub(super) const DEEPEST: usize = 1024;

/// In which namespace the types of a unit are. A gigabyte has millions of them, so that they are packed, and a scope has the place of
/// the entry that names it instead of its name.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// The scope that encloses each, and where the entry is that names it. 0 is the unit itself.
    names: Box<[(u32, u32)]>,
    changes: Changes,
    awaits: Box<[Await]>,
}

/// Where something is awaited, as the variable says that the compiler keeps it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Await {
    /// The type of what is awaited.
    pub(super) ty: u32,
    /// The number of the file in the unit's table.
    pub(super) file: u32,
    pub(super) line: u32,
}

impl Scopes {
    /// The namespace of the type at this offset; `name` reads that of the entry at another.
    pub(super) fn of<'a>(&self, offset: u32, name: &dyn Fn(u32) -> &'a [u8]) -> String {
        path(self.changes.scope(offset), &|scope| {
            let (parent, at) = self.names.get(scope)?;
            Some((*parent, name(*at)))
        })
    }

    /// All places where something is awaited, by the type of what is.
    pub(super) fn awaits(&self) -> &[Await] {
        &self.awaits
    }
}

/// The same while a unit is gone through, with names.
#[derive(Debug, Default)]
pub(super) struct Naming<'a> {
    /// The scope that encloses each, where it is named, and its name with whatever follows in its section.
    names: Vec<(u32, u32, &'a [u8])>,
    changes: Changes,
    awaits: Vec<Await>,
}

impl<'a> Naming<'a> {
    pub(super) fn push(&mut self, parent: u32, at: u32, name: &'a [u8]) -> u32 {
        self.names.push((parent, at, name));
        u32::try_from(self.names.len()).unwrap_or(0)
    }

    /// From this offset on, types are in this scope.
    pub(super) fn at(&mut self, offset: u32, scope: u32) {
        self.changes.push(offset, scope);
    }

    pub(super) fn path(&self, scope: u32) -> String {
        path(scope, &|scope| self.names.get(scope).map(|(parent, _, name)| (*parent, *name)))
    }

    pub(super) fn awaited(&mut self, place: Await) {
        self.awaits.push(place);
    }

    /// What is kept of it.
    pub(super) fn finish(mut self) -> Scopes {
        self.awaits.sort_unstable();
        self.awaits.dedup();
        self.changes.shrink();
        Scopes {
            names: self.names.iter().map(|(parent, at, _)| (*parent, *at)).collect(),
            changes: self.changes,
            awaits: self.awaits.into(),
        }
    }
}

/// The path of a scope, by what encloses each and its name.
fn path<'a>(scope: u32, named: &dyn Fn(usize) -> Option<(u32, &'a [u8])>) -> String {
    let mut parts = vec![];
    let (mut next, mut room) = (scope, LONGEST_NAME);
    while let Some((parent, name)) = (next as usize).checked_sub(1).and_then(named) {
        let part = text(name, room);
        room = room.saturating_sub(part.len() + 2);
        parts.push(part);
        if parts.len() == DEEPEST || room == 0 {
            break;
        }
        next = parent;
    }
    parts.reverse();
    parts.join("::")
}

/// From which offset on types are in which scope: the distance from one to the next in a few bits, and now and then where one is as
/// it is, to begin there.
#[derive(Debug, Default)]
struct Changes {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// How many follow the last mark.
    since: u32,
    last: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Mark {
    offset: u32,
    scope: u32,
    /// Where those begin that follow it.
    at: u32,
}

/// So many follow a mark.
const BETWEEN: u32 = 31;

impl Changes {
    /// Offsets grow; one that does not is left out.
    fn push(&mut self, offset: u32, scope: u32) {
        match self.last {
            Some((_, last)) if last == scope => return,
            Some((last, before)) if self.since < BETWEEN => {
                let Some(distance) = offset.checked_sub(last) else { return };
                let step = scope.wrapping_sub(before) as i32;
                self.number(distance);
                self.number((step << 1 ^ step >> 31) as u32);
                self.since += 1;
            }
            _ => {
                let Ok(at) = u32::try_from(self.bytes.len()) else { return };
                self.marks.push(Mark { offset, scope, at });
                self.since = 0;
            }
        }
        self.last = Some((offset, scope));
    }

    fn number(&mut self, number: u32) {
        let mut left = number;
        while left >= 0x80 {
            self.bytes.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.bytes.push(left as u8);
    }

    /// The scope at an offset.
    fn scope(&self, offset: u32) -> u32 {
        let after = self.marks.partition_point(|mark| mark.offset <= offset);
        let Some(mark) = after.checked_sub(1).and_then(|at| self.marks.get(at)) else { return 0 };
        let end = self.marks.get(after).map_or(self.bytes.len(), |mark| mark.at as usize);
        let mut bytes = self.bytes.get(mark.at as usize..end).unwrap_or_default();
        let (mut at, mut scope) = (mark.offset, mark.scope);
        while let (Some(distance), Some(step)) = (number(&mut bytes), number(&mut bytes)) {
            at = at.saturating_add(distance);
            if at > offset {
                break;
            }
            scope = scope.wrapping_add(step >> 1 ^ (step & 1).wrapping_neg());
        }
        scope
    }

    fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.marks.shrink_to_fit();
    }
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Bytes up to the first zero.
pub(super) fn terminated(tail: &[u8], most: usize) -> &[u8] {
    let tail = tail.get(..most).unwrap_or(tail);
    memchr::memchr(0, tail).and_then(|end| tail.get(..end)).unwrap_or(tail)
}

/// A name as text.
pub(super) fn text(tail: &[u8], most: usize) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(terminated(tail, most))
}

/// A name, with whatever follows it in its section: to look for its end costs more than what is asked of most.
pub(super) fn name_of<'a>(
    dwarf: &Dwarf<Slice<'a>>,
    unit: &Unit<Slice<'a>>,
    value: &AttributeValue<Slice<'a>>,
) -> &'a [u8] {
    let tail = |section: Slice<'a>, at: usize| section.slice().get(at..).unwrap_or_default();
    match value {
        AttributeValue::String(text) => text.slice(),
        AttributeValue::DebugStrRef(at) => tail(*dwarf.debug_str.reader(), at.0),
        AttributeValue::DebugLineStrRef(at) => tail(*dwarf.debug_line_str.reader(), at.0),
        AttributeValue::DebugStrOffsetsIndex(index) => {
            dwarf.string_offset(unit, *index).map_or(&[], |at| tail(*dwarf.debug_str.reader(), at.0))
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_packed_change_is_found_as_it_was(
            steps in proptest::collection::vec((1_u32..100_000, proptest::option::of(0_u32..50), 0_u32..), 0..400),
            asked in proptest::collection::vec(0_u32.., 0..50),
        ) {
            let (mut changes, mut plain, mut offset) = (Changes::default(), vec![], 7_u32);
            for (step, small, large) in steps {
                offset += step;
                changes.push(offset, small.unwrap_or(large));
                plain.push((offset, small.unwrap_or(large)));
            }
            let near = plain.iter().flat_map(|change| [change.0 - 1, change.0, change.0 + 1]).collect::<Vec<_>>();
            for offset in near.into_iter().chain(asked) {
                let after = plain.partition_point(|change| change.0 <= offset);
                let scope = after.checked_sub(1).map_or(0, |at| plain[at].1);
                proptest::prop_assert_eq!(changes.scope(offset), scope);
            }
        }
    }

    #[test]
    fn a_path_is_that_of_all_that_encloses() {
        let mut naming = Naming::default();
        let outer = naming.push(0, 10, b"a\0more");
        let inner = naming.push(outer, 20, b"b");
        naming.at(21, inner);
        naming.at(30, outer);
        assert_eq!((naming.path(inner), naming.path(0)), ("a::b".to_owned(), String::new()));
        let scopes = naming.finish();
        let name = |at: u32| if at == 10 { &b"a\0"[..] } else { b"b\0" };
        let of = |offset| scopes.of(offset, &name);
        assert_eq!((of(20), of(21), of(29), of(30)), (String::new(), "a::b".into(), "a::b".into(), "a".into()));
    }
}
