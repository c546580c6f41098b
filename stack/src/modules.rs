//! Which executable and libraries are loaded where, and the tables in them that unwinding needs. Of this process the loader tells;
//! of another one, somebody else does ([`Loaded`]).

#![allow(unsafe_code, reason = "the dynamic loader describes what it loaded by pointers")]

use crate::{
    mapped::Mapped,
    memory::{Memory, OwnMemory},
};
use gimli::{BaseAddresses, EhFrame, EhFrameHdr, NativeEndian, Pointer, UnwindSection};
use std::{
    ffi::{CStr, c_int, c_void},
    ops::{Deref, Range},
    path::PathBuf,
    slice,
    sync::Arc,
};

/// More of another process's tables than this is not copied.
const MOST_BYTES: u64 = 512 << 20;
/// Of one table of a library of this process, where its file is there no more.
const MOST_OWN: usize = 256 << 10;

/// The executable, or a library.
#[derive(Debug)]
pub(crate) struct Module {
    /// Tells it from every other one that was ever loaded.
    pub(crate) id: u64,
    /// As the loader names it; empty for the executable of this process.
    pub(crate) path: String,
    /// By what path its file can be opened, where that is not the same.
    pub(crate) file: Option<PathBuf>,
    /// What was linked at address 0 is at this one.
    pub(crate) bias: u64,
    /// Where it is, from its first to its last page.
    pub(crate) range: Range<u64>,
    /// Where it has code.
    code: Vec<Range<u64>>,
    /// The linker's fingerprint of it; empty where there is none.
    pub(crate) build_id: Vec<u8>,
    /// Its tables for unwinding; none where it was built without.
    pub(crate) tables: Option<Tables>,
}

/// `.eh_frame_hdr` and `.eh_frame`, and where they were linked to.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) index: Bytes,
    pub(crate) index_at: u64,
    pub(crate) frames: Bytes,
    pub(crate) frames_at: u64,
}

/// The executable or a library of another process, as somebody found it there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Its path, as that process sees it.
    pub path: String,
    /// By what path its file can be opened here; `None` where it cannot.
    pub file: Option<PathBuf>,
    /// What was linked at address 0 is at this one.
    pub bias: u64,
    /// Where it is, from its first to its last page.
    pub range: Range<u64>,
    /// Where it has code.
    pub code: Vec<Range<u64>>,
    /// The linker's fingerprint of it; empty where there is none.
    pub build_id: Vec<u8>,
    /// Where the index of its tables for unwinding was linked to.
    pub index: Option<Range<u64>>,
    /// Where what is loaded of it was linked to.
    pub segments: Vec<Range<u64>>,
}

/// What of the process a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Executable,
    Library,
}

/// Bytes that stay: those of the executable, which is never unloaded, of a library's file, or a copy.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    Copied(Arc<[u8]>),
    Mapped(Mapped),
    Executable(&'static [u8]),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Executable(&[])
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Mapped(bytes) => bytes,
            Self::Executable(bytes) => bytes,
        }
    }
}

/// What is loaded now, as of the last look.
#[derive(Debug, Default)]
pub struct Modules {
    /// By address.
    list: Vec<Arc<Module>>,
    /// The loader's counts of what it has loaded and unloaded.
    seen: (u64, u64),
    ids: u64,
}

impl Modules {
    /// Looks again, if the loader has loaded or unloaded anything. Says whether anything changed.
    pub(crate) fn refresh(&mut self) -> bool {
        let mut counts = (0, 0);
        for_each(&mut |info| {
            counts = (info.dlpi_adds, info.dlpi_subs);
            false
        });
        if counts == self.seen && !self.list.is_empty() {
            return false;
        }
        let mut list: Vec<Arc<Module>> = Vec::new();
        let (mut part, mut ids) = (Part::Executable, self.ids);
        for_each(&mut |info| {
            ids += 1;
            if let Some(module) = read(info, ids, part) {
                let known = self.list.iter().find(|known| known.is(&module)).cloned();
                list.push(known.unwrap_or_else(|| Arc::new(module.with_tables(info, part))));
            }
            part = Part::Library;
            true
        });
        list.sort_unstable_by_key(|module| module.range.start);
        (self.list, self.seen, self.ids) = (list, counts, ids);
        true
    }

    /// Takes these for what is loaded, and reads their tables from the memory of the process that they are of. Those that are known
    /// stay as they are.
    pub(crate) fn give(&mut self, loaded: Vec<Loaded>, memory: &dyn Memory) {
        let mut list = Vec::with_capacity(loaded.len());
        let mut room = MOST_BYTES;
        for loaded in loaded {
            self.ids += 1;
            let index = loaded.index.clone();
            let segments = loaded.segments.clone();
            let module = Module::from_loaded(self.ids, loaded);
            let known = self.list.iter().find(|known| known.is(&module)).cloned();
            list.push(known.unwrap_or_else(|| {
                let tables = index.and_then(|index| copied_tables(module.bias, &index, &segments, room, memory));
                let copied = tables.as_ref().map_or(0, |tables| tables.index.len() + tables.frames.len());
                room = room.saturating_sub(copied as u64);
                Arc::new(Module { tables, ..module })
            }));
        }
        list.sort_unstable_by_key(|module: &Arc<Module>| module.range.start);
        self.list = list;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Module>> {
        self.list.iter()
    }

    /// The linker's fingerprint of this process's executable; empty where there is none.
    pub fn executable(&self) -> &[u8] {
        self.list.iter().find(|module| module.is_executable()).map_or(&[], |module| &module.build_id)
    }

    pub(crate) fn find(&self, address: u64) -> Option<&Arc<Module>> {
        let after = self.list.partition_point(|module| module.range.start <= address);
        self.list[..after].last().filter(|module| module.range.contains(&address))
    }
}

impl Module {
    fn from_loaded(id: u64, loaded: Loaded) -> Self {
        let Loaded { path, file, bias, range, code, build_id, .. } = loaded;
        // A path of another process may be another file here.
        let file = Some(file.unwrap_or_default());
        Self { id, path, file, bias, range, code, build_id, tables: None }
    }

    /// The same module in the same place.
    fn is(&self, other: &Self) -> bool {
        (self.bias, &self.range, &self.path, &self.build_id) == (other.bias, &other.range, &other.path, &other.build_id)
    }

    /// Whether it is this process's executable.
    pub(crate) fn is_executable(&self) -> bool {
        self.path.is_empty() && self.file.is_none()
    }

    pub(crate) fn has_code(&self, address: u64) -> bool {
        self.code.iter().any(|range| range.contains(&address))
    }

    /// Where the function that holds `address` begins, as its entry for unwinding says.
    pub(crate) fn function(&self, address: u64) -> Option<u64> {
        let tables = self.tables.as_ref()?;
        let bases = tables.bases();
        let header = EhFrameHdr::new(&tables.index, NativeEndian).parse(&bases, 8).ok()?;
        let frames = EhFrame::new(&tables.frames, NativeEndian);
        let linked = address.checked_sub(self.bias)?;
        let entry = header.table()?.fde_for_address(&frames, &bases, linked, EhFrame::cie_from_offset).ok()?;
        entry.initial_address().checked_add(self.bias)
    }

    /// With its tables. Reading the executable's costs nothing: they stay where they are.
    fn with_tables(mut self, info: &libc::dl_phdr_info, part: Part) -> Self {
        let headers = headers(info);
        let bytes = |at: u64, len: u64| -> Option<Bytes> {
            let (address, len) = (self.bias.checked_add(at)?, usize::try_from(len).ok()?);
            if part == Part::Executable {
                // SAFETY: the loader says that the executable has these bytes, and it never unloads it or writes to them.
                return Some(Bytes::Executable(unsafe { slice::from_raw_parts(address as *const u8, len) }));
            }
            let from = headers.iter().find(|header| header.p_type == libc::PT_LOAD && linked(header).contains(&at))?;
            let mapped = Mapped::loaded(&self.path, from.p_offset + (at - from.p_vaddr), address, len);
            mapped.map(Bytes::Mapped).or_else(|| {
                let mut bytes = vec![0; Some(len).filter(|len| *len <= MOST_OWN)?];
                OwnMemory.fill(address, &mut bytes).then(|| Bytes::Copied(bytes.into()))
            })
        };
        self.tables = (|| {
            let header = headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME)?;
            let index = bytes(header.p_vaddr, header.p_memsz)?;
            let bases = BaseAddresses::default().set_eh_frame_hdr(header.p_vaddr);
            let Pointer::Direct(frames_at) =
                EhFrameHdr::new(&index, NativeEndian).parse(&bases, 8).ok()?.eh_frame_ptr()
            else {
                return None;
            };
            // Where it ends is told nowhere; the segment's end is far enough, since entries are found by the index.
            let segment =
                headers.iter().find(|header| header.p_type == libc::PT_LOAD && linked(header).contains(&frames_at))?;
            let frames = bytes(frames_at, linked(segment).end - frames_at)?;
            Some(Tables { index, index_at: header.p_vaddr, frames, frames_at })
        })();
        self
    }
}

/// Copies of the tables of another process's module.
fn copied_tables(
    bias: u64,
    index: &Range<u64>,
    segments: &[Range<u64>],
    room: u64,
    memory: &dyn Memory,
) -> Option<Tables> {
    let copy = |linked: &Range<u64>| -> Option<Bytes> {
        let len = linked.end.checked_sub(linked.start).filter(|len| *len <= room)?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        memory.fill(bias.wrapping_add(linked.start), &mut bytes).then(|| Bytes::Copied(bytes.into()))
    };
    let index_at = index.start;
    let index = copy(index)?;
    let bases = BaseAddresses::default().set_eh_frame_hdr(index_at);
    let header = EhFrameHdr::new(&index, NativeEndian).parse(&bases, 8).ok()?;
    let Pointer::Direct(frames_at) = header.eh_frame_ptr() else { return None };
    // One that leads before the frames is damaged, and no entry of it is believed.
    let table = header.table()?;
    let mut entries = table.iter(&bases);
    while let Some((_, entry)) = entries.next().ok()? {
        (entry.direct().ok()? >= frames_at).then_some(())?;
    }
    // As above: the segment's end is far enough.
    let segment = segments.iter().find(|segment| segment.contains(&frames_at))?;
    let frames = copy(&(frames_at..segment.end))?;
    Some(Tables { index, index_at, frames, frames_at })
}

impl Tables {
    fn bases(&self) -> BaseAddresses {
        BaseAddresses::default().set_eh_frame_hdr(self.index_at).set_eh_frame(self.frames_at)
    }
}

fn linked(header: &libc::Elf64_Phdr) -> Range<u64> {
    header.p_vaddr..header.p_vaddr.saturating_add(header.p_filesz)
}

fn headers(info: &libc::dl_phdr_info) -> &[libc::Elf64_Phdr] {
    if info.dlpi_phdr.is_null() {
        return &[];
    }
    // SAFETY: the loader passes its own table, and keeps it for as long as its callback runs.
    unsafe { slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) }
}

/// Reads what the loader tells of one module, tables aside.
fn read(info: &libc::dl_phdr_info, id: u64, part: Part) -> Option<Module> {
    let bias = info.dlpi_addr;
    let loaded: Vec<_> = headers(info).iter().filter(|header| header.p_type == libc::PT_LOAD).collect();
    let place = |header: &libc::Elf64_Phdr| {
        let start = bias.wrapping_add(header.p_vaddr);
        start..start.saturating_add(header.p_memsz)
    };
    let start = loaded.iter().map(|header| place(header).start).min()?;
    let end = loaded.iter().map(|header| place(header).end).max()?;
    let code = loaded.iter().filter(|header| header.p_flags & libc::PF_X != 0).map(|header| place(header)).collect();
    let path = if part == Part::Executable || info.dlpi_name.is_null() {
        String::new()
    } else {
        // SAFETY: the loader's names are strings that live at least as long as its callback runs.
        unsafe { CStr::from_ptr(info.dlpi_name) }.to_string_lossy().into_owned()
    };
    let build_id = headers(info).iter().filter(|header| header.p_type == libc::PT_NOTE).find_map(|header| {
        let mut notes = vec![0; usize::try_from(header.p_memsz.min(4096)).ok()?];
        let filled = OwnMemory.read(place(header).start, &mut notes).ok()?;
        build_id(&notes[..filled])
    });
    Some(Module {
        id,
        path,
        file: None,
        bias,
        range: start..end,
        code,
        build_id: build_id.unwrap_or_default(),
        tables: None,
    })
}

/// The description of the note that is called GNU and of type 3.
fn build_id(mut notes: &[u8]) -> Option<Vec<u8>> {
    loop {
        let word =
            |index: usize| Some(u32::from_ne_bytes(notes.get(4 * index..4 * index + 4)?.try_into().ok()?) as usize);
        let (name, description, kind) = (word(0)?, word(1)?, word(2)?);
        let starts = 12 + name.next_multiple_of(4);
        let text = notes.get(starts..starts.checked_add(description)?)?;
        if kind == 3 && notes.get(12..12 + name) == Some(b"GNU\0") {
            return Some(text.to_vec());
        }
        notes = notes.get(starts + description.next_multiple_of(4)..)?;
    }
}

/// Calls for each module, the executable first, until it is told to stop. The loader holds a lock meanwhile, so that nothing
/// is unloaded.
fn for_each(each: &mut dyn FnMut(&libc::dl_phdr_info) -> bool) {
    unsafe extern "C" fn call(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
        // SAFETY: `data` is what is passed below, and lives; the loader passes a valid description.
        let (each, info) = unsafe { (&mut *data.cast::<&mut dyn FnMut(&libc::dl_phdr_info) -> bool>(), &*info) };
        c_int::from(!each(info))
    }
    let mut each = each;
    // SAFETY: the callback fits, and `each` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(call), (&raw mut each).cast()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_and_its_libraries_are_found() {
        let mut modules = Modules::default();
        assert!(modules.refresh());
        assert!(!modules.refresh());
        let own = the_executable_and_its_libraries_are_found as *const () as u64;
        let module = modules.find(own).unwrap();
        assert!(module.path.is_empty() && module.has_code(own) && module.tables.is_some());
        assert_eq!(module.function(own + 1), Some(own));
        let libc = libc::read as *const () as u64;
        let module = modules.find(libc).unwrap();
        let tables = module.tables.as_ref().unwrap();
        assert!(matches!((&tables.index, &tables.frames), (Bytes::Mapped(_), Bytes::Mapped(_))));
        assert_eq!(module.function(libc + 1), Some(libc));
        assert!(module.path.contains("libc") && module.has_code(libc) && !module.has_code(own));
        assert!(modules.find(8).is_none());
    }

    #[test]
    fn a_build_id_is_found_among_notes() {
        let note = |kind: u32, name: &[u8; 4], text: &[u8]| {
            let words = [4_u32, text.len() as u32, kind].map(u32::to_ne_bytes).concat();
            [words.as_slice(), name.as_slice(), text].concat()
        };
        let notes =
            [note(1, b"GNU\0", &[9; 16]), note(3, b"abc\0", &[8; 4]), note(3, b"GNU\0", &[1, 2, 3, 4])].concat();
        assert_eq!(build_id(&notes), Some(vec![1, 2, 3, 4]));
        assert_eq!(build_id(&notes[..40]), None);
        assert_eq!(build_id(&[255; 64]), None);
    }
}
