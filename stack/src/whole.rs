//! A file that is read as a whole: its sections are inflated, and what was split off is looked for beside it. That takes several times the
//! file's size of memory, and is not done in a service.

use crate::{debug_file::Told, unit::Part};
use addr2line::Loader;
use std::path::Path;

/// Tells of addresses what the file says; nothing where it cannot be read.
pub(crate) fn name(path: &Path, addresses: &[u64], tell: &mut dyn FnMut(u64, Told<'_>)) {
    let Ok(loader) = Loader::new(path) else { return };
    for address in addresses {
        let parts = parts(&loader, *address).unwrap_or_default();
        tell(*address, Told { parts, symbol: loader.find_symbol(*address) });
    }
}

fn parts(loader: &Loader, address: u64) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut found = loader.find_frames(address).ok()?;
    while let Ok(Some(frame)) = found.next() {
        let place = frame.location;
        parts.push(Part {
            function: frame.function.and_then(|name| Some(name.demangle().ok()?.into_owned())).unwrap_or_default(),
            file: place.as_ref().and_then(|place| place.file).unwrap_or_default().to_owned(),
            line: place.as_ref().and_then(|place| place.line).unwrap_or_default(),
            column: place.as_ref().and_then(|place| place.column).unwrap_or_default(),
        });
    }
    Some(parts)
}
