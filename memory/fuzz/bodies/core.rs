// What is done with bytes that may be a core file or a grab: it is looked at. Fuzz targets and a test share it.

use holdup_memory::{Kept, Options, Reader, Stacks, Wants};
use std::io::Write as _;

/// Looks twice, the second time with what the first one has learnt.
pub(crate) fn core(bytes: &[u8]) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_err() {
        return;
    }
    if let Ok(mut reader) = Reader::core(file.path(), &Options { kept: Kept::Ignored, ..Options::default() }) {
        for _ in 0..2 {
            let _ = reader.look(&Wants { stacks: Stacks::Sleeping });
        }
    }
}

/// The same of bytes that are packed, as a grab is.
pub(crate) fn grab(bytes: &[u8]) {
    if let Ok(packed) = zstd::encode_all(bytes, 1) {
        core(&packed);
    }
}
