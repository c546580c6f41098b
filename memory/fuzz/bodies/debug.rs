// What is done with bytes that may be an object or a layout: all that a look would do. Fuzz targets and a test share it.

use holdup_memory::debug::{Debug, Search, Symbols, TypeId, names};
use std::{io::Write as _, path::Path};

/// So many types are read of one file, and so deep.
const TYPES: usize = 400;
const DEEP: usize = 3;

fn in_a_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).is_ok() {
        read(file.path());
    }
}

/// Reads an object: its index, types, symbols, and a layout made of it.
pub(crate) fn object(bytes: &[u8]) {
    in_a_file(bytes, |path| {
        if let Ok(debug) = Debug::open(path) {
            types(&debug);
            if let Ok(directory) = tempfile::tempdir() {
                let to = directory.path().join("layout");
                if debug.write_layout(&to).is_ok() {
                    let _ = Debug::find(path, &Search { layout: Some(to), ..Search::default() });
                }
            }
        }
        if let Ok(symbols) = Symbols::open(path) {
            let code = |_: u64, len: usize| Some(vec![0xe8; len.min(64)]);
            symbols.future_of_vtable(&[0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000], &code);
        }
    });
}

/// Reads a layout. One of another build is refused by its first bytes; what is in one of the right build is gone through by a test
/// beside it, which has no checksum to get past.
pub(crate) fn layout(bytes: &[u8]) {
    in_a_file(bytes, |path| {
        let Ok(own) = std::env::current_exe() else { return };
        if let Ok(debug) = Debug::find(&own, &Search { layout: Some(path.to_owned()), ..Search::default() }) {
            types(&debug);
        }
    });
}

fn types(debug: &Debug) {
    let index = debug.index();
    let all = [&index.cells, &index.coroutines, &index.named];
    let mut next: Vec<TypeId> = all.iter().flat_map(|table| table.values().copied().take(TYPES)).collect();
    next.extend(index.vtables.values().copied().take(TYPES));
    next.extend([TypeId(0), TypeId(11), TypeId(u32::MAX)]);
    for _ in 0..DEEP {
        let mut inner = vec![];
        for id in next.into_iter().take(TYPES) {
            let ty = debug.ty(id);
            names::short(&ty.path());
            names::function(&ty);
            inner.extend(ty.members.iter().map(|member| member.ty));
            inner.extend(ty.variants.iter().flat_map(|part| &part.variants).map(|variant| variant.ty));
        }
        next = inner;
    }
    debug.as_twin();
}
