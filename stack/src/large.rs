//! A file with so much debug information that to look at all of its units would take hundreds of megabytes: of an address only the unit
//! is gone through that has its code. The file is mapped for as long as addresses are named, and no longer.
//!
//! A unit is read as if it were the only one, which holds as long as nothing in it refers to another.

use crate::unit::{Part, Unit};
use addr2line::gimli::{self, EndianSlice, LittleEndian, SectionId};
use memmap2::{Mmap, UncheckedAdvice};
use object::{CompressionFormat, Object, ObjectSection, ObjectSymbol, SymbolKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
};

/// So much debug information is read as a whole.
const WHOLE: u64 = 16 << 20;
/// More pieces of code are not told apart.
const MOST: usize = 1 << 23;
/// No unit has more kinds of entries that are looked at.
const MOST_KINDS: u64 = 1 << 16;

/// Such a file.
pub(crate) struct Large {
    path: PathBuf,
    /// Code, from where to where, and in which unit it is.
    code: Vec<(u64, u64, usize)>,
}

/// What is told of an address.
pub(crate) struct Told<'a> {
    /// The functions there, as debug information has them; none where there is none of it.
    pub(crate) parts: Vec<Part>,
    /// The symbol, where they do not say all of the name.
    pub(crate) symbol: Option<&'a str>,
}

impl Large {
    /// The file, if it is one, and its units can be read one by one.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        Self::from(path, WHOLE)
    }

    /// The same of a file with at least so much debug information.
    pub(crate) fn from(path: &Path, least: u64) -> Option<Self> {
        let map = mapped(path)?;
        let object = object::File::parse(&*map).ok()?;
        let size = object.section_by_name(".debug_info")?.size();
        // What was split off is in other files.
        if size < least || !object.is_little_endian() || object.section_by_name(".debug_addr").is_some() {
            return None;
        }
        let aranges = gimli::DebugAranges::new(section(&object, SectionId::DebugAranges)?, LittleEndian);
        let mut code = Vec::new();
        let mut headers = aranges.headers();
        while let Ok(Some(header)) = headers.next() {
            let mut entries = header.entries();
            while let Ok(Some(entry)) = entries.next()
                && code.len() < MOST
            {
                let range = entry.range();
                // What the linker has left out is at no place.
                if range.begin == 0 || range.begin >= range.end {
                    continue;
                }
                let next = (range.begin, range.end, header.debug_info_offset().0);
                if !code.last_mut().is_some_and(|last| joined(last, next)) {
                    code.push(next);
                }
            }
        }
        code.sort_unstable();
        // Most functions of a unit follow one another.
        code.dedup_by(|next, kept| joined(kept, *next));
        code.shrink_to_fit();
        (!code.is_empty()).then(|| Self { path: path.to_owned(), code })
    }

    /// Tells of addresses, in any order, of each once. False where a unit refers to others: then all of the file has to be read.
    pub(crate) fn name(&self, addresses: &[u64], tell: &mut dyn FnMut(u64, Told<'_>)) -> bool {
        let Some(map) = mapped(&self.path) else { return false };
        let Ok(object) = object::File::parse(&*map) else { return false };
        let mut units: BTreeMap<Option<usize>, BTreeSet<u64>> = BTreeMap::new();
        for address in addresses {
            units.entry(self.unit(*address)).or_default().insert(*address);
        }
        let symbols = symbols(&object, addresses);
        let symbol = |address: u64| symbols.get(&address).copied();
        for (unit, addresses) in units {
            // A unit may be a large part of the file, and so may be what symbols were looked up in.
            forget(&map);
            let mut told = match unit.map(|unit| alone(&object, unit)) {
                None => BTreeMap::new(),
                Some(Some(unit)) => unit.tell(&addresses),
                Some(None) => return false,
            };
            for address in addresses {
                let parts = told.remove(&address).unwrap_or_default();
                tell(address, Told { parts, symbol: symbol(address) });
            }
        }
        true
    }

    fn unit(&self, address: u64) -> Option<usize> {
        let after = self.code.partition_point(|(start, ..)| *start <= address);
        let (_, end, unit) = self.code.get(after.checked_sub(1)?)?;
        (address < *end).then_some(*unit)
    }
}

/// Makes one of two pieces of a unit's code of which the second follows the first; whether it could.
fn joined(kept: &mut (u64, u64, usize), next: (u64, u64, usize)) -> bool {
    let joins = next.2 == kept.2 && kept.0 <= next.0 && next.0 <= kept.1.saturating_add(16);
    if joins {
        kept.1 = kept.1.max(next.1);
    }
    joins
}

/// This unit as if it were the only one; `None` where it refers to others.
fn alone<'a>(object: &object::File<'a>, unit: usize) -> Option<Unit<'a>> {
    let whole = section(object, SectionId::DebugInfo)?;
    let abbreviations = gimli::DebugAbbrev::new(section(object, SectionId::DebugAbbrev)?, LittleEndian);
    let header = gimli::DebugInfo::new(whole, LittleEndian).header_from_offset(gimli::DebugInfoOffset(unit)).ok()?;
    let kinds = header.abbreviations(&abbreviations).ok()?;
    let kinds = (1..MOST_KINDS).map_while(|code| kinds.get(code));
    let elsewhere = |form| matches!(form, gimli::DW_FORM_ref_addr | gimli::DW_FORM_GNU_ref_alt);
    if kinds.flat_map(gimli::Abbreviation::attributes).any(|attribute| elsewhere(attribute.form())) {
        return None;
    }
    let only = whole.get(unit..unit.checked_add(header.length_including_self())?)?;
    let load = |id: SectionId| {
        let bytes = match id {
            SectionId::DebugInfo => only,
            SectionId::DebugAranges => &[],
            _ => section(object, id).unwrap_or_default(),
        };
        Ok::<_, gimli::Error>(EndianSlice::new(bytes, LittleEndian))
    };
    Unit::first(gimli::Dwarf::load(load).ok()?)
}

/// A section that is not compressed; empty where there is none.
fn section<'a>(object: &object::File<'a>, id: SectionId) -> Option<&'a [u8]> {
    let Some(section) = object.section_by_name(id.name()) else { return Some(&[]) };
    let plain = section.compressed_file_range().ok()?.format == CompressionFormat::None;
    plain.then(|| section.data().ok()).flatten()
}

/// The symbols that have these addresses, by address.
fn symbols<'a>(object: &object::File<'a>, addresses: &[u64]) -> BTreeMap<u64, &'a str> {
    let mut wanted = addresses.to_vec();
    wanted.sort_unstable();
    let mut found = BTreeMap::new();
    for symbol in object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        let (start, end) = (symbol.address(), symbol.address().saturating_add(symbol.size()));
        let from = wanted.partition_point(|address| *address < start);
        for address in wanted.iter().skip(from).take_while(|address| **address < end) {
            if let Ok(name) = symbol.name() {
                found.insert(*address, name);
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
