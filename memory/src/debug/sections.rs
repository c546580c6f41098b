//! An object file, mapped, and its sections; those that are compressed, inflated. Knows the names of sections and nothing of what
//! is in them.

use super::build_id::BuildId;
use crate::bytes::{Content as FileContent, open_file};
use gimli::{DwarfPackage, EndianSlice, LittleEndian, SectionId};
use object::{CompressionFormat, Object, ObjectSection, ObjectSymbolTable, ReadRef as _};
use rustc_hash::FxHashMap;
use std::{ops::Range, path::Path};

/// Bytes of debug information.
pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// No section is inflated to more than this, whatever it says of itself.
const MOST_INFLATED: u64 = 2 << 30;

/// An object file.
pub(super) struct ObjectFile {
    map: FileContent,
    sections: FxHashMap<String, Content>,
    pub(super) build_id: Option<BuildId>,
    /// Whether it has a table of symbols that names functions.
    pub(super) symbols: Symbols,
}

/// Whether a file names its functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbols {
    /// It does.
    Named,
    /// It was stripped of their names.
    Stripped,
}

/// A section's bytes.
enum Content {
    Mapped(Range<usize>),
    Inflated(Vec<u8>),
}

impl ObjectFile {
    /// Maps a file and finds its sections of debug information.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = open_file(path).map_err(|error| told(&error))?;
        let map = FileContent::of(&file).map_err(|error| told(&error))?;
        Self::of(map).map_err(|error| told(&error))
    }

    fn of(map: FileContent) -> Result<Self, String> {
        let data: &[u8] = &map;
        let object = object::File::parse(data).map_err(|error| format!("is no executable or object file ({error})"))?;
        if !object.is_little_endian() || !object.is_64() {
            return Err("is of another kind of machine".to_owned());
        }
        let build_id = object.build_id().ok().flatten().and_then(BuildId::new);
        let named = object.symbol_table().is_some_and(|table| table.symbols().next().is_some());
        let mut sections = FxHashMap::default();
        for section in object.sections() {
            let Ok(name) = section.name() else { continue };
            let Some(name) = wanted(name) else { continue };
            if let Some(content) = content(&section, data) {
                sections.entry(name).or_insert(content);
            }
        }
        let symbols = if named { Symbols::Named } else { Symbols::Stripped };
        Ok(Self { map, sections, build_id, symbols })
    }

    /// All of the file.
    pub(super) fn data(&self) -> &[u8] {
        &self.map
    }

    /// Gives back the pages of it that this process has; what is read again comes back.
    pub(super) fn forget(&self) {
        self.map.forget();
    }

    /// Whether it has addresses in a section of their own, as whatever has something split off.
    pub(super) fn has_addresses(&self) -> bool {
        self.sections.contains_key(".debug_addr")
    }

    fn section(&self, name: Option<&str>) -> Slice<'_> {
        let bytes = match name.and_then(|name| self.sections.get(name)) {
            Some(Content::Mapped(range)) => self.map.get(range.clone()).unwrap_or_default(),
            Some(Content::Inflated(bytes)) => bytes,
            None => &[],
        };
        EndianSlice::new(bytes, LittleEndian)
    }

    /// Its debug information.
    pub(super) fn dwarf(&self) -> gimli::Dwarf<Slice<'_>> {
        let load = |id: SectionId| Ok::<_, gimli::Error>(self.section(Some(id.name())));
        gimli::Dwarf::load(load).unwrap_or_default()
    }

    /// The debug information of a `.dwo` file.
    pub(super) fn split(&self) -> gimli::Dwarf<Slice<'_>> {
        let load = |id: SectionId| Ok::<_, gimli::Error>(self.section(id.dwo_name()));
        gimli::Dwarf::load(load).unwrap_or_default()
    }

    /// The debug information of a `.dwp` file.
    pub(super) fn package(&self) -> Option<DwarfPackage<Slice<'_>>> {
        let load = |id: SectionId| Ok::<_, gimli::Error>(self.section(id.dwo_name()));
        DwarfPackage::load(load, EndianSlice::new(&[], LittleEndian)).ok()
    }
}

/// The name under which a section of debug information is kept, with that of old compressed ones made that of others.
fn wanted(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix(".zdebug_") {
        return Some(format!(".debug_{rest}"));
    }
    name.starts_with(".debug_").then(|| name.to_owned())
}

fn content<'a>(section: &impl ObjectSection<'a>, data: &'a [u8]) -> Option<Content> {
    let range = section.compressed_file_range().ok()?;
    if range.format == CompressionFormat::None {
        let start = usize::try_from(range.offset).ok()?;
        let end = start.checked_add(usize::try_from(range.uncompressed_size).ok()?)?;
        data.get(start..end)?;
        return Some(Content::Mapped(start..end));
    }
    // What is not there cannot be inflated: a size that no bytes of this number could have is a lie.
    let most = range.compressed_size.saturating_mul(2048).min(MOST_INFLATED);
    if range.uncompressed_size > most {
        return None;
    }
    data.read_bytes_at(range.offset, range.compressed_size).ok()?;
    section.uncompressed_data().ok().map(|bytes| Content::Inflated(bytes.into_owned()))
}
