//! The parts of a file as zstd sees them: frames with something compressed, and skippable ones with something to be read as it is. A skippable one of
//! ours ends with a checksum and its own length, so that it is found from behind, too.

use super::{Error, message};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Seek, SeekFrom};

/// What stands in a skippable frame, by its magic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Header = 0x184D_2A50,
    Head = 0x184D_2A51,
    Tail = 0x184D_2A52,
    Index = 0x184D_2A53,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Header, Self::Head, Self::Tail, Self::Index];
}

/// Any skippable frame's magic number but for its last four bits.
const SKIPPABLE: u32 = 0x184D_2A50;
const ZSTD: u32 = 0xFD2F_B528;

/// Magic number and length, and what ours end with: checksum and length of all of it.
const AROUND: u64 = 8 + 8;

/// A skippable frame is not longer than this: what says so is damaged.
const LONGEST: u64 = 256 << 20;

/// Something as a skippable frame.
pub(super) fn write(kind: Kind, value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let payload = message::named(value)?;
    let length = u32::try_from(payload.len() + 8).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(payload.len() + AROUND as usize);
    bytes.extend((kind as u32).to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(&payload);
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend((length + 8).to_le_bytes());
    Ok(bytes)
}

/// A part of a file.
#[derive(Debug)]
pub(super) enum Part {
    /// A frame of ours, without what is around it, and intact.
    Ours(Kind, Vec<u8>),
    /// Something compressed. Its end is there.
    Compressed,
    /// What somebody else put there.
    Foreign,
}

/// What stands at a place of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// A part, and how long it is.
    Part(Part, u64),
    /// Something compressed whose end is not there.
    Open,
    /// The file ends here, or in what stands here.
    End,
    /// Nothing that makes sense.
    Nonsense,
}

/// Looks at the part that begins at `at`.
pub(super) fn look(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<Found> {
    let mut head = [0; 8];
    if end.saturating_sub(at) < head.len() as u64 {
        return Ok(Found::End);
    }
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut head)?;
    let [magic, length] = [0, 4].map(|from| u32_at(&head, from));
    if magic == ZSTD {
        return compressed(file, at, end);
    }
    if magic & !0xf != SKIPPABLE {
        return Ok(Found::Nonsense);
    }
    let whole = u64::from(length) + 8;
    if whole > end - at {
        return Ok(if whole > LONGEST { Found::Nonsense } else { Found::End });
    }
    let Some(kind) = Kind::ALL.into_iter().find(|kind| *kind as u32 == magic) else {
        return Ok(Found::Part(Part::Foreign, whole));
    };
    if !(AROUND..=LONGEST).contains(&whole) {
        return Ok(Found::Nonsense);
    }
    let mut payload = vec![0; length as usize];
    file.read_exact(&mut payload)?;
    let rest = payload.split_off(payload.len() - 8);
    let is_intact = u32_at(&rest, 0) == crc32fast::hash(&payload) && u64::from(u32_at(&rest, 4)) == whole;
    Ok(if is_intact { Found::Part(Part::Ours(kind, payload), whole) } else { Found::Nonsense })
}

/// What was written with [`write`]; `None` where it is something else.
pub(super) fn read<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    message::read(payload)
}

/// Where the last part of a file begins, if it is one of ours.
pub(super) fn last(file: &mut (impl Read + Seek), end: u64) -> io::Result<Option<u64>> {
    let Some(at) = end.checked_sub(4) else { return Ok(None) };
    file.seek(SeekFrom::Start(at))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    Ok(end.checked_sub(u32::from_le_bytes(length).into()))
}

/// Goes along the blocks of a frame, unpacking none.
fn compressed(file: &mut (impl Read + Seek), at: u64, end: u64) -> io::Result<Found> {
    file.seek(SeekFrom::Start(at + 4))?;
    let mut descriptor = [0];
    file.read_exact(&mut descriptor)?;
    let [descriptor] = descriptor;
    let is_single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = match descriptor >> 6 {
        0 => u64::from(is_single),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    let checksum = if descriptor & 4 != 0 { 4 } else { 0 };
    let mut next = at + 5 + u64::from(!is_single) + dictionary + size;
    loop {
        if next + 3 > end {
            return Ok(Found::Open);
        }
        file.seek(SeekFrom::Start(next))?;
        let mut head = [0; 4];
        file.read_exact(&mut head[..3])?;
        let head = u32::from_le_bytes(head);
        let length = match (head >> 1) & 3 {
            // One byte, repeated.
            1 => 1,
            3 => return Ok(Found::Nonsense),
            _ => u64::from(head >> 3),
        };
        next += 3 + length;
        if head & 1 != 0 {
            next += checksum;
            return Ok(if next > end { Found::Open } else { Found::Part(Part::Compressed, next - at) });
        }
    }
}

/// Where the next head of a segment begins, after `from`.
pub(super) fn resume(file: &mut (impl Read + Seek), from: u64, end: u64) -> io::Result<Option<u64>> {
    const STEP: usize = 64 << 10;
    let magic = (Kind::Head as u32).to_le_bytes();
    let mut at = from;
    while at + AROUND <= end {
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; STEP.min((end - at) as usize)];
        file.read_exact(&mut bytes)?;
        for (offset, _) in bytes.windows(magic.len()).enumerate().filter(|(_, window)| *window == magic) {
            let found = at + offset as u64;
            if let Found::Part(Part::Ours(Kind::Head, _), _) = look(file, found, end)? {
                return Ok(Some(found));
            }
        }
        // What begins in the last bytes of one step is found in the next.
        at += (bytes.len() - (magic.len() - 1).min(bytes.len() - 1)) as u64;
    }
    Ok(None)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}
