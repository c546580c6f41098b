//! Core files and grabs that are compressed. A compressed one is unpacked into a file without a name, as far as it goes, and never
//! beyond a bound: a few bytes may claim to be terabytes.

use super::mapped::Content;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
};

/// Unpacked, no more than this.
pub(crate) const MOST: u64 = 16 << 30;
/// What may be needed to unpack: no window larger than this.
const WINDOW_LOG: u32 = 27;
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The content of a file, unpacked where it is packed, and why it ends early, where it does.
pub(crate) fn unpacked(file: File) -> Result<(Content, Option<String>), String> {
    unpacked_up_to(file, MOST)
}

pub(crate) fn unpacked_up_to(mut file: File, most: u64) -> Result<(Content, Option<String>), String> {
    let mut start = [0; 4];
    let is_packed = file.read_exact(&mut start).is_ok() && (start == FRAME || is_skippable(start));
    if !is_packed {
        return content(&file).map(|content| (content, None));
    }
    let words = |error: io::Error| format!("it cannot be unpacked: {error}");
    file.seek(SeekFrom::Start(0)).map_err(words)?;
    let mut packed =
        zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(1 << 17, file)).map_err(words)?;
    packed.window_log_max(WINDOW_LOG).map_err(words)?;
    let mut whole = tempfile::tempfile().map_err(|error| format!("there is no room to unpack it: {error}"))?;
    let (mut written, mut why) = (0_u64, None);
    let mut buffer = vec![0; 1 << 17];
    loop {
        match packed.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) if written + len as u64 > most => {
                why = Some(format!("unpacked, it is larger than {}", super::size(most)));
                break;
            }
            Ok(len) => {
                let piece = buffer.get(..len).unwrap_or_default();
                write(&mut whole, piece).map_err(|error| format!("there is no room to unpack it: {error}"))?;
                written += len as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                why = Some(format!("the file was cut off or damaged: {error}"));
                break;
            }
        }
    }
    whole.set_len(written).map_err(words)?;
    content(&whole).map(|content| (content, why))
}

fn content(file: &File) -> Result<Content, String> {
    Content::of(file).map_err(|error| format!("it cannot be read: {error}"))
}

/// Writes a piece; one that is all zeros takes no room.
fn write(file: &mut File, piece: &[u8]) -> io::Result<()> {
    if piece.iter().all(|byte| *byte == 0) {
        file.seek_relative(i64::try_from(piece.len()).unwrap_or(0))
    } else {
        file.write_all(piece)
    }
}

/// A frame that says something to whoever reads the file, and that unpacking skips.
fn is_skippable(start: [u8; 4]) -> bool {
    u32::from_le_bytes(start) & 0xffff_fff0 == SKIPPABLE
}

const SKIPPABLE: u32 = 0x184d_2a50;

/// Such a frame.
pub(crate) fn skippable(text: &str) -> Vec<u8> {
    let len = u32::try_from(text.len()).unwrap_or(0);
    [&SKIPPABLE.to_le_bytes()[..], &len.to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file
    }

    #[test]
    fn packed_and_not_packed_are_the_same() {
        let content: Vec<u8> = (0..400_000_u32).map(|i| if i < 300_000 { 0 } else { i as u8 }).collect();
        let packed = [skippable("hello"), zstd::encode_all(&*content, 1).unwrap()].concat();
        for whole in [&content, &packed] {
            let (unpacked, why) = unpacked(file(whole)).unwrap();
            assert_eq!((&*unpacked, why), (&*content, None));
        }
        let (cut, why) = unpacked(file(&packed[..packed.len() - 40])).unwrap();
        assert!(cut.len() < content.len() && content.starts_with(&cut) && why.unwrap().contains("cut off"));
        assert!(unpacked(file(b"")).unwrap().0.is_empty());
    }

    #[test]
    fn what_claims_to_be_endless_is_cut() {
        let bomb = zstd::encode_all(io::repeat(0).take(1 << 30), 1).unwrap();
        assert!(bomb.len() < 200_000);
        let (unpacked, why) = unpacked_up_to(file(&bomb), 10 << 20).unwrap();
        assert!(unpacked.len() <= 10 << 20 && why.unwrap().contains("larger than"));
    }
}
