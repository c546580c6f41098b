//! Which unit of a file's debug information has the code at an address: by the table that compilers write for it, and where that says
//! nothing, by what units say of themselves. Both are gone through from their beginnings and nothing of them is kept: of 500 MB of
//! debug information the table has some ten.

use crate::unit::{self, Slice};
use addr2line::gimli::{self, DebugInfoOffset};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// So many units are remembered to be in the table, so that they are not asked themselves.
const TABLED: usize = 1 << 16;

/// The units that have these addresses, which are in order, and which of them each has.
pub(crate) fn find(dwarf: &gimli::Dwarf<Slice<'_>>, wanted: &[u64]) -> BTreeMap<DebugInfoOffset, BTreeSet<u64>> {
    let mut found = BTreeMap::new();
    let tabled = by_table(dwarf, wanted, &mut found);
    if found.len() < wanted.len() {
        let rest: Vec<u64> = wanted.iter().copied().filter(|address| !found.contains_key(address)).collect();
        by_units(dwarf, &tabled, &rest, &mut found);
    }
    let mut units: BTreeMap<DebugInfoOffset, BTreeSet<u64>> = BTreeMap::new();
    for (address, unit) in found {
        units.entry(unit).or_default().insert(address);
    }
    units
}

/// Finds what is in the table, and returns which units are in it, in order.
fn by_table(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    wanted: &[u64],
    found: &mut BTreeMap<u64, DebugInfoOffset>,
) -> Vec<DebugInfoOffset> {
    let mut tabled = Vec::new();
    let mut headers = dwarf.debug_aranges.headers();
    while let Ok(Some(header)) = headers.next() {
        let unit = header.debug_info_offset();
        if tabled.len() < TABLED {
            tabled.push(unit);
        }
        let mut entries = header.entries();
        while let Ok(Some(entry)) = entries.next() {
            let code = entry.range();
            note(wanted, &(code.begin..code.end), unit, found);
        }
    }
    tabled.sort_unstable();
    tabled
}

/// Asks those units that are not in the table.
fn by_units(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    tabled: &[DebugInfoOffset],
    wanted: &[u64],
    found: &mut BTreeMap<u64, DebugInfoOffset>,
) {
    let mut units = dwarf.debug_info.units();
    let all = found.len() + wanted.len();
    while let Ok(Some(header)) = units.next()
        && found.len() < all
    {
        let Some(at) = header.debug_info_offset().filter(|at| tabled.binary_search(at).is_err()) else { continue };
        let Ok(unit) = unit::root(dwarf, header) else { continue };
        let Ok(mut ranges) = dwarf.unit_ranges(&unit) else { continue };
        while let Ok(Some(range)) = ranges.next() {
            note(wanted, &(range.begin..range.end), at, found);
        }
    }
}

fn note(wanted: &[u64], code: &Range<u64>, unit: DebugInfoOffset, found: &mut BTreeMap<u64, DebugInfoOffset>) {
    // What the linker has left out is at no place.
    if code.start == 0 {
        return;
    }
    for address in within(wanted, code) {
        found.entry(address).or_insert(unit);
    }
}

/// Those of some addresses in order that are in this range.
pub(crate) fn within<'w>(wanted: &'w [u64], range: &Range<u64>) -> impl Iterator<Item = u64> + 'w {
    let (from, end) = (wanted.partition_point(|address| *address < range.start), range.end);
    wanted.iter().skip(from).copied().take_while(move |address| *address < end)
}
