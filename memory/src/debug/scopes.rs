//! Names in a unit, and in which namespace each type is.

use super::sections::Slice;
use gimli::{AttributeValue, Dwarf, Section as _, Unit};

/// No name is longer than this; what is longer is cut.
pub(super) const LONGEST_NAME: usize = 1 << 20;
/// How deep entries are nested, at most.
pub(super) const DEEPEST: usize = 1024;

/// In which namespace the types of a unit are.
#[derive(Debug, Default)]
pub(super) struct Scopes<'a> {
    /// The scope that encloses each, and its name with whatever follows in its section. 0 is the unit itself.
    names: Vec<(u32, &'a [u8])>,
    /// From which offset on types are in which scope.
    changes: Vec<(u32, u32)>,
    /// Where something is awaited: the type of what is, the number of the file, the line.
    awaits: Vec<Await>,
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

impl<'a> Scopes<'a> {
    pub(super) fn push(&mut self, parent: u32, name: &'a [u8]) -> u32 {
        self.names.push((parent, name));
        u32::try_from(self.names.len()).unwrap_or(0)
    }

    pub(super) fn at(&mut self, offset: u32, scope: u32) {
        if self.changes.last().is_none_or(|last| last.1 != scope) {
            self.changes.push((offset, scope));
        }
    }

    /// The namespace of the type at this offset of the unit.
    pub(super) fn of(&self, offset: u32) -> String {
        let after = self.changes.partition_point(|change| change.0 <= offset);
        let scope = after.checked_sub(1).and_then(|at| self.changes.get(at)).map_or(0, |change| change.1);
        self.path(scope)
    }

    pub(super) fn path(&self, scope: u32) -> String {
        let mut parts = vec![];
        let (mut next, mut room) = (scope, LONGEST_NAME);
        while let Some((parent, name)) = (next as usize).checked_sub(1).and_then(|at| self.names.get(at)) {
            let part = text(name, room);
            room = room.saturating_sub(part.len() + 2);
            parts.push(part);
            if parts.len() == DEEPEST || room == 0 {
                break;
            }
            next = *parent;
        }
        parts.reverse();
        parts.join("::")
    }

    pub(super) fn awaited(&mut self, place: Await) {
        self.awaits.push(place);
    }

    /// All places where something is awaited, by the type of what is.
    pub(super) fn awaits(&self) -> &[Await] {
        &self.awaits
    }

    pub(super) fn shrink(&mut self) {
        self.awaits.sort_unstable();
        self.awaits.dedup();
        self.awaits.shrink_to_fit();
        self.names.shrink_to_fit();
        self.changes.shrink_to_fit();
    }
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
