//! The ELF objects that are loaded into a process, as their own headers in its memory tell: what is linked where, which build they
//! are. Where a header's page is not present, the file has it.

use super::{Bytes, Region};
use object::{
    Endianness, LittleEndian,
    elf::{self, FileHeader64},
    read::elf::{FileHeader, ProgramHeader},
};
use std::{ops::Range, sync::Arc};

/// More objects, and more segments of one, than these are not looked at.
const MOST: usize = 4096;
const MOST_SEGMENTS: usize = 256;
/// Notes longer than this are cut off.
const MOST_NOTES: u64 = 65_536;

/// An object that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Its path as the process sees it, or `[vdso]`.
    pub path: Arc<str>,
    /// What is added to an address of the file to make one of the process.
    pub bias: u64,
    /// From its first to its last page.
    pub range: Range<u64>,
    /// What its header says is where.
    pub segments: Vec<Segment>,
    /// The linker's fingerprint of it; empty where there is none.
    pub build_id: Vec<u8>,
    /// The mapping that has its header, by which its file is found.
    pub region: Region,
}

/// A segment of an object. Addresses are those that it was linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Segment {
    /// What it is, such as [`Segment::LOAD`].
    pub kind: u32,
    /// Read, write, execute.
    pub flags: u32,
    /// Where in the file it is.
    pub offset: u64,
    /// Where in memory.
    pub address: u64,
    /// Bytes in the file.
    pub file_size: u64,
    /// Bytes in memory.
    pub size: u64,
    /// What its address is a multiple of.
    pub align: u64,
}

impl Segment {
    /// A segment that is loaded.
    pub const LOAD: u32 = 1;
    /// What the loader needs to know.
    pub const DYNAMIC: u32 = 2;
    /// Notes.
    pub const NOTE: u32 = 4;
    /// What each thread's block of local variables begins with.
    pub const TLS: u32 = 7;
    /// The index of the tables for unwinding.
    pub const EH_FRAME: u32 = 0x6474_e550;
    /// Its code may be executed.
    pub const EXECUTE: u32 = 1;

    /// Where it was linked to.
    pub fn linked(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.size)
    }

    /// The part of it that its file has.
    pub fn in_file(&self) -> Range<u64> {
        self.address..self.address.saturating_add(self.file_size)
    }
}

impl Image {
    /// The first segment of this kind.
    pub fn segment(&self, kind: u32) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.kind == kind)
    }

    /// The segments that are loaded.
    pub fn loaded(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| segment.kind == Segment::LOAD)
    }

    /// Where a segment is in the process.
    pub fn place(&self, segment: &Segment) -> Range<u64> {
        let start = self.bias.wrapping_add(segment.address);
        start..start.saturating_add(segment.size)
    }
}

/// The objects of a process, by address.
pub fn images(regions: &[Region], bytes: &dyn Bytes) -> Vec<Image> {
    let mut found: Vec<Image> = regions
        .iter()
        .filter(|region| region.offset == 0 && region.may.read() && !region.may.shared() && named(region))
        .filter_map(|region| image(region, regions, bytes))
        .take(MOST)
        .collect();
    found.sort_unstable_by_key(|image| image.range.start);
    found
}

/// Whether a mapping is of a file, or what the kernel itself gives.
fn named(region: &Region) -> bool {
    region.path.starts_with('/') || region.path == "[vdso]"
}

fn image(region: &Region, regions: &[Region], bytes: &dyn Bytes) -> Option<Image> {
    let len = usize::try_from(region.range.end - region.range.start).unwrap_or(usize::MAX).min(4096);
    let mut start = vec![0; len];
    bytes.read(region.range.start, &mut start).then_some(())?;
    let segments = segments(&start)?;
    let first =
        segments.iter().filter(|segment| segment.kind == Segment::LOAD).min_by_key(|segment| segment.address)?;
    let bias = region.range.start.wrapping_sub((first.address & !0xfff).wrapping_sub(first.offset & !0xfff));
    let mut image =
        Image { path: Arc::from(&*region.path), bias, segments, region: region.clone(), ..Image::default() };
    let start = image.loaded().map(|segment| image.place(segment).start).min()? & !0xfff;
    let end = image.loaded().map(|segment| image.place(segment).end).max()?;
    // A file that was only mapped to be read has its header, too, but its code is not where it belongs.
    let code = image
        .loaded()
        .find(|segment| segment.flags & Segment::EXECUTE != 0)
        .map(|segment| image.place(segment).start)?;
    let there = super::maps::find(regions, code)?;
    (there.may.execute() && there.inode == region.inode && there.path == region.path).then_some(())?;
    image.range = start..end.max(start);
    image.build_id = build_id(&image, bytes).unwrap_or_default();
    Some(image)
}

/// The segments, as the first bytes of an object have them.
pub(crate) fn segments(start: &[u8]) -> Option<Vec<Segment>> {
    let header = FileHeader64::<Endianness>::parse(start).ok()?;
    let endian = header.endian().ok()?;
    matches!(endian, Endianness::Little).then_some(())?;
    let headers = header.program_headers(endian, start).ok()?;
    let segment = |header: &elf::ProgramHeader64<Endianness>| Segment {
        kind: header.p_type(endian).0,
        flags: header.p_flags(endian).0,
        offset: header.p_offset(endian),
        address: header.p_vaddr(endian),
        file_size: header.p_filesz(endian),
        size: header.p_memsz(endian),
        align: header.p_align(endian),
    };
    Some(headers.iter().take(MOST_SEGMENTS).map(segment).collect())
}

fn build_id(image: &Image, bytes: &dyn Bytes) -> Option<Vec<u8>> {
    image.segments.iter().filter(|segment| segment.kind == Segment::NOTE).find_map(|segment| {
        let mut notes = vec![0; usize::try_from(segment.size.min(MOST_NOTES)).ok()?];
        bytes.read(image.place(segment).start, &mut notes).then_some(())?;
        note_build_id(&notes, segment.align)
    })
}

/// The fingerprint among notes.
pub(crate) fn note_build_id(notes: &[u8], align: u64) -> Option<Vec<u8>> {
    let mut notes =
        object::read::elf::NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, align, notes).ok()?;
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU && note.n_type(LittleEndian) == elf::NT_GNU_BUILD_ID {
            return Some(note.desc().to_vec());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Live;

    #[test]
    fn the_objects_of_this_process_are_found() {
        let live = Live::open(std::process::id()).unwrap();
        let scene = live.scene().unwrap();
        let images = images(&scene.regions, &live);
        let own = the_objects_of_this_process_are_found as *const () as u64;
        let image = images.iter().find(|image| image.range.contains(&own)).unwrap();
        assert_eq!(*image.path, *scene.executable);
        assert!(image.segment(Segment::TLS).is_some() && image.segment(Segment::EH_FRAME).is_some());
        assert!(images.iter().any(|image| &*image.path == "[vdso]"));
        let entry = scene.auxv.iter().find(|(key, _)| *key == 3).unwrap().1;
        assert!(image.range.contains(&entry));
    }

    #[test]
    fn a_file_that_was_only_mapped_is_no_object() {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        #[allow(unsafe_code, reason = "nobody changes the test's own executable")]
        // SAFETY: it stays as it is for as long as it is mapped.
        let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
        let live = Live::open(std::process::id()).unwrap();
        let images = images(&live.scene().unwrap().regions, &live);
        assert!(images.iter().all(|image| image.region.range.start != map.as_ptr() as u64));
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_header_is_it_is_read(noise in proptest::collection::vec(0_u8.., 0..600), at in 0_usize..200) {
            let mut start = std::fs::read("/proc/self/exe").unwrap()[..1024].to_vec();
            for (byte, noise) in start.iter_mut().skip(at).zip(&noise) {
                *byte = *noise;
            }
            let _ = segments(&start);
            let _ = note_build_id(&noise, 4);
            let _ = note_build_id(&noise, 8);
        }
    }
}
