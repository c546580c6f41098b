//! A layout: what is needed of an object's debug information, in megabytes instead of gigabytes. It is made once, beside the
//! build, and read in place of what it was made of.
//!
//! A file begins with what it is, its version and the build that it is of; the rest is compressed, with a checksum. It is hostile
//! input like any other: each number in it is checked before it is used.

mod closure;
mod pack;

use super::{BuildId, Debug, Index, Source, Type, TypeId};
use crate::{
    Grade,
    bytes::{folder_of, keep_new, open_file},
};
use closure::Closure;
use pack::{Reader, Shared, Strings, Texts, Writer};
use std::{
    fs::{File, Permissions},
    io::{self, BufWriter, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// How a file begins.
const MAGIC: &[u8; 14] = b"holdup layout\n";
/// Raised when what follows has another form.
const VERSION: u16 = 5;
/// What a layout is at most, compressed and not.
const MOST_PACKED: u64 = 256 << 20;
const MOST: u64 = 2 << 30;
/// Files with debug information from this size on take longer to read than a layout of them, by what a person notices.
const LARGE: usize = 32 << 20;
/// How hard one that is kept, and one that is shipped, is compressed.
const QUICK: i32 = 3;
const SMALL: i32 = 15;

/// The name under which that of a build is kept.
pub(super) fn name(id: &BuildId) -> String {
    format!("{id}.{VERSION}.layout")
}

/// Whether a file is one, by how it begins.
pub(super) fn is_one(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
}

/// How many layouts are being written aside.
static UNDER_WAY: Mutex<usize> = Mutex::new(0);
static ONE_IS_DONE: Condvar = Condvar::new();

/// A layout that is being written aside, until this is dropped.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ONE_IS_DONE.notify_all();
    }
}

/// Waits until the layouts are written that looks are keeping for the next ones, or for so long. Whether all are: one that is not will
/// be made by the next look.
pub fn wait_for_layouts(most: Duration) -> bool {
    let under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = ONE_IS_DONE.wait_timeout_while(under_way, most, |under_way| *under_way > 0);
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

/// What a layout came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Types that were kept.
    pub types: usize,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Debug {
    /// Writes what is needed of it into a file that can be read in its place, and is there as a whole or not at all. One that is there
    /// already stays as it is.
    ///
    /// # Errors
    ///
    /// Where there is nothing to be written, no build id to know it by, or the file cannot be written or is there; in words.
    pub fn write_layout(&self, to: &Path) -> Result<Written, String> {
        let id = self.writable()?;
        let told = |error: io::Error| format!("{}: {error}", to.display());
        let mut named = tempfile::Builder::new();
        // Whoever may read the executable may read this, as of any file that is made.
        let named = named.prefix(".holdup-layout-").permissions(Permissions::from_mode(0o666));
        let file = named.tempfile_in(folder_of(to)).map_err(told)?;
        let types = write(self, id, SMALL, file.as_file()).map_err(told)?;
        let bytes = file.as_file().metadata().map_err(told)?.len();
        keep_new(file, to)?;
        Ok(Written { types, bytes })
    }

    /// Keeps a layout for the next look, if reading it would be quicker than what this was read from.
    ///
    /// # Errors
    ///
    /// As of [`Debug::write_layout`].
    pub fn keep(&self, cache: &super::Cache) -> Result<(), String> {
        let id = self.writable()?;
        let written = cache.put(&name(id), |file| write(self, id, QUICK, file).map(drop));
        written.map(drop).map_err(|error: io::Error| format!("{}: {error}", cache.directory().display()))
    }

    /// Keeps a layout of an object that takes a while to read, by a thread of its own; a small one is as soon read again. What
    /// fails is tried again at the next look.
    pub(crate) fn keep_aside(self: &Arc<Self>, cache: Option<&super::Cache>) {
        let Source::Dwarf(dwarf) = &self.source else { return };
        if dwarf.len() < LARGE {
            return;
        }
        if let (Some(cache), Ok(_)) = (cache.cloned(), self.writable()) {
            let (debug, written) = (Arc::clone(self), UnderWay::begin());
            let keep = move || {
                let _ = debug.keep(&cache);
                drop(written);
            };
            let _ = std::thread::Builder::new().name("layout".to_owned()).spawn(keep);
        }
    }

    fn writable(&self) -> Result<&BuildId, String> {
        if self.grade() != Grade::Full {
            return Err(format!("{}: no types to make a layout of", self.from()));
        }
        let id = self.build_id().ok_or("the object has no build id, by which a layout is known to be of it")?;
        Ok(id)
    }
}

fn write(debug: &Debug, id: &BuildId, level: i32, to: &File) -> io::Result<usize> {
    let mut out = BufWriter::new(to);
    out.write_all(MAGIC)?;
    out.write_all(&VERSION.to_le_bytes())?;
    out.write_all(&[id.bytes().len() as u8])?;
    out.write_all(id.bytes())?;
    let (body, types) = body(debug, id);
    let mut encoder = zstd::Encoder::new(out, level)?;
    encoder.include_checksum(true)?;
    encoder.include_contentsize(true)?;
    encoder.set_pledged_src_size(Some(body.iter().map(|part| part.len() as u64).sum()))?;
    // It takes a hundred megabytes: beside a look they are not to be had.
    encoder.long_distance_matching(level == SMALL)?;
    for part in &body {
        encoder.write_all(part)?;
    }
    encoder.finish()?.flush()?;
    Ok(types)
}

/// All of it, not compressed, in the order of the file: the build once more and the text of all, the index, types.
fn body(debug: &Debug, id: &BuildId) -> ([Vec<u8>; 5], usize) {
    let (mut strings, mut found, mut places) = (Strings::default(), Writer::default(), vec![]);
    let closure = Closure::of(debug, &mut |number, ty, numbers| {
        let start = found.as_slice().len() as u32;
        pack::put_type(&mut found, ty, &mut strings, numbers);
        places.push((number, start, found.as_slice().len() as u32));
    });
    // They are found in another order than that of their numbers.
    places.sort_unstable();
    let (mut count, mut types) = (Writer::default(), Writer::default());
    count.number(closure.count as u64);
    types.reserve(found.as_slice().len() + 3 * places.len());
    for (_, start, end) in places {
        types.bytes(found.as_slice().get(start as usize..end as usize).unwrap_or_default());
    }
    drop(found);
    let mut index = Writer::default();
    pack::put_index(&mut index, debug, &mut strings, &closure);
    let mut body = Writer::default();
    body.bytes(id.bytes());
    let (texts, text) = strings.into_parts();
    body.number(texts as u64);
    ([body.into_vec(), text, index.into_vec(), count.into_vec(), types.into_vec()], closure.count)
}

/// A layout that was read.
pub(super) struct Layout {
    body: Vec<u8>,
    /// Where in it each text begins and ends.
    texts: Vec<(u32, u32)>,
    /// The same of each type.
    types: Vec<(u32, u32)>,
}

impl Layout {
    /// A type.
    pub(super) fn ty(&self, id: TypeId) -> Option<Type> {
        let (start, end) = *self.types.get(id.0 as usize)?;
        let bytes = self.body.get(start as usize..end as usize)?;
        pack::get_type(&mut Reader::new(bytes), self)
    }
}

impl Texts for Layout {
    fn get(&self, number: usize) -> Option<Arc<str>> {
        let (start, end) = *self.texts.get(number)?;
        std::str::from_utf8(self.body.get(start as usize..end as usize)?).ok().map(Arc::from)
    }
}

/// Reads a layout, which has to be of this build.
pub(super) fn open(path: &Path, wanted: Option<&BuildId>) -> Result<Debug, String> {
    let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let file = open_file(path).map_err(|error| told(&error))?;
    let (layout, index, id) = read(file, wanted).map_err(|why| told(&why))?;
    Ok(Debug::new(Source::Layout(Box::new(layout)), index, Grade::Full, path.display().to_string(), Some(id)))
}

/// Reads a layout out of anything; why it is refused is in words.
pub(super) fn read(from: impl io::Read, wanted: Option<&BuildId>) -> Result<(Layout, Index, BuildId), String> {
    let mut from = from.take(MOST_PACKED);
    let mut start = [0; MAGIC.len() + 3];
    from.read_exact(&mut start).map_err(|_| "is no layout")?;
    let [magic @ .., low, high, len] = start;
    if magic != *MAGIC {
        return Err("is no layout".to_owned());
    }
    match u16::from_le_bytes([low, high]) {
        VERSION => {}
        other if other > VERSION => {
            return Err(format!("is a layout of a newer version ({other}, and this holdup reads {VERSION})"));
        }
        other => return Err(format!("is a layout of an older version ({other}): make it anew by `holdup layout`")),
    }
    let mut id = vec![0; usize::from(len)];
    from.read_exact(&mut id).map_err(|_| "is a damaged layout")?;
    let id = BuildId::new(&id).ok_or("is a damaged layout")?;
    if let Some(wanted) = wanted
        && *wanted != id
    {
        return Err(format!("is the layout of another build ({id}, and the process has {wanted})"));
    }
    if wanted.is_none() {
        return Err(format!("is the layout of build {id}, and the process has no build id"));
    }
    let mut body = vec![];
    let decoder = zstd::Decoder::new(from).map_err(|_| "is a damaged layout")?;
    decoder.take(MOST).read_to_end(&mut body).map_err(|_| "is a damaged layout")?;
    body.shrink_to_fit();
    let (layout, index) = parse(body, &id).ok_or("is a damaged layout")?;
    Ok((layout, index, id))
}

fn parse(body: Vec<u8>, id: &BuildId) -> Option<(Layout, Index)> {
    let mut reader = Reader::new(&body);
    if reader.bytes()? != id.bytes() {
        return None;
    }
    let texts = pack::get_strings(&mut reader, &body)?;
    // What comes next has its text out of what was read so far.
    let rest = body.len() - reader.left();
    let mut layout = Layout { body, texts, types: vec![] };
    let mut reader = Reader::new(layout.body.get(rest..)?);
    let index = pack::get_index(&mut reader, &Shared::new(&layout))?;
    let types = reader.list(|from| {
        let len = from.bytes()?.len();
        let end = layout.body.len().checked_sub(from.left())?;
        Some((u32::try_from(end - len).ok()?, u32::try_from(end).ok()?))
    })?;
    layout.types = types;
    Some((layout, index))
}

#[cfg(test)]
mod tests;
