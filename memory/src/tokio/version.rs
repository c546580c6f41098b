//! Which tokio it is, by the paths of its sources, which stand in messages of panics beside the vtables of tasks.

use crate::{bytes::Bytes, objects::Object, ps};

/// So much is read at once.
const PIECE: usize = 1 << 20;
/// A path that begins at the end of a piece goes on for so long in the next.
const OVERLAP: usize = 64;
/// More constant data than this is not searched.
const MOST: usize = 256 << 20;

/// The version of the tokio in an object, where its constant data tells.
pub(crate) fn version(object: &Object, bytes: &dyn Bytes) -> Option<String> {
    let mut piece = vec![0; PIECE + OVERLAP];
    let mut left = MOST / PIECE;
    for range in object.constant.iter().flat_map(|range| bytes.present(range.clone())) {
        let mut at = range.start;
        while at < range.end && left > 0 {
            let len = usize::try_from(range.end - at).unwrap_or(PIECE).min(piece.len());
            let read = piece.get_mut(..len).filter(|_| len > 0)?;
            if bytes.read(at, read)
                && let Some(version) = ps::version_in(read)
            {
                return Some(version);
            }
            at = at.saturating_add(PIECE as u64);
            left -= 1;
        }
    }
    None
}
