//! The bytes of a process, and what the kernel tells of it: of one that runs, of a core file, of a grab. Nothing here knows tokio.
//!
//! Nothing is ever written to the process, and it is never stopped. A page that is not present is not read: a look must not swap
//! in, allocate, or wake whoever serves page faults. (What such a page would hold is told as the zeros or the file that it stands for; of
//! memory whose faults another program serves, which no cheap question tells apart, that may be wrong.)
//!
//! ```text
//! live       a process that runs       pages   which of its pages are present       proc   what /proc says of it
//! maps       what is mapped            files   the very files that are              image  the objects among them
//! mapped     a file's content, which may be cut short meanwhile
//! core_file  what was kept of one      notes, facts   what it was told with         packed, build
//! grab       keeps it                  rights  why it may not be read               sockets, diag
//! whole      a file that is there as a whole or not at all
//! ```

mod build;
mod core_file;
mod diag;
mod facts;
mod files;
pub mod grab;
mod image;
mod live;
mod mapped;
pub(crate) mod maps;
mod notes;
mod packed;
mod pages;
pub(crate) mod proc;
pub(crate) mod rights;
pub(crate) mod sockets;
mod whole;

pub use crate::Socket;
pub use core_file::Core;
pub use image::{Image, Segment, images};
pub use live::Live;
pub(crate) use live::name;
pub(crate) use mapped::{Content, open_file};
pub(crate) use maps::find;
pub(crate) use proc::processor_time;
pub(crate) use whole::{folder_of, keep_new};

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

/// Memory and its surroundings.
pub trait Bytes: Send + Sync {
    /// Fills all of `into` from `at` on; false when it cannot be read.
    fn read(&self, at: u64, into: &mut [u8]) -> bool;

    /// Fills many pieces with few calls, and says of each whether it could.
    fn read_many(&self, wanted: &mut [Wanted<'_>]) {
        for piece in wanted {
            piece.read = self.read(piece.at, piece.into);
        }
    }

    /// A word.
    fn word(&self, at: u64) -> Option<u64> {
        let mut word = [0; 8];
        self.read(at, &mut word).then(|| u64::from_le_bytes(word))
    }

    /// What the kernel tells at this moment. A look begins with it: what is present is asked for anew.
    ///
    /// # Errors
    ///
    /// Where the process has ended, or may not be looked at.
    fn scene(&self) -> Result<Scene, Error>;

    /// What its epoll descriptors watch. It takes a few calls for each descriptor of the process.
    fn watched(&self) -> Vec<Watched>;

    /// The sockets among these descriptors, as far as they are told.
    fn sockets(&self, descriptors: &[i32]) -> Vec<(i32, Socket)> {
        let _ = descriptors;
        Vec::new()
    }

    /// The runs of this range that can be read without making a page present; whoever scans reads only these. None, where that is
    /// not told.
    fn present(&self, range: Range<u64>) -> Vec<Range<u64>>;

    /// Why it is not told which pages are present; `None` where it is.
    fn blind(&self) -> Option<String> {
        None
    }

    /// A file to read what is mapped there from: the one that was mapped, even if its name now has another.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    fn file(&self, region: &Region) -> Result<PathBuf, String>;

    /// What of it was lost or left out, and why.
    fn missing(&self) -> Vec<crate::Unread> {
        Vec::new()
    }

    /// The signal that ended the process, where it has ended.
    fn ended_by(&self) -> Option<u32> {
        None
    }

    /// Whether a thread has not run since the scene in which it was seen so.
    fn still(&self, thread: &KernelThread) -> bool {
        let _ = thread;
        true
    }

    /// System calls made to read memory, and bytes read of it, since it was opened.
    fn cost(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// A piece that is wanted of memory.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// From where on.
    pub at: u64,
    /// Where it goes.
    pub into: &'a mut [u8],
    /// Whether it was read.
    pub read: bool,
}

/// What the kernel tells of a process at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scene {
    /// Its id as the one who looks sees it.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its executable's path, as the process sees it.
    pub executable: String,
    /// When it started, on its monotonic clock.
    pub started: Option<Duration>,
    /// The monotonic clock of the process, now.
    pub now: Duration,
    /// What it does as a whole.
    pub state: crate::ProcessState,
    /// What is mapped, by address.
    pub regions: Arc<[Region]>,
    /// Its threads.
    pub threads: Vec<KernelThread>,
    /// Where the program headers of its executable are, and its interpreter, from the auxiliary vector: keys and values.
    pub auxv: Vec<(u64, u64)>,
}

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    /// Its addresses.
    pub range: Range<u64>,
    /// Whether it may be read, written, executed.
    pub may: Permissions,
    /// Where in the file it begins.
    pub offset: u64,
    /// The file's inode; 0 where there is no file.
    pub inode: u64,
    /// The device of the file, as the kernel writes it.
    pub device: String,
    /// The file's path, or the kernel's name for it such as `[heap]`; empty for an anonymous one.
    pub path: String,
    /// Whether the path's file was deleted or replaced.
    pub deleted: bool,
}

/// What may be done with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u8);

impl Permissions {
    const READ: u8 = 1;
    const WRITE: u8 = 2;
    const EXECUTE: u8 = 4;
    const SHARED: u8 = 8;

    /// From the kernel's letters, such as `rw-p`.
    pub fn from_letters(letters: &str) -> Self {
        let bit = |letter, bit| if letters.contains(letter) { bit } else { 0 };
        Self(bit('r', Self::READ) | bit('w', Self::WRITE) | bit('x', Self::EXECUTE) | bit('s', Self::SHARED))
    }

    /// As the kernel's letters.
    pub(crate) fn letters(self) -> String {
        let letter = |bit, letter| if self.0 & bit != 0 { letter } else { '-' };
        let shared = if self.shared() { 's' } else { 'p' };
        [letter(Self::READ, 'r'), letter(Self::WRITE, 'w'), letter(Self::EXECUTE, 'x'), shared].iter().collect()
    }

    /// From the flags of an ELF segment.
    pub fn from_flags(flags: u32) -> Self {
        let bit = |flag, bit| if flags & flag == flag { bit } else { 0 };
        Self(bit(4, Self::READ) | bit(2, Self::WRITE) | bit(1, Self::EXECUTE))
    }

    /// Whether it may be read.
    pub fn read(self) -> bool {
        self.0 & Self::READ != 0
    }

    /// Whether it may be written.
    pub fn write(self) -> bool {
        self.0 & Self::WRITE != 0
    }

    /// Whether it may be executed.
    pub fn execute(self) -> bool {
        self.0 & Self::EXECUTE != 0
    }

    /// Whether others have it too.
    pub fn shared(self) -> bool {
        self.0 & Self::SHARED != 0
    }
}

/// A thread, as the kernel tells of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KernelThread {
    /// Its id as the one who looks sees it.
    pub id: u32,
    /// Its id in the process's own namespace, which is what its memory has.
    pub inner_id: u32,
    /// Its name.
    pub name: String,
    /// The kernel's letter for its state.
    pub state: char,
    /// The kernel function that it sleeps in; empty where that is not told.
    pub waits_in: String,
    /// The system call that it is in, where it is in one.
    pub syscall: Option<u64>,
    /// What that was given first, where it is told: of a futex its address.
    pub argument: Option<u64>,
    /// Its registers, while it sleeps.
    pub registers: Option<Registers>,
    /// Processor time that it has used.
    pub cpu: Option<Duration>,
    /// Time that it has waited for a processor although it could run, where the kernel counts that and is there to be asked.
    pub waited: Option<Duration>,
    /// How often it gave up its processor, and how often it lost it.
    pub switches: Option<(u64, u64)>,
}

/// What is known of a thread's registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Registers {
    /// Program counter.
    pub pc: u64,
    /// Stack pointer.
    pub sp: u64,
    /// Frame pointer.
    pub fp: Option<u64>,
    /// Link register, where there is one.
    pub lr: Option<u64>,
    /// Thread pointer: `fs_base`, `tpidr_el0`.
    pub tp: Option<u64>,
}

/// A descriptor that an epoll descriptor watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// The epoll descriptor.
    pub epoll: i32,
    /// The descriptor.
    pub fd: i32,
    /// What the process gave with it: tokio gives the address of its record.
    pub data: u64,
}

/// Why a process cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none, or it has ended.
    #[error("{0}")]
    Gone(String),
    /// It may not be read. Which of the reasons it is, and what to type, is in the text.
    #[error("{0}")]
    Rights(String),
    /// A file is none that can be read, or was cut off.
    #[error("{0}")]
    File(String),
    /// This system is none that this is written for.
    #[error("{0}")]
    Unsupported(String),
}

/// A number of bytes, for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1_u32 << 30)),
    }
}
