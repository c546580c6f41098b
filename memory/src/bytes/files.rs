//! The files that are mapped into a process: the very ones, though their names may have others by now, or exist only in the
//! process's own view of the file system.

use super::{Bytes, Region};
use memmap2::Mmap;
use rustc_hash::FxHashMap;
use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// More files than these are not kept open.
const KEPT: usize = 256;

/// By device and inode; none for one that cannot be opened.
type Opened = FxHashMap<(String, u64), Option<Arc<File>>>;

/// The mapped files of one process.
#[derive(Debug)]
pub(crate) struct Files {
    pid: u32,
    open: Mutex<Opened>,
}

impl Files {
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid, open: Mutex::default() }
    }

    /// The file that is mapped there, kept open.
    pub(crate) fn open(&self, region: &Region) -> Option<Arc<File>> {
        let key = (region.device.clone(), region.inode);
        let known = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        let opened = self.find(region, None).ok().and_then(|path| File::open(path).ok()).map(Arc::new);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= KEPT {
            open.clear();
        }
        open.insert(key, opened.clone());
        opened
    }

    /// A path by which the file that is mapped there can be opened.
    pub(crate) fn path(&self, region: &Region, bytes: &dyn Bytes) -> Result<PathBuf, String> {
        self.find(region, Some(bytes))
    }

    fn find(&self, region: &Region, bytes: Option<&dyn Bytes>) -> Result<PathBuf, String> {
        let pid = self.pid;
        if region.inode == 0 {
            return Err(format!(
                "{} is no file",
                if region.path.is_empty() { "anonymous memory" } else { &region.path }
            ));
        }
        let range = &region.range;
        // Whoever may follow it has the very file, deleted or not.
        let mapped = PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", range.start, range.end));
        if File::open(&mapped).is_ok() {
            return Ok(mapped);
        }
        let executable = PathBuf::from(format!("/proc/{pid}/exe"));
        if fs::metadata(&executable).is_ok_and(|meta| meta.ino() == region.inode) && File::open(&executable).is_ok() {
            return Ok(executable);
        }
        if region.deleted {
            return Err(format!(
                "{} was deleted or replaced after it was loaded, and only root or CAP_SYS_ADMIN may open what is mapped of it",
                region.path
            ));
        }
        let named = PathBuf::from(format!("/proc/{pid}/root{}", region.path));
        match File::open(&named) {
            Ok(file) if is_mapped(&file, region, bytes) => Ok(named),
            Ok(_) => Err(format!("{} is another file than the one that is mapped", region.path)),
            Err(error) => Err(format!("{} cannot be opened: {error}", region.path)),
        }
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

/// Maps a file for reading.
#[allow(unsafe_code, reason = "a file is mapped, which another process could change meanwhile")]
pub(crate) fn map(file: &File) -> Option<Mmap> {
    // SAFETY: what a changing file shows is taken for hostile; executables, core files and grabs are replaced, and not cut while they
    // are read, which would raise SIGBUS. The price of not mapping would be to copy gigabytes.
    unsafe { Mmap::map(file) }.ok()
}
