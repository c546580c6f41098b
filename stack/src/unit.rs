//! One unit of a file's debug information, read for a few addresses. Whatever has none of them in it is passed over, and nothing is
//! kept: a unit may have hundreds of thousands of functions, and millions of lines.
//!
//! What is made of a unit in memory are two tables: the kinds of its entries, and the files that its lines are in. A unit whose tables
//! are larger than any that compilers write is not read.

use crate::units::within;
use addr2line::{
    demangle_auto,
    gimli::{
        self, AttributeValue, DebugAddrBase, DebugInfoOffset, DebugLineOffset, DebugLocListsBase, DebugRngListsBase,
        DebugStrOffsetsBase, DwLang, EndianSlice, EntriesRaw, LittleEndian, Reader, Section, UnitHeader, UnitOffset,
        UnitRef, UnitType, constants as dw,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Bytes of the kinds of entries, as they are written: at most 2 MiB of them are made of it.
const KINDS: usize = 64 << 10;
/// The same of the files of lines.
const FILES: usize = 64 << 10;

/// Through how many others a function may take its name from.
const HOPS: usize = 16;
/// Of how many pieces a function's code is, at most.
const PIECES: usize = 1 << 12;
/// How deep functions are inlined into each other, at most.
const DEEPEST: usize = 256;

pub(crate) type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// A function that has an address, and where in it that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Demangled; empty where it is not known.
    pub(crate) function: String,
    /// Empty where it is not known.
    pub(crate) file: String,
    /// From 1; 0 where it is not known.
    pub(crate) line: u32,
    /// The same.
    pub(crate) column: u32,
}

/// A unit.
pub(crate) struct Unit<'a, 'd> {
    dwarf: &'d gimli::Dwarf<Slice<'a>>,
    inner: gimli::Unit<Slice<'a>>,
    language: Option<DwLang>,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    file: Option<u64>,
    line: u32,
    column: u32,
}

/// What is said of where code is.
#[derive(Default)]
struct Code<'a> {
    low: Option<u64>,
    high: Option<u64>,
    len: Option<u64>,
    ranges: Option<AttributeValue<Slice<'a>>>,
}

/// What is said of a name.
#[derive(Default)]
struct Name<'a> {
    linkage: Option<Slice<'a>>,
    plain: Option<Slice<'a>>,
    origin: Option<Origin>,
}

/// What a function was made of.
#[derive(Clone, Copy)]
enum Origin {
    /// It is in the same unit.
    Here(UnitOffset),
    /// It is in another one, of which it was inlined when all was optimized together.
    There(DebugInfoOffset),
}

/// A function that was inlined: its name, and where it is called.
#[derive(Clone, Copy, Default)]
struct Inlined<'a> {
    name: Option<Slice<'a>>,
    call: Place,
}

/// A unit without its lines.
pub(crate) fn root<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    header: UnitHeader<Slice<'a>>,
) -> gimli::Result<gimli::Unit<Slice<'a>>> {
    begun(dwarf, header).map(|(unit, _)| unit)
}

/// A unit without its lines, and where they are.
fn begun<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    header: UnitHeader<Slice<'a>>,
) -> gimli::Result<(gimli::Unit<Slice<'a>>, Option<DebugLineOffset>)> {
    let kinds = dwarf.debug_abbrev.reader();
    let end = header.debug_abbrev_offset().0.saturating_add(KINDS).min(kinds.len());
    let kinds = gimli::DebugAbbrev::from(EndianSlice::new(&kinds.slice()[..end], LittleEndian));
    let abbreviations = header.abbreviations(&kinds)?.into();
    let (encoding, of) = (header.encoding(), dwarf.file_type);
    let dwo_id = match header.type_() {
        UnitType::Skeleton(id) => Some(id),
        _ => None,
    };
    let mut unit = gimli::Unit {
        header,
        abbreviations,
        name: None,
        comp_dir: None,
        low_pc: 0,
        str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, of),
        addr_base: DebugAddrBase(0),
        loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, of),
        rnglists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, of),
        line_program: None,
        dwo_id,
    };
    let [mut name, mut directory, mut low] = [None; 3];
    let mut lines = None;
    let mut entries = unit.header.entries_raw(&unit.abbreviations, None)?;
    let kind = entries.read_abbreviation()?.ok_or(gimli::Error::MissingUnitDie)?;
    for spec in kind.attributes() {
        let attribute = entries.read_attribute(*spec)?;
        match (attribute.name(), attribute.value()) {
            (dw::DW_AT_name, value) => name = Some(value),
            (dw::DW_AT_comp_dir, value) => directory = Some(value),
            (dw::DW_AT_low_pc, value) => low = Some(value),
            (dw::DW_AT_stmt_list, AttributeValue::DebugLineRef(at)) => lines = Some(at),
            (dw::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => unit.str_offsets_base = base,
            (_, AttributeValue::DebugAddrBase(base)) => unit.addr_base = base,
            (_, AttributeValue::DebugRngListsBase(base)) => unit.rnglists_base = base,
            (_, AttributeValue::DwoId(id)) => unit.dwo_id = Some(id),
            _ => {}
        }
    }
    // What these are written as may need the bases, which may come after them.
    let text = |value: Option<AttributeValue<Slice<'a>>>| value.and_then(|value| dwarf.attr_string(&unit, value).ok());
    let (name, directory) = (text(name), text(directory));
    let low = low.and_then(|low| dwarf.attr_address(&unit, low).ok().flatten());
    (unit.name, unit.comp_dir, unit.low_pc) = (name, directory, low.unwrap_or_default());
    Ok((unit, lines))
}

/// The table of files of a unit's lines, in bytes, as it is written.
fn files(dwarf: &gimli::Dwarf<Slice<'_>>, at: DebugLineOffset) -> gimli::Result<usize> {
    let mut header = *dwarf.debug_line.reader();
    header.skip(at.0)?;
    let (_, format) = header.read_initial_length()?;
    // From version 5 on, how long addresses are comes next.
    if header.read_u16()? >= 5 {
        header.skip(2)?;
    }
    header.read_length(format)
}

impl<'a, 'd> Unit<'a, 'd> {
    /// The unit that begins here; none where it cannot be read.
    pub(crate) fn at(dwarf: &'d gimli::Dwarf<Slice<'a>>, at: DebugInfoOffset) -> Option<Self> {
        let (mut unit, lines) = begun(dwarf, dwarf.debug_info.header_from_offset(at).ok()?).ok()?;
        if let Some(at) = lines
            && files(dwarf, at).is_ok_and(|bytes| bytes <= FILES)
        {
            unit.line_program = dwarf.debug_line.program(at, unit.header.address_size(), unit.comp_dir, unit.name).ok();
        }
        let language = match unit.entries().next_dfs() {
            Ok(Some(root)) => match root.attr_value(dw::DW_AT_language) {
                Some(AttributeValue::Language(language)) => Some(language),
                _ => None,
            },
            _ => None,
        };
        Some(Self { dwarf, inner: unit, language })
    }

    /// The functions that have each of these addresses, those that were inlined first; none of one of which nothing is said.
    pub(crate) fn tell(&self, addresses: &BTreeSet<u64>) -> BTreeMap<u64, Vec<Part>> {
        let wanted: Vec<u64> = addresses.iter().copied().collect();
        let (mut functions, mut lines) = (BTreeMap::new(), BTreeMap::new());
        // What was found before something could not be read is as right as all the rest.
        let _ = self.functions(&wanted, &mut functions);
        let _ = self.lines(&wanted, &mut lines);
        let parts = |address: &u64| {
            let place = lines.get(address).copied();
            let Some(function) = functions.get(address) else {
                return place.map(|place| self.part(None, place)).into_iter().collect();
            };
            self.within(*function, *address, place.unwrap_or_default()).unwrap_or_default()
        };
        wanted.iter().map(|address| (*address, parts(address))).collect()
    }

    /// Whether all but its lines is in another file.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.inner.dwo_id.is_some()
    }

    fn all(&self) -> UnitRef<'_, Slice<'a>> {
        UnitRef::new(self.dwarf, &self.inner)
    }

    /// Finds which functions have these addresses, which are in order.
    fn functions(&self, wanted: &[u64], found: &mut BTreeMap<u64, UnitOffset>) -> gimli::Result<()> {
        let mut entries = self.inner.entries_raw(None)?;
        while !entries.is_empty() && found.len() < wanted.len() {
            let offset = entries.next_offset();
            let Some(kind) = entries.read_abbreviation()? else { continue };
            let placed =
                |spec: &gimli::AttributeSpecification| matches!(spec.name(), dw::DW_AT_low_pc | dw::DW_AT_ranges);
            if kind.tag() != dw::DW_TAG_subprogram || !kind.attributes().iter().any(placed) {
                entries.skip_attributes(kind.attributes())?;
                continue;
            }
            let mut code = Code::default();
            for spec in kind.attributes() {
                code.note(entries.read_attribute(*spec)?, self.all())?;
            }
            code.each(self.all(), &mut |range| {
                for address in within(wanted, &range) {
                    found.entry(address).or_insert(offset);
                }
            })?;
        }
        Ok(())
    }

    /// The function at this offset, with what was inlined into it at an address that is at this place.
    fn within(&self, function: UnitOffset, address: u64, place: Place) -> gimli::Result<Vec<Part>> {
        let mut entries = self.inner.entries_raw(Some(function))?;
        let outer = entries.next_depth();
        let Some(kind) = entries.read_abbreviation()? else { return Ok(Vec::new()) };
        let mut name = Name::default();
        for spec in kind.attributes() {
            name.note(&entries.read_attribute(*spec)?, self.all());
        }
        let name = self.named(name);
        // The one of each depth that has the address, from outside to inside.
        let mut chain: Vec<Inlined<'a>> = Vec::new();
        // How deep the entries are of those that enclose the next.
        let mut enclosing: Vec<isize> = Vec::new();
        while !entries.is_empty() && entries.next_depth() > outer {
            let depth = entries.next_depth();
            let Some(kind) = entries.read_abbreviation()? else { continue };
            while enclosing.last().is_some_and(|last| *last >= depth) {
                enclosing.pop();
            }
            match kind.tag() {
                dw::DW_TAG_inlined_subroutine => {
                    let inlined = self.inlined(&mut entries, kind, address)?;
                    if let Some(inlined) = inlined.filter(|_| chain.len() == enclosing.len() && chain.len() < DEEPEST) {
                        chain.push(inlined);
                    }
                    enclosing.push(depth);
                }
                // One that is written inside of another is not part of it.
                dw::DW_TAG_subprogram => {
                    entries.skip_attributes(kind.attributes())?;
                    while !entries.is_empty() && entries.next_depth() > depth {
                        if let Some(kind) = entries.read_abbreviation()? {
                            entries.skip_attributes(kind.attributes())?;
                        }
                    }
                }
                _ => entries.skip_attributes(kind.attributes())?,
            }
        }
        let (mut parts, mut place) = (Vec::with_capacity(chain.len() + 1), place);
        for inlined in chain.iter().rev() {
            parts.push(self.part(inlined.name, place));
            place = inlined.call;
        }
        parts.push(self.part(name, place));
        Ok(parts)
    }

    /// A function that was inlined, if the address is in it.
    fn inlined(
        &self,
        entries: &mut EntriesRaw<'_, Slice<'a>>,
        kind: &gimli::Abbreviation,
        address: u64,
    ) -> gimli::Result<Option<Inlined<'a>>> {
        let (mut code, mut name, mut call) = (Code::default(), Name::default(), Place::default());
        for spec in kind.attributes() {
            let attribute = entries.read_attribute(*spec)?;
            let number = || attribute.udata_value().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
            match attribute.name() {
                dw::DW_AT_call_file => {
                    // Until DWARF 5 a file of 0 was none.
                    call.file = match attribute.value() {
                        AttributeValue::FileIndex(0) if self.inner.header.version() < 5 => None,
                        AttributeValue::FileIndex(index) => Some(index),
                        _ => None,
                    };
                }
                dw::DW_AT_call_line => call.line = number(),
                dw::DW_AT_call_column => call.column = number(),
                _ => {
                    name.note(&attribute, self.all());
                    code.note(attribute, self.all())?;
                }
            }
        }
        let mut has = false;
        code.each(self.all(), &mut |range| has |= range.contains(&address))?;
        Ok(has.then(|| Inlined { name: self.named(name), call }))
    }

    /// The name of a function, which may be that of what it was made of.
    fn named(&self, name: Name<'a>) -> Option<Slice<'a>> {
        let mut name = name;
        let mut elsewhere = None;
        for _ in 0..HOPS {
            if let Some(name) = name.linkage.or(name.plain) {
                return Some(name);
            }
            let at = match name.origin? {
                Origin::Here(at) => at,
                Origin::There(at) => {
                    let unit = elsewhere.insert(self.unit_of(at)?);
                    at.to_unit_offset(&unit.header)?
                }
            };
            let unit = UnitRef::new(self.dwarf, elsewhere.as_ref().unwrap_or(&self.inner));
            let mut entries = unit.entries_raw(Some(at)).ok()?;
            let kind = entries.read_abbreviation().ok()??;
            name = Name::default();
            for spec in kind.attributes() {
                name.note(&entries.read_attribute(*spec).ok()?, unit);
            }
        }
        None
    }

    /// The unit that has this entry in it.
    fn unit_of(&self, entry: DebugInfoOffset) -> Option<gimli::Unit<Slice<'a>>> {
        let mut units = self.dwarf.debug_info.units();
        while let Ok(Some(header)) = units.next() {
            if entry.to_unit_offset(&header).is_some() {
                return root(self.dwarf, header).ok();
            }
        }
        None
    }

    /// Finds the lines of these addresses, which are in order.
    fn lines(&self, wanted: &[u64], found: &mut BTreeMap<u64, Place>) -> gimli::Result<()> {
        let Some(program) = self.inner.line_program.clone() else { return Ok(()) };
        let mut rows = program.rows();
        // A row is of all addresses up to the next; of several of one address, the last.
        let mut before: Option<(u64, Place)> = None;
        while found.len() < wanted.len()
            && let Some((_, row)) = rows.next_row()?
        {
            if let Some((start, place)) = before
                && start < row.address()
            {
                for address in within(wanted, &(start..row.address())) {
                    found.entry(address).or_insert(place);
                }
            }
            before = (!row.end_sequence()).then(|| {
                let line = row.line().map_or(0, |line| line.get() as u32);
                let column = match row.column() {
                    gimli::ColumnType::Column(column) if line != 0 => column.get() as u32,
                    _ => 0,
                };
                (row.address(), Place { file: Some(row.file_index()), line, column })
            });
        }
        Ok(())
    }

    fn part(&self, name: Option<Slice<'a>>, place: Place) -> Part {
        let function = name.map(|name| demangle_auto(name.to_string_lossy(), self.language).into_owned());
        Part {
            function: function.unwrap_or_default(),
            file: place.file.and_then(|index| self.file(index)).unwrap_or_default(),
            line: place.line,
            column: place.column,
        }
    }

    /// The path of a file of the unit's table.
    fn file(&self, index: u64) -> Option<String> {
        let header = self.inner.line_program.as_ref()?.header();
        let file = header.file(index)?;
        let text = |value| self.all().attr_string(value).ok().map(|text| text.to_string_lossy().into_owned());
        let mut path =
            self.inner.comp_dir.map(|directory| directory.to_string_lossy().into_owned()).unwrap_or_default();
        // The first directory is that of the unit itself.
        if file.directory_index() != 0
            && let Some(directory) = file.directory(header)
        {
            join(&mut path, &text(directory)?);
        }
        join(&mut path, &text(file.path_name())?);
        Some(path)
    }
}

impl<'a> Code<'a> {
    fn note(&mut self, attribute: gimli::Attribute<Slice<'a>>, unit: UnitRef<'_, Slice<'a>>) -> gimli::Result<()> {
        let place = |value| match value {
            AttributeValue::Addr(at) => Ok(Some(at)),
            AttributeValue::DebugAddrIndex(index) => unit.address(index).map(Some),
            _ => Ok(None),
        };
        match (attribute.name(), attribute.value()) {
            (dw::DW_AT_low_pc, value) => self.low = place(value)?,
            (dw::DW_AT_high_pc, AttributeValue::Udata(len)) => self.len = Some(len),
            (dw::DW_AT_high_pc, value) => self.high = place(value)?,
            (dw::DW_AT_ranges, value) => self.ranges = Some(value),
            _ => {}
        }
        Ok(())
    }

    /// Each piece of it.
    fn each(self, unit: UnitRef<'_, Slice<'a>>, piece: &mut dyn FnMut(Range<u64>)) -> gimli::Result<()> {
        if let Some(ranges) = self.ranges {
            if let Some(mut ranges) = unit.attr_ranges(ranges)? {
                for _ in 0..PIECES {
                    let Some(range) = ranges.next()? else { break };
                    piece(range.begin..range.end);
                }
            }
        } else if let Some(low) = self.low
            && let Some(high) = self.high.or_else(|| low.checked_add(self.len?))
        {
            piece(low..high);
        }
        Ok(())
    }
}

impl<'a> Name<'a> {
    fn note(&mut self, attribute: &gimli::Attribute<Slice<'a>>, unit: UnitRef<'_, Slice<'a>>) {
        match (attribute.name(), attribute.value()) {
            (dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name, text) => {
                self.linkage = unit.attr_string(text).ok().or(self.linkage);
            }
            (dw::DW_AT_name, text) => self.plain = unit.attr_string(text).ok(),
            (dw::DW_AT_abstract_origin | dw::DW_AT_specification, AttributeValue::UnitRef(at)) => {
                self.origin = Some(Origin::Here(at));
            }
            (dw::DW_AT_abstract_origin | dw::DW_AT_specification, AttributeValue::DebugInfoRef(at)) => {
                self.origin = Some(Origin::There(at));
            }
            _ => {}
        }
    }
}

/// Goes from a directory to what is named in it.
fn join(path: &mut String, name: &str) {
    if name.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(name);
}
