//! The functions of an executable that may not be here: named by its build id, from a file with its debug information.

use super::stack;
use crate::{
    StackFrame,
    debug::{BuildId, Search},
};
use holdup_stack::{frame::Frame, memory::Memory, modules::Loaded, symbolize::Symbols, unwind::Unwinder};
use rustc_hash::FxHashMap;
use std::io;

/// So many executables are known at once.
const MOST: usize = 16;
/// Bytes of names that are kept of each.
const KEPT: usize = 4 << 20;

/// Names functions by build ids.
pub struct Functions {
    search: Search,
    /// `None` where no file was found.
    known: FxHashMap<BuildId, Option<Executable>>,
}

/// A file, as if it were loaded where it was linked to be.
struct Executable {
    unwinder: Unwinder,
    symbols: Symbols,
}

/// Nothing is read that is not in a file.
struct Nothing;

impl Memory for Nothing {
    fn read(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn fill(&self, _: u64, _: &mut [u8]) -> bool {
        false
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Functions").field("search", &self.search).finish_non_exhaustive()
    }
}

impl Functions {
    /// From files that are found like this.
    pub fn new(search: Search) -> Self {
        Self { search, known: FxHashMap::default() }
    }

    /// The functions at each of these offsets, innermost first; none where nothing was found. It may take as long as a server
    /// takes to send a file.
    pub fn name(&mut self, build_id: &[u8], offsets: &[u64]) -> Vec<Vec<StackFrame>> {
        let Some(id) = BuildId::new(build_id) else { return Vec::new() };
        if self.known.len() >= MOST && !self.known.contains_key(&id) {
            self.known.clear();
        }
        let known = self.known.entry(id).or_insert_with_key(|id| Executable::of(id, &self.search));
        known.as_mut().map(|executable| executable.name(offsets)).unwrap_or_default()
    }
}

impl Executable {
    fn of(id: &BuildId, search: &Search) -> Option<Self> {
        let file = search.file_of(id)?;
        let all = 0..u64::MAX;
        let loaded = Loaded {
            path: file.display().to_string(),
            file: Some(file),
            range: all.clone(),
            code: vec![all],
            build_id: id.bytes().to_vec(),
            ..Loaded::default()
        };
        let mut unwinder = Unwinder::of_another();
        unwinder.load(vec![loaded], &Nothing);
        Some(Self { unwinder, symbols: Symbols::at_any_cost(KEPT) })
    }

    fn name(&mut self, offsets: &[u64]) -> Vec<Vec<StackFrame>> {
        let modules = self.unwinder.modules();
        // Each is one that is known to be that of the instruction.
        let alone: Vec<&[u64]> = offsets.iter().map(std::slice::from_ref).collect();
        self.symbols.look_up(&alone, modules);
        let named = alone.iter().map(|one| self.symbols.name(one, modules));
        let is_known = |frame: &Frame| !frame.function.is_empty();
        named.map(|frames| frames.into_iter().filter(is_known).map(stack::frame).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Object, ObjectSymbol};
    use std::{fs, path::PathBuf};

    #[test]
    fn an_executable_is_named_by_its_build_id_alone() {
        let own = PathBuf::from("/proc/self/exe");
        let bytes = fs::read(&own).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let id = file.build_id().unwrap().expect("linkers write one").to_vec();
        let functions = || file.symbols().filter(|symbol| symbol.size() > 0);
        let name = |symbol: &object::Symbol<'_, '_>| symbol.name().unwrap_or_default().to_owned();
        let symbol = functions().find(|symbol| name(symbol).contains("an_executable_is_named_by_its_build_id"));
        let at = symbol.expect("this function").address();
        let search = Search { debug: Some(own), ..Search::default() };
        let named = Functions::new(search.clone()).name(&id, &[at, 1]);
        let [this, nothing] = named.as_slice() else { panic!("{named:?}") };
        let last = this.last().expect("it is named");
        assert!(last.function.contains("an_executable_is_named_by_its_build_id_alone"), "{this:?}");
        assert!(last.place.as_ref().expect("and placed").file.ends_with("thread/functions.rs"), "{this:?}");
        assert!(nothing.is_empty());
        assert!(Functions::new(search).name(&[1; 20], &[at]).is_empty(), "of another build");
        assert!(Functions::new(Search::default()).name(&[], &[at]).is_empty());
    }
}
