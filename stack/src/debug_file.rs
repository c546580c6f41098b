//! A file that has debug information: what it says of addresses. It is mapped for as long as addresses are named, and no longer, and is
//! read where it is: what is taken of memory beside it does not grow with the file ([`crate::unit`] has the bounds).
//!
//! Of an address only the unit is gone through that has its code ([`crate::units`]). Sections that are compressed are passed over, and
//! units of which all but the lines is in other files: to read any of such a section takes memory for all of it. Symbols name functions
//! then, or whoever has that memory reads the file as a whole.

use crate::{
    unit::{Part, Slice, Unit},
    units,
};
use addr2line::gimli::{self, EndianSlice, LittleEndian, SectionId};
use memmap2::{Mmap, UncheckedAdvice};
use object::{CompressionFormat, Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

/// Such a file.
#[derive(Debug)]
pub(crate) struct DebugFile {
    path: PathBuf,
}

/// What a file is, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    /// Symbols, perhaps.
    Symbols,
    /// Debug information as well.
    DebugInformation,
}

/// Whether all was told that the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum All {
    Told,
    /// Some of it cannot be read in place.
    NotTold,
}

/// What is told of an address.
pub(crate) struct Told<'a> {
    /// The functions there, as debug information has them; none where there is none of it.
    pub(crate) parts: Vec<Part>,
    /// The symbol, where they do not say all of the name.
    pub(crate) symbol: Option<&'a str>,
}

impl DebugFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    #[cfg(feature = "whole")]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells of addresses, in any order, of each once.
    pub(crate) fn name(&self, addresses: &[u64], tell: &mut dyn FnMut(u64, Told<'_>)) -> All {
        let Some(map) = mapped(&self.path) else { return All::Told };
        let Ok(object) = object::File::parse(&*map) else { return All::Told };
        let mut wanted = addresses.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let symbols = symbols(&object, &wanted);
        let load = |id: SectionId| Ok::<_, gimli::Error>(EndianSlice::new(section(&object, id), LittleEndian));
        let dwarf = gimli::Dwarf::load(load).ok().filter(|_| object.is_little_endian());
        let units = dwarf.as_ref().map(|dwarf| units::find(dwarf, &wanted)).unwrap_or_default();
        let mut told = BTreeMap::new();
        let info = object.section_by_name(SectionId::DebugInfo.name());
        let mut all = if info.is_some_and(|info| !is_plain(&info)) { All::NotTold } else { All::Told };
        for (unit, addresses) in units {
            // A unit may be a large part of the file, and so may be what it was found by.
            forget(&map);
            if let Some(unit) = dwarf.as_ref().and_then(|dwarf: &gimli::Dwarf<Slice<'_>>| Unit::at(dwarf, unit)) {
                // Its lines alone would be those of code that was inlined, and its functions would be others.
                if unit.is_elsewhere() {
                    all = All::NotTold;
                } else {
                    told.extend(unit.tell(&addresses));
                }
            }
        }
        for address in wanted {
            let parts = told.remove(&address).unwrap_or_default();
            tell(address, Told { parts, symbol: symbols.get(&address).copied() });
        }
        all
    }
}

/// What the file has, if it is the one with this fingerprint, where there is one.
pub(crate) fn is_it(path: &Path, build_id: &[u8]) -> Option<Has> {
    let map = mapped(path)?;
    let file = object::File::parse(&*map).ok()?;
    let same = build_id.is_empty() || file.build_id().ok()?.is_none_or(|id| id == build_id);
    let has = if file.section_by_name(".debug_info").is_some() { Has::DebugInformation } else { Has::Symbols };
    same.then_some(has)
}

/// A section that is not compressed; empty where there is none.
fn section<'a>(object: &object::File<'a>, id: SectionId) -> &'a [u8] {
    let Some(section) = object.section_by_name(id.name()) else { return &[] };
    if is_plain(&section) { section.data().unwrap_or_default() } else { &[] }
}

fn is_plain<'a>(section: &impl ObjectSection<'a>) -> bool {
    section.compressed_file_range().is_ok_and(|range| range.format == CompressionFormat::None)
}

/// The symbols that have these addresses, which are in order, by address.
fn symbols<'a>(object: &object::File<'a>, wanted: &[u64]) -> BTreeMap<u64, &'a str> {
    let mut found = BTreeMap::new();
    for symbol in object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        let code = symbol.address()..symbol.address().saturating_add(symbol.size());
        for address in units::within(wanted, &code) {
            if let Ok(name) = symbol.name() {
                found.insert(address, name);
            }
        }
    }
    found
}

fn mapped(path: &Path) -> Option<Mmap> {
    let file = File::open(path).ok()?;
    #[allow(unsafe_code, reason = "mapping has no safe wrapper")]
    // SAFETY: it is mapped to be read, as the loader of `addr2line` maps files, and what is read is taken for hostile.
    unsafe { Mmap::map(&file) }.ok()
}

/// Gives back the pages that this process has of a file. What is read again comes from the kernel's own copy.
fn forget(map: &Mmap) {
    #[allow(unsafe_code, reason = "it has no safe wrapper, since it undoes what was written to a mapping")]
    // SAFETY: nothing is written to this mapping: its pages are the file's.
    let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
}
