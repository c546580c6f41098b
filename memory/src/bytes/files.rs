//! The files that are mapped into a process: the very ones, though their names may have others by now, or exist only in the
//! process's own view of the file system.

use super::{Bytes, Region};
use rustc_hash::FxHashMap;
use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// More files than these are not kept open.
const KEPT: usize = 256;

/// By device and inode; none for one that cannot be opened.
type Opened = FxHashMap<(String, u64), Option<Arc<File>>>;

/// The mapped files of one process.
#[derive(Debug, Default)]
pub(crate) struct Files {
    open: Mutex<Opened>,
}

impl Files {
    /// The file that is mapped there, kept open. `proc` is the process's folder in `/proc`.
    pub(crate) fn open(&self, proc: &str, region: &Region) -> Option<Arc<File>> {
        let key = (region.device.clone(), region.inode);
        let known = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let opened = find(proc, region, None).ok().and_then(|path| File::open(path).ok()).map(Arc::new);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= KEPT {
            open.clear();
        }
        open.insert(key, opened.clone());
        opened
    }
}

/// A path by which the file that is mapped there can be opened.
pub(crate) fn path(proc: &str, region: &Region, bytes: &dyn Bytes) -> Result<PathBuf, String> {
    find(proc, region, Some(bytes))
}

fn find(proc: &str, region: &Region, bytes: Option<&dyn Bytes>) -> Result<PathBuf, String> {
    if region.inode == 0 {
        return Err(format!("{} is no file", if region.path.is_empty() { "anonymous memory" } else { &region.path }));
    }
    let range = &region.range;
    let named = PathBuf::from(format!("{proc}/root{}", region.path));
    // Its name, if that still leads to it: other files stand beside it. The shortest name, if that is the same here.
    let place = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    if let Some(there) = place(&named).filter(|(_, inode)| !region.deleted && *inode == region.inode) {
        let path =
            if place(Path::new(&region.path)) == Some(there) { PathBuf::from(&region.path) } else { named.clone() };
        if File::open(&path).is_ok() {
            return Ok(path);
        }
    }
    // Whoever may follow it has the very file, deleted or not.
    let mapped = PathBuf::from(format!("{proc}/map_files/{:x}-{:x}", range.start, range.end));
    if File::open(&mapped).is_ok() {
        return Ok(mapped);
    }
    let executable = PathBuf::from(format!("{proc}/exe"));
    if fs::metadata(&executable).is_ok_and(|meta| meta.ino() == region.inode) && File::open(&executable).is_ok() {
        return Ok(executable);
    }
    if region.deleted {
        return Err(format!(
            "{} was deleted or replaced after it was loaded, and only root or CAP_SYS_ADMIN may open what is mapped of it",
            region.path
        ));
    }
    // Opening a pipe would wait for somebody to write into it.
    if fs::metadata(&named).is_ok_and(|meta| !meta.is_file()) {
        return Err(format!("{} is no file any more", region.path));
    }
    match File::open(&named) {
        Ok(file) if is_mapped(&file, region, bytes) => Ok(named),
        Ok(_) => Err(format!("{} is another file than the one that is mapped", region.path)),
        Err(error) => Err(format!("{} cannot be opened: {error}", region.path)),
    }
}

/// Whether a file is the one that is mapped. Some file systems tell other numbers to those who map than to those who open: then what
/// it begins with must be what is mapped.
fn is_mapped(file: &File, region: &Region, bytes: Option<&dyn Bytes>) -> bool {
    if file.metadata().is_ok_and(|meta| meta.ino() == region.inode) {
        return true;
    }
    let (mut here, mut there) = ([0; 4096], [0; 4096]);
    !region.may.write()
        && file.read_exact_at(&mut here, region.offset).is_ok()
        && bytes.is_some_and(|bytes| bytes.read(region.range.start, &mut there))
        && here == there
}

/// Fills from a file as a mapping of it is: behind its end, the rest of the page is zeros.
pub(crate) fn fill(file: &File, offset: u64, into: &mut [u8], page: u64) -> bool {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let Some(at) = offset.checked_add(filled as u64) else { return false };
        match file.read_at(rest, at) {
            Ok(0) => {
                let end = at.checked_next_multiple_of(page).map_or(0, |end| end - at);
                let zeros = (rest.len() as u64) <= end;
                rest.fill(0);
                return zeros;
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}
