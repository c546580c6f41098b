//! Calls of `block_on` that were inlined into whoever called it, mostly into `main`: there is no such function then, and what tells of
//! the future is the call.

use super::{Function, Functions, HOPS, Scan};
use gimli::constants as dw;
use rustc_hash::FxHashSet;

impl<'a> Scan<'_, 'a> {
    /// Finds where they are. That takes a second pass, over units that have such calls alone: what was inlined is most of a unit, and
    /// the functions stand behind it as well as before.
    pub(super) fn inlined(&self, functions: &mut Functions<'a>) {
        let wanted: FxHashSet<u32> =
            functions.inlined.iter().copied().filter(|at| is_block_on(*at, functions)).collect();
        if wanted.is_empty() {
            return;
        }
        let Ok(mut entries) = self.unit.entries_raw(None) else { return };
        while !entries.is_empty() {
            let offset = self.offset(entries.next_offset());
            let abbreviation = match entries.read_abbreviation() {
                Ok(Some(abbreviation)) => abbreviation,
                Ok(None) => continue,
                Err(_) => return,
            };
            if abbreviation.tag() != dw::DW_TAG_inlined_subroutine {
                if entries.skip_attributes(abbreviation.attributes()).is_err() {
                    return;
                }
                continue;
            }
            let (Some(read), Some(offset)) = (self.read(&mut entries, abbreviation), offset) else { return };
            if let Some(origin) = read.origin.filter(|origin| wanted.contains(origin)) {
                functions.links.insert(offset, origin);
                self.place(&read, offset, functions);
            }
        }
    }
}

/// Whether the function at this offset is a `block_on` of a future that is known.
fn is_block_on(mut at: u32, functions: &Functions<'_>) -> bool {
    // One more is the call's own.
    for _ in 1..HOPS {
        if let Some(function) = functions.named.get(&at) {
            return matches!(function, Function::BlockOn(Some(_)));
        }
        let Some(next) = functions.links.get(&at) else { return false };
        at = *next;
    }
    false
}
