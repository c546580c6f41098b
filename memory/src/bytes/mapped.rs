//! A file's content, which may change or be cut short while it is read: whoever writes a core file may not be done, and a file that was
//! copied over another cuts that first. Bytes behind the new end are zeros then, and this process goes on.
//!
//! What is small is read. A file of gigabytes is mapped, since to read it would take its size in memory; the kernel says by a signal
//! that a mapped page has no file any more, and a page of zeros is put there. Such a signal of other memory goes to whoever had it
//! before.

use memmap2::{Mmap, UncheckedAdvice};
use nix::{
    errno::Errno,
    libc,
    sys::{
        mman::{MapFlags, ProtFlags, mmap_anonymous},
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    },
};
use std::{
    fs::File,
    io::{self, Read, Seek},
    num::NonZeroUsize,
    ops::Deref,
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

/// Smaller files are read whole.
const SMALL: u64 = 1 << 20;
/// No more files than this are mapped at a time; one that is beyond is read.
const MOST: usize = 1024;

/// Mappings, as the handler of the signal finds them: it may take no lock.
static PLACES: [Place; MOST] = [const { Place::new() }; MOST];
/// What was done about the signal before.
static BEFORE: OnceLock<Option<SigAction>> = OnceLock::new();

/// Where a file is mapped. Free where the start is zero, and not yet in use where that is one.
struct Place {
    start: AtomicUsize,
    end: AtomicUsize,
    cut: AtomicBool,
}

impl Place {
    const fn new() -> Self {
        Self { start: AtomicUsize::new(0), end: AtomicUsize::new(0), cut: AtomicBool::new(false) }
    }

    fn has(&self, at: usize) -> bool {
        let start = self.start.load(SeqCst);
        start > 1 && (start..self.end.load(SeqCst)).contains(&at)
    }
}

/// Opens what is a file. To open a pipe would wait for somebody to write into it, and a device may have no end.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path)
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct Content(Kind);

#[derive(Debug)]
enum Kind {
    Read(Vec<u8>),
    Mapped { map: Mmap, place: usize },
}

impl Content {
    /// Of this file, from its start.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        if len >= SMALL
            && handles()
            && let Some(place) =
                PLACES.iter().position(|place| place.start.compare_exchange(0, 1, SeqCst, SeqCst).is_ok())
        {
            #[allow(unsafe_code, reason = "mapping has no safe wrapper")]
            // SAFETY: it is mapped to be read, and all that reads it takes it for hostile: whoever changes the file meanwhile makes what
            // is read wrong. Whoever shortens it makes it zeros, by the handler that is in place.
            match unsafe { Mmap::map(file) } {
                Ok(map) => {
                    if let Some(known) = PLACES.get(place) {
                        let start = map.as_ptr() as usize;
                        known.cut.store(false, SeqCst);
                        known.end.store(start.saturating_add(map.len()), SeqCst);
                        known.start.store(start, SeqCst);
                    }
                    return Ok(Self(Kind::Mapped { map, place }));
                }
                Err(error) => {
                    free(place);
                    return Err(error);
                }
            }
        }
        let mut bytes = Vec::new();
        // Where it was read before, its start is behind.
        let mut from = file;
        from.rewind()?;
        from.take(len).read_to_end(&mut bytes)?;
        Ok(Self(Kind::Read(bytes)))
    }

    /// Whether a part that was wanted of it had been cut off meanwhile.
    pub(crate) fn is_cut(&self) -> bool {
        match &self.0 {
            Kind::Read(_) => false,
            Kind::Mapped { place, .. } => PLACES.get(*place).is_some_and(|place| place.cut.load(SeqCst)),
        }
    }
}

impl Content {
    /// Gives back the pages that this process has of it. Whoever reads them again has them from the kernel's own copy, or from disk.
    pub(crate) fn forget(&self) {
        if let Kind::Mapped { map, .. } = &self.0 {
            #[allow(unsafe_code, reason = "it has no safe wrapper, since it undoes what was written to a mapping")]
            // SAFETY: nothing is written to this mapping: its pages are the file's, or zeros that come again as zeros.
            let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Read(bytes) => bytes,
            Kind::Mapped { map, .. } => map,
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if let Kind::Mapped { place, .. } = &self.0 {
            free(*place);
        }
    }
}

fn free(place: usize) {
    if let Some(place) = PLACES.get(place) {
        place.start.store(0, SeqCst);
    }
}

/// Sees to the signal, once; false where that cannot be done.
fn handles() -> bool {
    let set = || {
        let action =
            SigAction::new(SigHandler::SigAction(no_file), SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK, SigSet::empty());
        #[allow(unsafe_code, reason = "a handler of a signal has no safe wrapper")]
        // SAFETY: the handler does nothing but what may be done in one: atomic loads, and the system calls `mmap` and `sigaction`.
        unsafe { sigaction(Signal::SIGBUS, &action) }.ok()
    };
    // It may come before this has its value: until then there is no mapping that it could be of.
    BEFORE.get_or_init(set).is_some()
}

/// There is no file any more where this process has read.
extern "C" fn no_file(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let errno = Errno::last_raw();
    #[allow(unsafe_code, reason = "the kernel's own record of the signal")]
    // SAFETY: the kernel gives a record to a handler that asks for one, and for this signal it has an address.
    let at = unsafe { (*info).si_addr() } as usize;
    let place = PLACES.iter().find(|place| place.has(at));
    let page = super::proc::page() as usize;
    let zeros =
        place.zip(NonZeroUsize::new(at / page * page)).zip(NonZeroUsize::new(page)).is_some_and(|((_, at), len)| {
            let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED | MapFlags::MAP_NORESERVE;
            #[allow(unsafe_code, reason = "the page has to come where the file's was")]
            // SAFETY: the page is within a mapping of this module's, which is only read, and which is unmapped as a whole.
            unsafe { mmap_anonymous(Some(at), len, ProtFlags::PROT_READ, flags) }.is_ok()
        });
    match place {
        Some(place) if zeros => place.cut.store(true, SeqCst),
        _ => {
            // Somebody else's: it comes again at once, and goes to whoever was asked before.
            let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
            let before = BEFORE.get().copied().flatten().unwrap_or(default);
            #[allow(unsafe_code, reason = "a handler of a signal has no safe wrapper")]
            // SAFETY: it is the handler that was there before, or none.
            let _ = unsafe { sigaction(Signal::SIGBUS, &before) };
        }
    }
    Errno::set_raw(errno);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_cut_short_while_it_is_mapped_goes_on_as_zeros() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 5 << 20]).unwrap();
        let content = Content::of(&file).unwrap();
        let other = Content::of(&file).unwrap();
        assert!(content.len() == 5 << 20 && content[4 << 20] == 7 && !content.is_cut());
        file.set_len(1 << 20).unwrap();
        assert_eq!((content[(1 << 20) - 1], content[1 << 20], content[(5 << 20) - 1]), (7, 0, 0));
        assert!(content.is_cut() && !other.is_cut());
        content.forget();
        assert_eq!((content[7], content[1 << 20], content[(5 << 20) - 1]), (7, 0, 0));
        assert_eq!(other.iter().map(|byte| u64::from(*byte)).sum::<u64>(), 7 << 20);
        drop(content);
        assert!(other.is_cut());
    }

    #[test]
    fn what_is_small_is_read() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello").unwrap();
        let content = Content::of(&file).unwrap();
        file.set_len(0).unwrap();
        assert_eq!(&*content, b"hello");
        assert!(Content::of(&file).unwrap().is_empty());
    }
}
