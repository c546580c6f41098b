//! Where the objects of a process have their code and their constant data.

use crate::{
    DEBUG_INFORMATION, Unread,
    bytes::{Bytes, Image, Region, Segment},
    debug::{Debug, Search},
};
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

    /// Its debug information; where what there is cannot be used, that is told.
    pub(crate) fn debug(&self, search: &Search, refused: &mut Vec<Unread>) -> Debug {
        let search = Search { path: Some(PathBuf::from(&*self.path)), ..search.clone() };
        let mut refuse = |why: &Arc<str>| {
            refused.push(Unread { what: format!("{DEBUG_INFORMATION} {}", self.path).into(), why: Arc::clone(why) });
        };
        let file = match &self.file {
            Ok(file) => file,
            Err(why) => {
                refuse(why);
                return Debug::none(why);
            }
        };
        let named = search.debug.is_some() || search.layout.is_some();
        Debug::find(file, &search).unwrap_or_else(|why| {
            let why: Arc<str> = why.into();
            refuse(&why);
            // What the user names may be of another object; each has its own.
            let own = Search { debug: None, layout: None, ..search };
            let found = if named { Debug::find(file, &own).ok() } else { None };
            found.unwrap_or_else(|| Debug::none(&why))
        })
    }

    /// Whether there is code of it at this address.
    pub(crate) fn has_code(&self, at: u64) -> bool {
        self.code.iter().any(|range| range.contains(&at))
    }
}
