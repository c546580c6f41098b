//! Thread-local storage: where an object's block is in a thread.
//!
//! The executable's block stands at a distance from the thread pointer that its header alone decides. Where a library's stands, the
//! loader's record of it says (`link_map`): at a distance, too, or by its number in each thread's DTV. That record's own layout
//! differs by version; its part on thread-local storage is recognized by the four numbers that the object's header has as well.

use super::libc::{Libc, word};
use crate::bytes::{Bytes, Image, Segment};
use rustc_hash::FxHashMap;

/// Bytes of the loader's record that are looked through.
const RECORD: usize = 4096;
/// A list longer than this is a loop.
const MOST: usize = 8192;

/// Where an object's block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// So many bytes before the thread pointer, or behind it where the processor's convention is that.
    Static(u64),
    /// Where the DTV's entry of this number says.
    Module(u64),
}

impl Tls {
    /// The block of a thread with this pointer.
    pub(crate) fn block(self, libc: Libc, pointer: u64, bytes: &dyn Bytes) -> Option<u64> {
        match self {
            Self::Static(distance) if cfg!(target_arch = "x86_64") => pointer.checked_sub(distance),
            Self::Static(distance) => pointer.checked_add(distance),
            Self::Module(module) => libc.entry(libc.dtv(pointer, bytes)?, module, bytes),
        }
    }
}

/// Where the executable's block is, by its header.
pub(crate) fn of_executable(image: &Image) -> Option<Tls> {
    let segment = image.segment(Segment::TLS)?;
    let mask = segment.align.max(1).checked_next_power_of_two()?.wrapping_sub(1);
    Some(Tls::Static(if cfg!(target_arch = "x86_64") {
        let padding = 0_u64.wrapping_sub(segment.address).wrapping_sub(segment.size) & mask;
        segment.size.checked_add(padding)?
    } else {
        16 + (segment.address.wrapping_sub(16) & mask)
    }))
}

/// Where a library's block is, by the loader's record of it, which stands at `record`.
pub(crate) fn of_library(image: &Image, record: u64, libc: Libc, bytes: &dyn Bytes) -> Option<Tls> {
    let segment = image.segment(Segment::TLS)?;
    let mut memory = vec![0; RECORD];
    // It may end before a page does.
    if !bytes.read(record, &mut memory) {
        let to_page = usize::try_from(4096 - record % 4096).ok()?;
        memory.truncate(to_page);
        bytes.read(record, &mut memory).then_some(())?;
    }
    recognized(&memory, image.bias, segment, libc)
}

/// The part of a record that is about thread-local storage.
fn recognized(record: &[u8], bias: u64, segment: &Segment, libc: Libc) -> Option<Tls> {
    let told = [bias.wrapping_add(segment.address), segment.file_size, segment.size, segment.align];
    (0..record.len() as u64).step_by(8).find_map(|at| {
        let words = |from: u64, count: u64| (from..from + count).map(move |index| word(record, at + 8 * index));
        words(0, 4).zip(told).all(|(word, told)| word == Some(told)).then_some(())?;
        let mut rest = words(4, 3);
        let mut next = || rest.next().flatten();
        match libc {
            Libc::Glibc => {
                let (_, distance, module) = (next()?, next()?, next()?);
                (0 < module && module < 1 << 20).then_some(())?;
                // 0 stands for none yet, and the highest numbers for one that must not be at a distance.
                Some(if distance == 0 || distance >= u64::MAX - 1 {
                    Tls::Module(module)
                } else {
                    Tls::Static(distance)
                })
            }
            Libc::Musl => {
                let (_, module) = (next()?, next()?);
                (0 < module && module < 1 << 20).then_some(Tls::Module(module))
            }
        }
    })
}

/// Where the loader's records are, by what is added to an object's addresses.
pub(crate) fn records(executable: &Image, bytes: &dyn Bytes) -> FxHashMap<u64, u64> {
    let mut next = debug(executable, bytes).and_then(|debug| bytes.word(debug.checked_add(8)?)).unwrap_or(0);
    let step = move || {
        let at = next;
        let mut head = [0; 32];
        (at != 0 && bytes.read(at, &mut head)).then_some(())?;
        next = word(&head, 24)?;
        Some((word(&head, 0)?, at))
    };
    std::iter::from_fn(step).take(MOST).collect()
}

/// What the loader leaves for debuggers, as the executable's dynamic section says.
fn debug(executable: &Image, bytes: &dyn Bytes) -> Option<u64> {
    const DT_DEBUG: u64 = 21;
    let segment = executable.segment(Segment::DYNAMIC)?;
    let mut entries = vec![0; usize::try_from(segment.size.min(16 * 1024)).ok()?];
    bytes.read(executable.place(segment).start, &mut entries).then_some(())?;
    let entry = (0..entries.len() as u64).step_by(16).find(|at| word(&entries, *at) == Some(DT_DEBUG))?;
    word(&entries, entry + 8).filter(|debug| *debug != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(address: u64, size: u64, align: u64) -> Image {
        let segment = Segment { kind: Segment::TLS, address, size, align, ..Segment::default() };
        Image { segments: vec![segment], ..Image::default() }
    }

    #[test]
    fn the_executables_block_ends_at_the_pointer() {
        let aligned = of_executable(&image(0x1000, 0x58, 8));
        let rounded = of_executable(&image(0x1000, 0x58, 64));
        let shifted = of_executable(&image(0x1008, 0x58, 64));
        if cfg!(target_arch = "x86_64") {
            assert_eq!((aligned, rounded), (Some(Tls::Static(0x58)), Some(Tls::Static(0x80))));
            // The block's address has the same remainder as the one that it was linked to.
            assert_eq!(shifted, Some(Tls::Static(0x78)));
        } else {
            assert_eq!((aligned, rounded), (Some(Tls::Static(16)), Some(Tls::Static(64))));
            assert_eq!(shifted, Some(Tls::Static(72)));
        }
        assert_eq!(of_executable(&Image::default()), None);
        let _ = of_executable(&image(u64::MAX, u64::MAX, u64::MAX));
    }

    #[test]
    fn a_record_is_recognized_by_four_numbers() {
        let segment = Segment { address: 0x100, file_size: 8, size: 24, align: 8, ..Segment::default() };
        let record: Vec<u8> =
            [7_u64, 0x10100, 8, 24, 8, 0, 0x80, 2, 9].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(recognized(&record, 0x10000, &segment, Libc::Glibc), Some(Tls::Static(0x80)));
        assert_eq!(recognized(&record, 0x20000, &segment, Libc::Glibc), None);
        let record: Vec<u8> =
            [0x10100_u64, 8, 24, 8, 0, u64::MAX, 2].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(recognized(&record, 0x10000, &segment, Libc::Glibc), Some(Tls::Module(2)));
        let record: Vec<u8> = [0x10100_u64, 8, 24, 8, 0x80, 3].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(recognized(&record, 0x10000, &segment, Libc::Musl), Some(Tls::Module(3)));
        assert_eq!(recognized(&record[..40], 0x10000, &segment, Libc::Musl), None);
    }
}
