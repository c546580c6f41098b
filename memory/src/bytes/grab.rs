//! A grab: what an analysis needs of a process, before it is restarted. It is a core file that a debugger can open, too, with a note of
//! its own for what only the kernel tells, compressed, readable by its owner alone.
//!
//! What goes in: writable private memory, as far as its pages are present; data that cannot be written, and tables for unwinding, of
//! everything that is loaded; the kernel's facts. Code does not: the files have it. The process is not stopped, as in every look; the
//! stacks of threads that sleep are copied first, and belong to their registers.

use super::{
    Bytes, Error, Live, Region, Scene,
    facts::Facts,
    notes::{self, Machine},
    packed::skippable,
};
use std::{
    io::{self, BufWriter, Write},
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

/// No more memory than this goes into a grab, unless somebody says otherwise.
pub const MOST: u64 = 2 << 30;
/// Copied at once.
const CHUNK: u64 = 1 << 20;
/// Runs of pages with less than this between them are one.
const BETWEEN: u64 = 64 << 10;
/// A core file can have no more segments without another kind of header.
const MOST_PARTS: usize = 60_000;
/// Holes that are told one by one.
const MOST_HOLES: usize = 4096;
/// More of a stack than this may be newer than its thread's registers; of so many threads.
const STACK: u64 = 64 << 10;
const MOST_STACKS: usize = 4096;

/// What became of a grab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grabbed {
    /// Bytes of memory in it.
    pub memory: u64,
    /// Bytes of the file.
    pub file: u64,
    /// Threads.
    pub threads: usize,
    /// What was left out, in words.
    pub left_out: Vec<String>,
    /// What it took.
    pub took: Duration,
}

/// A part of the file's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    at: Range<u64>,
    flags: u32,
    /// What of it is in the file: all, or nothing.
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Copied,
    /// Never touched, or its file has it.
    Elsewhere,
}

/// What a page is that is not present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Untouched,
    /// It may have been swapped out.
    Unknown,
}

impl Part {
    fn size(&self) -> u64 {
        match self.content {
            Content::Copied => self.at.end - self.at.start,
            Content::Elsewhere => 0,
        }
    }
}

/// Writes a grab of a process to a file, which is there as a whole or not at all. One that is there already stays as it is.
///
/// # Errors
///
/// Where the process has ended, or the file cannot be written or is there.
pub fn grab(process: &Live, to: &Path, most: u64) -> Result<Grabbed, Error> {
    let began = Instant::now();
    let mut scene = process.scene()?;
    let stacks = stacks(&mut scene, process);
    let watched = process.watched();
    let descriptors: Vec<i32> = watched.iter().map(|watched| watched.fd).collect();
    let sockets = process.sockets(&descriptors);
    let mut left_out: Vec<String> = process.blind().into_iter().collect();
    let parts = parts(&scene, process, most, &mut left_out);
    let (threads, pid, name) = (scene.threads.len(), scene.pid, scene.name.clone());
    let facts = Facts { scene, watched, sockets, left_out: left_out.clone() };

    let words = |error: io::Error| Error::File(format!("{} cannot be written: {error}", to.display()));
    let mut named = tempfile::Builder::new();
    // Readable by its owner alone, from the beginning.
    let file = named.prefix(".holdup-grab-").tempfile_in(super::folder_of(to)).map_err(words)?;
    let says = format!(
        "holdup grab 1: process {pid} ({name}). This file contains the memory of that process, and whatever secrets were in it. \
         `holdup core FILE` opens it; `zstd -d` makes a core file of it.\n"
    );
    let mut out = BufWriter::new(file.as_file());
    out.write_all(&skippable(&says)).map_err(words)?;
    let mut packed = zstd::stream::write::Encoder::new(out, 1).map_err(words)?;
    let memory = write(&mut packed, &facts, &parts, &stacks, process).map_err(words)?;
    let mut out = packed.finish().map_err(words)?;
    out.flush().map_err(words)?;
    drop(out);
    let size = file.as_file().metadata().map_err(words)?.len();
    super::keep_new(file, to).map_err(Error::File)?;
    Ok(Grabbed { memory, file: size, threads, left_out, took: began.elapsed() })
}

/// Copies of the stacks of threads that sleep. Of one that woke up meanwhile the registers are forgotten.
fn stacks(scene: &mut Scene, process: &dyn Bytes) -> Vec<(u64, Vec<u8>)> {
    let regions = scene.regions.clone();
    let mut stacks = Vec::new();
    for thread in scene.threads.iter_mut().take(MOST_STACKS) {
        let Some(registers) = thread.registers else { continue };
        let Some(region) = super::find(&regions, registers.sp) else { continue };
        let mut copy = vec![0; (region.range.end - registers.sp).min(STACK) as usize];
        if process.read(registers.sp, &mut copy) && process.still(thread) {
            stacks.push((registers.sp, copy));
        } else {
            thread.registers = None;
        }
    }
    stacks.sort_unstable_by_key(|(at, _)| *at);
    stacks
}

/// What of memory goes in, by address.
fn parts(scene: &Scene, process: &Live, most: u64, left_out: &mut Vec<String>) -> Vec<Part> {
    let swapped = process.swapped();
    let absent = if swapped > 0 { Absent::Unknown } else { Absent::Untouched };
    if swapped > 0 {
        left_out.push(format!("{} of memory that were swapped out", super::size(swapped)));
    }
    let mut by_region: Vec<(u64, Vec<Part>)> = Vec::new();
    for region in scene.regions.iter() {
        let parts = of_region(region, process, absent);
        let size = parts.iter().map(Part::size).sum();
        by_region.push((size, parts));
    }
    // What is small is kept; of what is large there are few.
    by_region.sort_by_key(|(size, _)| *size);
    let (mut room, mut lost) = (most, 0);
    let mut parts: Vec<Part> = Vec::new();
    for (size, of_region) in by_region {
        if size <= room && parts.len() + of_region.len() <= MOST_PARTS {
            room -= size;
            parts.extend(of_region);
        } else {
            lost += size;
        }
    }
    if lost > 0 {
        left_out.push(format!("{} of memory in the largest mappings", super::size(lost)));
    }
    parts.sort_unstable_by_key(|part| part.at.start);
    parts
}

fn of_region(region: &Region, process: &Live, absent: Absent) -> Vec<Part> {
    let may = region.may;
    let flags = u32::from(may.read()) * 4 + u32::from(may.write()) * 2 + u32::from(may.execute());
    let whole = |content| vec![Part { at: region.range.clone(), flags, content }];
    let of_file = region.path.starts_with('/');
    if !may.read() || may.shared() || ["[vvar", "[vsyscall]"].iter().any(|name| region.path.starts_with(name)) {
        return Vec::new();
    }
    match (of_file, may.execute()) {
        (true, true) if !may.write() => whole(Content::Elsewhere),
        (true, _) => whole(Content::Copied),
        // The kernel's own: none of it was never touched.
        _ if region.path == "[vdso]" => {
            let runs = process.present(region.range.clone());
            runs.into_iter().map(|at| Part { at, flags, content: Content::Copied }).collect()
        }
        _ => {
            let mut runs = process.present(region.range.clone());
            if absent == Absent::Untouched {
                runs = joined(runs);
            }
            let mut parts = Vec::new();
            let mut at = region.range.start;
            for run in runs {
                if at < run.start && absent == Absent::Untouched {
                    parts.push(Part { at: at..run.start, flags, content: Content::Elsewhere });
                }
                at = run.end;
                parts.push(Part { at: run, flags, content: Content::Copied });
            }
            if at < region.range.end && absent == Absent::Untouched {
                parts.push(Part { at: at..region.range.end, flags, content: Content::Elsewhere });
            }
            parts
        }
    }
}

/// Runs with little between them are one.
fn joined(runs: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(runs.len());
    for run in runs {
        match joined.last_mut() {
            Some(before) if run.start - before.end < BETWEEN => before.end = run.end,
            _ => joined.push(run),
        }
    }
    joined
}

/// Writes the core file, and says how much memory is in it.
fn write(
    out: &mut dyn Write,
    facts: &Facts,
    parts: &[Part],
    stacks: &[(u64, Vec<u8>)],
    process: &dyn Bytes,
) -> io::Result<u64> {
    let notes = all_notes(facts);
    let holes_size = note(notes::NAME, notes::HOLES, &vec![0; 16 * MOST_HOLES]).len();
    let head = 64 + 56 * (parts.len() + 2);
    let memory: u64 = parts.iter().map(Part::size).sum();
    let mut offset = head as u64;
    let mut headers = Vec::with_capacity(head);
    headers.extend(header(parts.len() as u16 + 2));
    headers.extend(segment(4, 0, offset, 0..0, notes.len() as u64));
    offset += notes.len() as u64;
    headers.extend(segment(4, 0, offset + memory, 0..0, holes_size as u64));
    for part in parts {
        headers.extend(segment(1, part.flags, offset, part.at.clone(), part.size()));
        offset += part.size();
    }
    out.write_all(&headers)?;
    out.write_all(&notes)?;
    let mut holes: Vec<Range<u64>> = Vec::new();
    let mut buffer = vec![0; CHUNK as usize];
    for part in parts.iter().filter(|part| part.content == Content::Copied) {
        let mut at = part.at.start;
        while at < part.at.end {
            let len = (part.at.end - at).min(CHUNK);
            let chunk = buffer.get_mut(..len as usize).unwrap_or_default();
            if !process.read(at, chunk) {
                by_page(at, chunk, process, &mut holes);
            }
            lay_over(at, chunk, stacks);
            out.write_all(chunk)?;
            at += len;
        }
    }
    if let Some(end) = holes.last().map(|hole| hole.end.max(parts.last().map_or(0, |part| part.at.end)))
        && holes.len() > MOST_HOLES
    {
        // Too many to be told: from there on nothing is believed.
        holes.truncate(MOST_HOLES);
        if let Some(last) = holes.last_mut() {
            last.end = end;
        }
    }
    let mut text: Vec<u8> = holes.iter().flat_map(|hole| [hole.start, hole.end]).flat_map(u64::to_le_bytes).collect();
    text.resize(16 * MOST_HOLES, 0);
    out.write_all(&note(notes::NAME, notes::HOLES, &text))?;
    Ok(memory)
}

/// Reads what is there of a chunk, page by page.
fn by_page(at: u64, chunk: &mut [u8], process: &dyn Bytes, holes: &mut Vec<Range<u64>>) {
    let mut at = at;
    for page in chunk.chunks_mut(4096) {
        let end = at.saturating_add(page.len() as u64);
        if !process.read(at, page) {
            page.fill(0);
            match holes.last_mut() {
                Some(before) if before.end == at => before.end = end,
                _ => holes.push(at..end),
            }
        }
        at = end;
    }
}

/// Puts the stacks that were copied first over what was copied now.
fn lay_over(at: u64, chunk: &mut [u8], stacks: &[(u64, Vec<u8>)]) {
    let end = at + chunk.len() as u64;
    let first = stacks.partition_point(|(sp, copy)| sp + copy.len() as u64 <= at);
    for (sp, copy) in stacks.get(first..).unwrap_or_default().iter().take_while(|(sp, _)| *sp < end) {
        let (from, to) = ((*sp).max(at), (sp + copy.len() as u64).min(end));
        if from < to
            && let Some(room) = chunk.get_mut((from - at) as usize..(to - at) as usize)
            && let Some(bytes) = copy.get((from - sp) as usize..(to - sp) as usize)
        {
            room.copy_from_slice(bytes);
        }
    }
}

fn all_notes(facts: &Facts) -> Vec<u8> {
    let mut all = Vec::new();
    for thread in &facts.scene.threads {
        if let Some(registers) = thread.registers {
            all.extend(note(b"CORE", notes::PRSTATUS, &notes::status(thread.id, registers, Machine::here())));
        }
    }
    let auxv: Vec<u8> = facts
        .scene
        .auxv
        .iter()
        .chain([&(0, 0)])
        .flat_map(|(key, value)| [*key, *value])
        .flat_map(u64::to_le_bytes)
        .collect();
    all.extend(note(b"CORE", notes::AUXV, &auxv));
    let files: Vec<&Region> = facts.scene.regions.iter().filter(|region| region.path.starts_with('/')).collect();
    let words = files.iter().flat_map(|region| [region.range.start, region.range.end, region.offset / 4096]);
    let mut text: Vec<u8> = [files.len() as u64, 4096].into_iter().chain(words).flat_map(u64::to_le_bytes).collect();
    for region in files {
        text.extend(region.path.as_bytes());
        text.push(0);
    }
    all.extend(note(b"CORE", notes::FILE, &text));
    all.extend(note(notes::NAME, notes::FACTS, facts.written().as_bytes()));
    all
}

fn note(name: &[u8], kind: u32, text: &[u8]) -> Vec<u8> {
    let words = [name.len() as u32 + 1, text.len() as u32, kind];
    let mut note: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    note.extend(name);
    note.push(0);
    note.resize(note.len().next_multiple_of(4), 0);
    note.extend(text);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

fn header(segments: u16) -> Vec<u8> {
    let machine: u16 = match Machine::here() {
        Machine::X86_64 => 62,
        Machine::Aarch64 => 183,
    };
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend(4_u16.to_le_bytes());
    header.extend(machine.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    header.extend([0_u64, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    header.extend(0_u32.to_le_bytes());
    header.extend([64, 56, segments, 64, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    header
}

fn segment(kind: u32, flags: u32, offset: u64, at: Range<u64>, size: u64) -> Vec<u8> {
    let mut segment: Vec<u8> = [kind, flags].into_iter().flat_map(u32::to_le_bytes).collect();
    let align = if kind == 1 { 1 } else { 4 };
    let words = [offset, at.start, 0, size, at.end - at.start, align];
    segment.extend(words.into_iter().flat_map(u64::to_le_bytes));
    segment
}
