//! Names of functions, of an object that has no types: which future a task's vtable is of, and which type a `dyn` vtable is of.
//! Knows the table of symbols and what calls look like in code, and nothing of where code is read from.

use super::sections::ObjectFile;
use object::{Architecture, Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};
use rustc_hash::FxHashMap;
use std::{ops::Range, path::Path, sync::Arc};

/// So many names are kept; an object with more tasks and types than that is none that anybody wrote.
const MOST: usize = 1 << 20;
/// The longest name that is read.
const LONGEST: usize = 1 << 16;
/// So much of a function's code is looked through.
const LOOKED_THROUGH: u64 = 64 << 10;
/// Where in a task's vtable the function is that frees the task: it drops the whole cell, and no other task's.
const DEALLOC: usize = 2;

/// The functions of a task's vtable, as their names end.
const FUNCTIONS: [&str; 7] =
    ["poll", "schedule", "dealloc", "try_read_output", "drop_join_handle_slow", "drop_abort_handle", "shutdown"];

/// Names of functions. Addresses are those of the object before it is loaded.
pub struct Symbols {
    file: ObjectFile,
    architecture: Architecture,
    /// By address: where in the file the names are, and how long the function is.
    functions: FxHashMap<u64, Function>,
}

#[derive(Default)]
struct Function {
    len: u64,
    names: Vec<Range<u32>>,
}

impl Symbols {
    /// Reads the names of those functions that are asked for.
    ///
    /// # Errors
    ///
    /// Where the file is no object, or cannot be read; in words.
    pub fn open(file: &Path) -> Result<Self, String> {
        let file = ObjectFile::open(file)?;
        let data = file.data();
        let object = object::File::parse(data).map_err(|error| error.to_string())?;
        let mut functions: FxHashMap<u64, Function> = FxHashMap::default();
        let mut kept = 0;
        for symbol in object.symbols().chain(object.dynamic_symbols()) {
            let Ok(name) = symbol.name_bytes() else { continue };
            if symbol.kind() != SymbolKind::Text || symbol.address() == 0 {
                continue;
            }
            let function = functions.get_mut(&symbol.address());
            if !is_wanted(name) {
                continue;
            }
            // The name is a piece of the file.
            let Some(at) = (name.as_ptr() as usize).checked_sub(data.as_ptr() as usize) else { continue };
            let (Ok(start), Ok(end)) = (u32::try_from(at), u32::try_from(at + name.len().min(LONGEST))) else {
                continue;
            };
            let function = match function {
                Some(function) => function,
                None => functions.entry(symbol.address()).or_default(),
            };
            function.len = function.len.max(symbol.size());
            function.names.push(start..end);
            kept += 1;
            if kept >= MOST {
                break;
            }
        }
        let architecture = object.architecture();
        // Few of those names are read again.
        file.forget();
        Ok(Self { file, architecture, functions })
    }

    /// Whether it has none, as of a file that was stripped.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// What a task's vtable is generic over, `T, S` as the symbols write it: `T` is the future. `functions` are the vtable's, in
    /// its order; `code` reads the object's code. None where the functions do not agree.
    pub fn future_of_vtable(
        &self,
        functions: &[u64; 7],
        code: &dyn Fn(u64, usize) -> Option<Vec<u8>>,
    ) -> Option<Arc<str>> {
        // In the newer form of names the functions themselves say it. Equal ones may have been folded into one: each has a vote.
        let mut votes: FxHashMap<String, usize> = FxHashMap::default();
        for (address, expected) in functions.iter().zip(FUNCTIONS) {
            for name in self.names(*address) {
                let start = ["tokio::runtime::task::raw::", expected, "::<"].concat();
                if let Some(of) = name.strip_prefix(start.as_str()).and_then(enclosed) {
                    *votes.entry(of.to_owned()).or_default() += 1;
                }
            }
        }
        if let Some(of) = winner(votes) {
            return Some(of.into());
        }
        // In the older form, the types are in the names of what they call: to drop the cell.
        let dropped = |address: u64| self.dropped(address, code);
        let mut by_dealloc = functions.get(DEALLOC).map(|address| dropped(*address)).unwrap_or_default();
        if by_dealloc.len() == 1 {
            return by_dealloc.pop().map(Into::into);
        }
        let mut votes: FxHashMap<String, usize> = FxHashMap::default();
        for of in functions.iter().flat_map(|address| dropped(*address)) {
            *votes.entry(of).or_default() += 1;
        }
        winner(votes).map(Into::into)
    }

    /// The type of a `dyn` vtable, by its first word, which is what drops it. None where several types are dropped by the same
    /// code.
    pub fn type_of_vtable(&self, drop: u64) -> Option<Arc<str>> {
        let mut names = self.names(drop);
        let name = names.next()?;
        names.all(|other| other == name).then(|| drops(&name).map(Arc::from)).flatten()
    }

    /// Which functions are of which task: by their own names, or by the cell that they drop. Of the older names only those are
    /// asked that let go of a task; one that polls may spawn another, and then has that one's cell as well.
    pub(super) fn task_functions(&self) -> FxHashMap<u64, Vec<Arc<str>>> {
        let mut all: FxHashMap<u64, Vec<Arc<str>>> = FxHashMap::default();
        let Ok(object) = object::File::parse(self.file.data()) else { return all };
        let sections = object.sections().filter(|section| section.kind() == SectionKind::Text);
        let sections: Vec<(u64, &[u8])> =
            sections.filter_map(|section| Some((section.address(), section.data().ok()?))).collect();
        let code = |at: u64, len: usize| {
            sections.iter().find_map(|(start, data)| {
                let rest = data.get(usize::try_from(at.checked_sub(*start)?).ok()?..)?;
                (!rest.is_empty()).then(|| rest.get(..len).unwrap_or(rest).to_vec())
            })
        };
        for address in self.functions.keys() {
            for name in self.names(*address) {
                let Some(name) = name.strip_prefix("tokio::runtime::task::raw::") else { continue };
                let (function, of) = name.split_once("::<").map_or((name, None), |(name, of)| (name, enclosed(of)));
                let of = match of {
                    Some(of) if FUNCTIONS.contains(&function) => Some(of.to_owned()),
                    None if matches!(function, "dealloc" | "drop_join_handle_slow" | "drop_abort_handle") => {
                        let mut dropped = self.dropped(*address, &code);
                        dropped.pop().filter(|_| dropped.is_empty())
                    }
                    _ => None,
                };
                let names = all.entry(*address).or_default();
                names.extend(of.map(Arc::from).filter(|of| !names.contains(of)));
            }
        }
        all.retain(|_, names| !names.is_empty());
        all
    }

    /// The cells that a function drops.
    fn dropped(&self, address: u64, code: &dyn Fn(u64, usize) -> Option<Vec<u8>>) -> Vec<String> {
        let mut all: Vec<String> = vec![];
        for to in self.calls(address, code) {
            for name in self.names(to) {
                let cell = drops(&name).and_then(|ty| ty.split_once("tokio::runtime::task::core::Cell<"));
                // A box of the cell is dropped as well.
                let of = cell.filter(|(before, _)| before.is_empty() || *before == "alloc::boxed::Box<");
                all.extend(of.and_then(|(_, of)| enclosed(of)).map(str::to_owned));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// All of the file.
    pub(super) fn data(&self) -> &[u8] {
        self.file.data()
    }

    fn names(&self, address: u64) -> impl Iterator<Item = String> {
        let function = self.functions.get(&address);
        function.into_iter().flat_map(|function| &function.names).filter_map(|range| {
            let bytes = self.file.data().get(range.start as usize..range.end as usize)?;
            let name = std::str::from_utf8(bytes).ok()?;
            // A short name may stand for one without an end.
            let mut out = Bounded(String::new());
            let _ = std::fmt::Write::write_fmt(&mut out, format_args!("{:#}", rustc_demangle::demangle(name)));
            Some(out.0)
        })
    }

    /// What a function calls.
    fn calls(&self, address: u64, code: &dyn Fn(u64, usize) -> Option<Vec<u8>>) -> Vec<u64> {
        // One that has no name of interest has no length here; it ends before long.
        let len = self.functions.get(&address).map_or(2048, |function| function.len).clamp(16, LOOKED_THROUGH);
        let Some(code) = code(address, len as usize) else { return vec![] };
        let known = |to: u64| self.functions.contains_key(&to).then_some(to);
        match self.architecture {
            Architecture::X86_64 => x86_calls(address, &code).filter_map(known).collect(),
            Architecture::Aarch64 => arm_calls(address, &code).filter_map(known).collect(),
            _ => vec![],
        }
    }
}

/// What a mangled name has to have in it to be of interest.
fn is_wanted(name: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(name, part).is_some();
    has(b"drop_in_place") || has(b"7runtime4task3raw")
}

/// The type that a function of this name drops.
fn drops(name: &str) -> Option<&str> {
    let of = name.strip_prefix("core::ptr::drop_in_place")?;
    enclosed(of.strip_prefix("::").unwrap_or(of).strip_prefix('<')?)
}

/// What stands before the bracket that closes one that was opened before.
fn enclosed(text: &str) -> Option<&str> {
    let (mut depth, mut before) = (0_usize, b' ');
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if before == b'-' => {}
            b'>' | b')' | b']' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return text.get(..at),
            },
            _ => {}
        }
        before = byte;
    }
    None
}

/// What most agree on; none if two have as many.
fn winner(votes: FxHashMap<String, usize>) -> Option<String> {
    let most = votes.values().copied().max()?;
    let mut first = votes.into_iter().filter(|vote| vote.1 == most);
    let (name, _) = first.next()?;
    first.next().is_none().then_some(name)
}

/// Where calls and jumps may lead. Code has instructions of all lengths: each byte may be the first of one, and an address at
/// which nothing of interest is was none.
fn x86_calls(address: u64, code: &[u8]) -> impl Iterator<Item = u64> {
    code.windows(5).zip(address..).filter_map(|(bytes, at)| match bytes {
        [0xe8 | 0xe9, a, b, c, d] => {
            Some(at.wrapping_add(5).wrapping_add_signed(i64::from(i32::from_le_bytes([*a, *b, *c, *d]))))
        }
        _ => None,
    })
}

fn arm_calls(address: u64, code: &[u8]) -> impl Iterator<Item = u64> {
    code.chunks_exact(4).zip((address..).step_by(4)).filter_map(|(bytes, at)| {
        let word = u32::from_le_bytes(bytes.try_into().ok()?);
        // `b` and `bl`: 26 bits of words, with a sign.
        let distance = i64::from((word << 6) as i32 >> 4);
        matches!(word >> 26, 0b00_0101 | 0b10_0101).then(|| at.wrapping_add_signed(distance))
    })
}

/// Text that does not grow without an end.
struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > 4 * LONGEST {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debug::tests::build;
    use std::fs;

    /// The address of a function whose name, as people read it, begins so; and the code of the object.
    fn function(file: &Path, start: &str) -> u64 {
        let data = fs::read(file).unwrap();
        let object = object::File::parse(&*data).unwrap();
        let of = |name: &str| format!("{:#}", rustc_demangle::demangle(name)).starts_with(start);
        object.symbols().find(|symbol| symbol.name().is_ok_and(of)).unwrap().address()
    }

    #[test]
    fn a_vtable_is_named_by_its_functions() {
        for (mangling, optimized) in [("v0", "0"), ("v0", "3")] {
            let flags = [format!("-Csymbol-mangling-version={mangling}"), format!("-Copt-level={optimized}")];
            let built = build(&[&flags[0], &flags[1], "-Cdebuginfo=0"]);
            let symbols = Symbols::open(&built.file).unwrap();
            let poll = function(&built.file, "tokio::runtime::task::raw::poll");
            let none = |_: u64, _: usize| None;
            let of = symbols.future_of_vtable(&[poll, 1, 1, 1, 1, 1, 1], &none).unwrap();
            assert_eq!(&*of, "tokio::outer::{closure#0}, alloc::sync::Arc<u64>");
            assert_eq!(symbols.future_of_vtable(&[1; 7], &none), None);
        }
    }

    #[test]
    fn one_with_older_names_is_named_by_what_it_drops() {
        let built =
            build(&["-Csymbol-mangling-version=legacy", "-Zunstable-options", "-Cdebuginfo=0", "-Copt-level=0"]);
        let symbols = Symbols::open(&built.file).unwrap();
        let data = fs::read(&built.file).unwrap();
        let object = object::File::parse(&*data).unwrap();
        let code = |at: u64, len: usize| {
            let section = object
                .sections()
                .find(|section| (section.address()..section.address() + section.size()).contains(&at))?;
            let bytes = section.data().ok()?.get((at - section.address()) as usize..)?;
            Some(bytes.get(..len).unwrap_or(bytes).to_vec())
        };
        let dealloc = function(&built.file, "tokio::runtime::task::raw::dealloc");
        let of = symbols.future_of_vtable(&[1, 1, dealloc, 1, 1, 1, 1], &code).unwrap();
        assert_eq!(&*of, "tokio::outer::{{closure}},alloc::sync::Arc<u64>");
        let drop = function(&built.file, "core::ptr::drop_in_place<tokio::inner");
        assert_eq!(symbols.type_of_vtable(drop).as_deref(), Some("tokio::inner::{{closure}}"));
    }

    #[test]
    fn calls_are_found_in_code() {
        assert_eq!(x86_calls(0x1000, &[0x90, 0xe8, 0xfb, 0xff, 0xff, 0xff, 0xc3]).collect::<Vec<_>>(), [0x1001]);
        let words = [0x9400_0002_u32, 0x17ff_ffff, 0xd65f_03c0];
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(arm_calls(0x1000, &code).collect::<Vec<_>>(), [0x1008, 0x1000]);
    }

    #[test]
    fn a_winner_has_more_than_any_other() {
        let votes = |all: &[(&str, usize)]| winner(all.iter().map(|vote| (vote.0.to_owned(), vote.1)).collect());
        assert_eq!(votes(&[("a", 2), ("b", 1)]).as_deref(), Some("a"));
        assert_eq!(votes(&[("a", 2), ("b", 2)]), None);
        assert_eq!(votes(&[]), None);
        assert_eq!(enclosed("a<b>, fn(c) -> d>"), Some("a<b>, fn(c) -> d"));
        assert_eq!(enclosed("a<b>"), None);
    }
}
