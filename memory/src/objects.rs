//! Where the objects of a process have their code and their constant data.

use crate::bytes::{Bytes, Image, Region, Segment};
use std::{ops::Range, path::PathBuf, sync::Arc};

/// An object that is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Its path as the process sees it.
    pub(crate) path: Arc<str>,
    /// What is added to an address of the file to make one of the process.
    pub(crate) bias: u64,
    /// Where its code is.
    pub(crate) code: Vec<Range<u64>>,
    /// Where its data is that the file has: most of it cannot be written, or could not once it was relocated.
    pub(crate) constant: Vec<Range<u64>>,
    /// The file to read it from, or why there is none.
    pub(crate) file: Result<PathBuf, Arc<str>>,
}

impl Object {
    pub(crate) fn new(image: &Image, regions: &[Region], bytes: &dyn Bytes) -> Self {
        let code = image.loaded().filter(|segment| segment.flags & Segment::EXECUTE != 0);
        let constant = regions.iter().filter(|region| {
            let within = image.range.contains(&region.range.start) && region.range.end <= image.range.end;
            // What is linked without "relro" stays writable, and is a part of the file all the same.
            let of_file = !region.may.write() || (!region.path.is_empty() && !region.path.starts_with('['));
            within && region.may.read() && !region.may.execute() && of_file
        });
        Self {
            path: Arc::clone(&image.path),
            bias: image.bias,
            code: code.map(|segment| image.place(segment)).collect(),
            constant: constant.map(|region| region.range.clone()).collect(),
            file: bytes.file(&image.region).map_err(Arc::from),
        }
    }

    /// Whether there is code of it at this address.
    pub(crate) fn has_code(&self, at: u64) -> bool {
        self.code.iter().any(|range| range.contains(&at))
    }
}
