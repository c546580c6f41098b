//! A core file, of the kernel or of a debugger, or a grab: compressed or not, whole or cut off.
//!
//! What a core file leaves out because a file has it (code above all) is read from the file, if it is of the same build. What is
//! missing is told ([`Bytes::missing`]).

use super::{
    Bytes, Error, Permissions, Region, Scene, Socket, Watched, build, find,
    mapped::{Content, open_file},
    notes::{Machine, Notes},
    packed,
};
use crate::{ProcessState, Unread};
use object::{
    Endianness,
    elf::{self, FileHeader64},
    read::elf::{FileHeader, ProgramHeader},
};
use rustc_hash::FxHashMap;
use std::{
    fs::{self, File},
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// More segments than these are not read.
const MOST_SEGMENTS: usize = 1 << 20;

/// A part of memory that the file has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Where it was.
    at: Range<u64>,
    /// Where in the file it begins, and how much of it the file should have.
    offset: u64,
    size: u64,
}

/// A file in place of what was mapped, or why there is none.
type Substitute = Result<Arc<(PathBuf, Content)>, String>;

/// A core file or a grab.
#[derive(Debug)]
pub struct Core {
    data: Content,
    /// By address, none over another.
    pieces: Vec<Piece>,
    scene: Scene,
    notes: Notes,
    /// The executable that the user gave.
    given: Option<PathBuf>,
    /// By the path that the process had it by.
    substitutes: Mutex<FxHashMap<String, Substitute>>,
    missing: Vec<Unread>,
    calls: AtomicU64,
    bytes: AtomicU64,
}

impl Core {
    /// Opens a core file or a grab; `executable` stands for the process's own, if that is not where it was.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, is no such file, or is of another processor.
    pub fn open(path: &Path, executable: Option<&Path>) -> Result<Self, Error> {
        let shown = path.display();
        let file = open_file(path).map_err(|error| Error::File(format!("{shown} cannot be opened: {error}")))?;
        let (data, cut) = packed::unpacked(file).map_err(|why| Error::File(format!("{shown}: {why}")))?;
        let mut missing = Vec::new();
        if let Some(why) = cut {
            missing.push(Unread { what: "the end of the file".into(), why: why.into() });
        }
        Self::read(data, executable, missing).map_err(|error| match error {
            Error::File(why) => Error::File(format!("{shown} {why}")),
            other => other,
        })
    }

    fn read(data: Content, executable: Option<&Path>, mut missing: Vec<Unread>) -> Result<Self, Error> {
        let none = || Error::File("is no core file and no grab".into());
        let header = FileHeader64::<Endianness>::parse(&*data).map_err(|_| none())?;
        let endian = header.endian().map_err(|_| none())?;
        if header.e_type(endian) != elf::ET_CORE || endian != Endianness::Little {
            return Err(none());
        }
        let machine = Machine::of(header.e_machine(endian).0);
        let machine = machine.filter(|machine| *machine == Machine::here()).ok_or_else(|| {
            Error::Unsupported(
                "it is of a process on another processor than this one: open it on a machine of that kind".into(),
            )
        })?;
        let cut = |_| Error::File("was cut off within its header: nothing of it can be read".into());
        let segments = header.program_headers(endian, &*data).map_err(cut)?;
        let (mut pieces, mut notes, mut lost) = (Vec::new(), Notes::default(), 0_u64);
        let mut flags = Vec::new();
        for segment in segments.iter().take(MOST_SEGMENTS) {
            if segment.p_type(endian) == elf::PT_NOTE {
                let (from, len) = (segment.p_offset(endian), segment.p_filesz(endian));
                let end = from.saturating_add(len).min(data.len() as u64);
                let text = (from as usize..end as usize).clone();
                let text = data.get(text).unwrap_or_default();
                take_notes(text, segment.p_align(endian), machine, &mut notes);
            } else if segment.p_type(endian) == elf::PT_LOAD {
                let (start, len) = (segment.p_vaddr(endian), segment.p_memsz(endian));
                let Some(end) = start.checked_add(len).filter(|end| start < *end) else { continue };
                let (offset, size) = (segment.p_offset(endian), segment.p_filesz(endian).min(len));
                let there = (data.len() as u64).saturating_sub(offset).min(size);
                lost = lost.saturating_add(size - there);
                flags.push((start..end, segment.p_flags(endian).0));
                pieces.push(Piece { at: start..end, offset, size: there });
            }
        }
        pieces.sort_by_key(|piece| piece.at.start);
        pieces.dedup_by(|later, earlier| later.at.start < earlier.at.end);
        if lost > 0 {
            let what = format!("{} of memory", super::size(lost));
            missing.push(Unread {
                what: what.into(),
                why: "the file was cut off before it, or is still being written".into(),
            });
        }
        for (start, end) in &notes.holes {
            let what = format!("{} of memory at {start:#x}", super::size(end - start));
            missing.push(Unread { what: what.into(), why: "it was gone when it was to be copied".into() });
        }
        for what in notes.facts.iter().flat_map(|facts| &facts.left_out) {
            missing.push(Unread { what: Arc::from(&**what), why: "the grab was to be no larger".into() });
        }
        if notes.threads.is_empty() && notes.facts.is_none() {
            missing.push(Unread { what: "threads".into(), why: "the file has no notes of them".into() });
        }
        let scene = scene(&notes, &flags);
        let given = executable.map(Path::to_owned);
        let (calls, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut core = Self { data, pieces, scene, notes, given, substitutes: Mutex::default(), missing, calls, bytes };
        core.note_files();
        Ok(core)
    }

    /// Says which files are of another build, once for each object.
    fn note_files(&mut self) {
        let executable = self.scene.executable.clone();
        let wanted =
            (!executable.is_empty()).then(|| self.scene.regions.iter().find(|region| region.path == executable));
        if let Some(Err(why)) = wanted.flatten().map(|region| self.file(region)) {
            self.missing.push(Unread { what: "the executable".into(), why: why.into() });
        }
    }

    /// What the file has of memory from there on: as much as is in one piece.
    fn dumped(&self, at: u64) -> Option<&[u8]> {
        let after = self.pieces.partition_point(|piece| piece.at.start <= at);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let into = at - piece.at.start;
        let from = usize::try_from(piece.offset.checked_add(into)?).ok()?;
        let len = usize::try_from(piece.size.checked_sub(into)?).ok()?;
        let hole = self.notes.holes.iter().any(|(start, end)| (*start..*end).contains(&at));
        let next = self.notes.holes.iter().map(|hole| hole.0).filter(|start| *start > at).min().unwrap_or(u64::MAX);
        let len = len.min(usize::try_from(next - at).unwrap_or(usize::MAX));
        self.data.get(from..from.checked_add(len)?).filter(|bytes| !bytes.is_empty() && !hole)
    }

    /// Fills from what the file has alone.
    fn read_dumped(&self, at: u64, into: &mut [u8]) -> bool {
        let (mut at, mut rest) = (at, into);
        while !rest.is_empty() {
            let Some(bytes) = self.dumped(at) else { return false };
            let len = bytes.len().min(rest.len());
            let (now, after) = rest.split_at_mut(len);
            now.copy_from_slice(bytes.get(..len).unwrap_or_default());
            let Some(next) = at.checked_add(len as u64) else { return false };
            (at, rest) = (next, after);
        }
        true
    }

    /// What is not in the core because its file has it, or, in a grab, because it was never touched: how much of it was filled.
    fn elsewhere(&self, at: u64, into: &mut [u8]) -> Option<usize> {
        let region = find(&self.scene.regions, at)?;
        // Up to where the core has something again.
        let after = self.pieces.partition_point(|piece| piece.at.start <= at);
        let next = self.pieces.get(after).map_or(u64::MAX, |piece| piece.at.start).min(region.range.end);
        let len = usize::try_from(next.checked_sub(at)?).ok()?.min(into.len());
        let room = into.get_mut(..len)?;
        if !region.path.starts_with('/') {
            let in_gap =
                self.pieces.get(after.checked_sub(1)?).is_some_and(|piece| piece.at.contains(&at) && piece.size == 0);
            // In a grab, what has room and no bytes was never touched.
            (in_gap && self.notes.facts.is_some() && region.inode == 0).then_some(())?;
            room.fill(0);
            return Some(len);
        }
        // What was written to is not what its file has.
        (!region.may.write() || self.notes.facts.is_some()).then_some(())?;
        let substitute = self.substitute(region).ok()?;
        let from = usize::try_from(region.offset.checked_add(at - region.range.start)?).ok()?;
        let bytes = substitute.1.get(from..)?;
        let there = bytes.len().min(len);
        // Behind the file's end, the rest of its last page is zeros.
        let end = substitute.1.len().checked_next_multiple_of(4096)?;
        (from.checked_add(len)? <= end).then_some(())?;
        room.get_mut(..there)?.copy_from_slice(bytes.get(..there)?);
        room.get_mut(there..)?.fill(0);
        Some(len)
    }

    /// The runs of a range that the file itself has.
    fn runs(&self, range: Range<u64>, runs: &mut Vec<Range<u64>>) {
        let first = self.pieces.partition_point(|piece| piece.at.end <= range.start);
        let pieces = self.pieces.get(first..).unwrap_or_default().iter();
        for piece in pieces.take_while(|piece| piece.at.start < range.end) {
            let there = piece.at.start.saturating_add(piece.size);
            let run = piece.at.start.max(range.start)..there.min(range.end);
            match runs.last_mut() {
                _ if run.is_empty() => {}
                Some(before) if before.end == run.start => before.end = run.end,
                _ => runs.push(run),
            }
        }
    }

    fn substitute(&self, region: &Region) -> Substitute {
        let known = self.substitutes.lock().unwrap_or_else(PoisonError::into_inner).get(&region.path).cloned();
        if let Some(known) = known {
            return known;
        }
        let found = self.find_substitute(region);
        let mut substitutes = self.substitutes.lock().unwrap_or_else(PoisonError::into_inner);
        substitutes.insert(region.path.clone(), found.clone());
        found
    }

    fn find_substitute(&self, region: &Region) -> Substitute {
        let is_executable = region.path == self.scene.executable;
        let (path, hint) = match &self.given {
            Some(given) if is_executable => (given.clone(), ""),
            _ if is_executable => (PathBuf::from(&region.path), ": give it with --exe"),
            _ => (PathBuf::from(&region.path), ""),
        };
        let shown = path.display();
        // Opening a pipe would wait for somebody to write into it.
        if fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
            return Err(format!("{shown} is no file"));
        }
        let file = File::open(&path).map_err(|error| format!("{shown} cannot be opened ({error}){hint}"))?;
        let content = Content::of(&file).map_err(|error| format!("{shown} cannot be read: {error}"))?;
        let wanted = self.build_id(&region.path);
        let own = build::of_file(&content);
        match (wanted, own) {
            (Some(wanted), Some(own)) if wanted != own => Err(format!(
                "{shown} is of another build: its build id is {}, and that of the process was {}{hint}",
                build::digits(&own),
                build::digits(&wanted)
            )),
            (Some(wanted), None) => {
                Err(format!("{shown} has no build id, and the process had {}{hint}", build::digits(&wanted)))
            }
            _ => Ok(Arc::new((path, content))),
        }
    }

    /// The build id of an object, as the core has it.
    fn build_id(&self, path: &str) -> Option<Vec<u8>> {
        let first = self.scene.regions.iter().find(|region| region.path == path && region.offset == 0)?;
        build::of_memory(first.range.start, &|at, into| self.read_dumped(at, into))
    }
}

/// Takes in the notes of a segment, as far as they go.
fn take_notes(text: &[u8], align: u64, machine: Machine, into: &mut Notes) {
    let notes = object::read::elf::NoteIterator::<FileHeader64<Endianness>>::new(Endianness::Little, align, text);
    let Ok(mut notes) = notes else { return };
    while let Ok(Some(note)) = notes.next() {
        into.take(note.name(), note.n_type(Endianness::Little).0, note.desc(), machine);
    }
}

/// The scene, from a grab's own note, or from what kernels write.
fn scene(notes: &Notes, flags: &[(Range<u64>, u32)]) -> Scene {
    if let Some(facts) = &notes.facts {
        return Scene { state: ProcessState::Core, ..facts.scene.clone() };
    }
    let mapped = |at: u64| {
        let after = notes.files.partition_point(|file| file.start <= at);
        notes.files.get(after.checked_sub(1)?).filter(|file| at < file.end)
    };
    let file = |start: u64, range: Range<u64>, may: Permissions| {
        let file = mapped(start);
        let path = file.map(|file| file.path.clone()).unwrap_or_default();
        let deleted = path.ends_with(" (deleted)");
        let path = path.strip_suffix(" (deleted)").map(str::to_owned).unwrap_or(path);
        let offset = file.map_or(0, |file| file.offset.saturating_add(start - file.start));
        Region { range, may, offset, path, deleted, ..Region::default() }
    };
    let mut regions: Vec<Region> =
        flags.iter().map(|(range, flags)| file(range.start, range.clone(), Permissions::from_flags(*flags))).collect();
    regions.sort_by_key(|region| region.range.start);
    regions.dedup_by(|later, earlier| later.range.start < earlier.range.end);
    // Files that the core has no segment for: what they may be used for is not told.
    let untold: Vec<Region> = notes
        .files
        .iter()
        .filter(|mapped| {
            let after = regions.partition_point(|region| region.range.start < mapped.end);
            after
                .checked_sub(1)
                .and_then(|before| regions.get(before))
                .is_none_or(|region| region.range.end <= mapped.start)
        })
        .map(|mapped| file(mapped.start, mapped.start..mapped.end, Permissions::from_letters("r-x")))
        .collect();
    regions.extend(untold);
    regions.sort_by_key(|region| region.range.start);
    let vdso = notes.auxv.iter().find(|(key, _)| *key == 33).map(|(_, at)| *at);
    if let Some(region) = regions.iter_mut().find(|region| Some(region.range.start) == vdso) {
        region.path = "[vdso]".into();
    }
    let value = |key| notes.auxv.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    // Where the kernel put the program headers, and where it began.
    let executable = [3, 9].into_iter().filter_map(value).find_map(|at| find(&regions, at));
    let executable = executable.map(|region| region.path.clone()).unwrap_or_default();
    let first = notes.threads.first().map(|thread| thread.id);
    Scene {
        pid: notes.pid.or(first).unwrap_or(0),
        name: notes.name.clone(),
        executable,
        state: ProcessState::Core,
        regions: regions.into(),
        threads: notes.threads.clone(),
        auxv: notes.auxv.clone(),
        ..Scene::default()
    }
}

impl Bytes for Core {
    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(into.len() as u64, Ordering::Relaxed);
        let (mut at, mut rest) = (at, into);
        while !rest.is_empty() {
            let filled = match self.dumped(at) {
                Some(bytes) => {
                    let len = bytes.len().min(rest.len());
                    let copied =
                        rest.get_mut(..len).zip(bytes.get(..len)).map(|(room, bytes)| room.copy_from_slice(bytes));
                    copied.map(|()| len)
                }
                None => self.elsewhere(at, rest),
            };
            let Some((len, next)) = filled.and_then(|len| Some((len, at.checked_add(len as u64)?))) else {
                return false;
            };
            let Some(after) = rest.get_mut(len..).filter(|_| len > 0) else { return false };
            (at, rest) = (next, after);
        }
        true
    }

    fn scene(&self) -> Result<Scene, Error> {
        Ok(self.scene.clone())
    }

    fn watched(&self) -> Vec<Watched> {
        self.notes.facts.as_ref().map(|facts| facts.watched.clone()).unwrap_or_default()
    }

    fn sockets(&self, descriptors: &[i32]) -> Vec<(i32, Socket)> {
        let sockets = self.notes.facts.iter().flat_map(|facts| &facts.sockets);
        sockets.filter(|(descriptor, _)| descriptors.contains(descriptor)).cloned().collect()
    }

    fn present(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let regions = &self.scene.regions;
        let mut runs: Vec<Range<u64>> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let region = find(regions, at);
            let after = regions.partition_point(|region| region.range.start <= at);
            let next = regions.get(after).map_or(range.end, |next| next.range.start);
            let end = region.map_or(next, |region| region.range.end).min(range.end).max(at.saturating_add(1));
            // What a file has can be read there.
            let of_file =
                region.filter(|region| region.path.starts_with('/') && !region.may.write() && region.may.read());
            if of_file.is_some_and(|region| self.substitute(region).is_ok()) {
                runs.push(at..end);
            } else {
                self.runs(at..end, &mut runs);
            }
            at = end;
        }
        runs
    }

    fn file(&self, region: &Region) -> Result<PathBuf, String> {
        self.substitute(region).map(|substitute| substitute.0.clone())
    }

    fn missing(&self) -> Vec<Unread> {
        let cut = self.data.is_cut().then(|| Unread {
            what: "a part of the file".into(),
            why: "it was cut off while it was read: what was there is told as zeros".into(),
        });
        self.missing.iter().cloned().chain(cut).collect()
    }

    fn ended_by(&self) -> Option<u32> {
        self.notes.signal
    }

    fn cost(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests;
