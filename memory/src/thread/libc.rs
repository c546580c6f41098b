//! Where the C library keeps a thread: what lies around a thread pointer. Every offset here is reviewed and, at each use, checked by
//! what must hold there, so that another library is taken for an unknown one.
//!
//! glibc, x86-64: the pointer leads to `struct pthread`, which begins with a pointer to itself, has the DTV at 8, itself again at
//! 0x10, the list of all threads at 0x2c0 and the thread's id at 0x2d0. aarch64: the structure lies before the pointer, with the
//! list at 0xc0 and the id at 0xd0; its size differs by version, and the pointer is found behind it as the place whose DTV agrees
//! with it. musl: the structure begins with itself, then (x86-64) the DTV; neighbours in the list are structures, not list nodes.

use crate::bytes::{Bytes, Wanted};

/// The C library of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Libc {
    Glibc,
    Musl,
}

/// Where things are in `struct pthread`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Where it has its own address; empty where it does not keep that.
    pub(crate) selves: &'static [u64],
    /// The links to the next and to the previous thread.
    pub(crate) next: u64,
    pub(crate) previous: u64,
    /// The thread's id, as the process itself sees it.
    pub(crate) id: u64,
    /// Whether links lead to links, or to the structures.
    pub(crate) links: Links,
    /// From where to where, in bytes from the structure, the thread pointer may be.
    pub(crate) pointer: (u64, u64),
}

/// What the list of threads is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Nodes,
    Structures,
}

impl Libc {
    pub(crate) const ALL: [Self; 2] = [Self::Glibc, Self::Musl];

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Glibc => Layout {
                selves: &[0, 0x10],
                next: 0x2c0,
                previous: 0x2c8,
                id: 0x2d0,
                links: Links::Nodes,
                pointer: (0, 0),
            },
            Self::Musl => {
                Layout { selves: &[0], previous: 0x10, next: 0x18, id: 0x30, links: Links::Structures, pointer: (0, 0) }
            }
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Glibc => Layout {
                selves: &[],
                next: 0xc0,
                previous: 0xc8,
                id: 0xd0,
                links: Links::Nodes,
                pointer: (0x400, 0xa00),
            },
            Self::Musl => Layout {
                selves: &[0],
                previous: 0x8,
                next: 0x10,
                id: 0x20,
                links: Links::Structures,
                pointer: (0x80, 0x200),
            },
        }
    }

    /// The DTV of the thread with this pointer.
    pub(crate) fn dtv(self, pointer: u64, bytes: &dyn Bytes) -> Option<u64> {
        let at = match self {
            _ if cfg!(target_arch = "x86_64") => pointer.checked_add(8)?,
            Self::Glibc => pointer,
            Self::Musl => pointer.checked_sub(8)?,
        };
        bytes.word(at).filter(|dtv| *dtv != 0 && dtv % 8 == 0)
    }

    /// The block that a DTV has for a module.
    pub(crate) fn entry(self, dtv: u64, module: u64, bytes: &dyn Bytes) -> Option<u64> {
        let (count, at) = match self {
            // Pairs of an address and of what is to be freed; the one before the first has the count.
            Self::Glibc => (bytes.word(dtv.checked_sub(16)?)?, dtv.checked_add(module.checked_mul(16)?)?),
            Self::Musl => (bytes.word(dtv)?, dtv.checked_add(module.checked_mul(8)?)?),
        };
        (0 < module && module <= count && count < 1 << 20).then_some(())?;
        // All bits set stand for a block that was not made yet.
        bytes.word(at).filter(|block| *block != 0 && *block != u64::MAX)
    }
}

impl Layout {
    /// Bytes of the structure that are needed to recognize it.
    pub(crate) fn span(&self) -> u64 {
        self.id + 8
    }

    /// The id in what may be such a structure; `None` where it is none.
    pub(crate) fn recognize(&self, at: u64, structure: &[u8]) -> Option<u32> {
        self.selves.iter().all(|offset| word(structure, *offset) == Some(at)).then_some(())?;
        let (next, previous) = (word(structure, self.next)?, word(structure, self.previous)?);
        (next != 0 && next % 8 == 0 && previous != 0 && previous % 8 == 0).then_some(())?;
        word(structure, self.id).map(|word| word as u32).filter(|id| *id != 0)
    }

    /// Whether its neighbours in the list know it: what only looks like such a structure has none that do.
    pub(crate) fn linked(&self, at: u64, structure: &[u8], bytes: &dyn Bytes) -> bool {
        let (next, previous) = (word(structure, self.next), word(structure, self.previous));
        let (Some(next), Some(previous)) = (next, previous) else { return false };
        let (me, back, forth) = match self.links {
            Links::Nodes => (at.wrapping_add(self.next), next.wrapping_add(8), previous),
            Links::Structures => (at, next.wrapping_add(self.previous), previous.wrapping_add(self.next)),
        };
        bytes.word(back) == Some(me) && bytes.word(forth) == Some(me)
    }

    /// The structure that a link leads to.
    pub(crate) fn follow(&self, link: u64) -> u64 {
        match self.links {
            Links::Nodes => link.wrapping_sub(self.next),
            Links::Structures => link,
        }
    }

    /// Reads many structures at once; empty where one cannot be read.
    pub(crate) fn read_many(&self, at: &[u64], bytes: &dyn Bytes) -> Vec<Vec<u8>> {
        let mut buffers = vec![vec![0; self.span() as usize]; at.len()];
        let mut wanted: Vec<Wanted<'_>> =
            at.iter().zip(&mut buffers).map(|(at, into)| Wanted { at: *at, into, read: false }).collect();
        bytes.read_many(&mut wanted);
        let read: Vec<bool> = wanted.iter().map(|piece| piece.read).collect();
        buffers.into_iter().zip(read).map(|(buffer, read)| if read { buffer } else { Vec::new() }).collect()
    }
}

/// A word of what was read.
pub(crate) fn word(bytes: &[u8], at: u64) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
