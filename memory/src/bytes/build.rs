//! The linker's fingerprint of an object, in a file and in memory.

use super::{
    Segment,
    image::{note_build_id, segments},
};
use std::fmt::Write;

/// Notes longer than this are cut off.
const MOST_NOTES: u64 = 65_536;

/// Of a file.
pub(crate) fn of_file(content: &[u8]) -> Option<Vec<u8>> {
    let start = content.get(..content.len().min(65_536))?;
    segments(start)?.iter().filter(|segment| segment.kind == Segment::NOTE).find_map(|segment| {
        let (from, len) = (usize::try_from(segment.offset).ok()?, segment.file_size.min(MOST_NOTES) as usize);
        note_build_id(content.get(from..from.checked_add(len)?)?, segment.align)
    })
}

/// Of an object whose header stands at `at` in memory.
pub(crate) fn of_memory(at: u64, read: &dyn Fn(u64, &mut [u8]) -> bool) -> Option<Vec<u8>> {
    let mut start = vec![0; 4096];
    read(at, &mut start).then_some(())?;
    let segments = segments(&start)?;
    let first =
        segments.iter().filter(|segment| segment.kind == Segment::LOAD).min_by_key(|segment| segment.address)?;
    let bias = at.wrapping_sub((first.address & !0xfff).wrapping_sub(first.offset & !0xfff));
    segments.iter().filter(|segment| segment.kind == Segment::NOTE).find_map(|segment| {
        let mut notes = vec![0; usize::try_from(segment.size.min(MOST_NOTES)).ok()?];
        read(bias.wrapping_add(segment.address), &mut notes).then_some(())?;
        note_build_id(&notes, segment.align)
    })
}

/// As people write it.
pub(crate) fn digits(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
