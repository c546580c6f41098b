//! Types of another build, by name: of the same source, built by the same compiler in the same way but for debug information.
//!
//! What a task's vtable and a `dyn` vtable say of their type's size decides whether a type of that name may be it. It may still be
//! another: what a twin tells is at most likely, and whoever uses it checks what it finds there.

use super::{Debug, TypeId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Types of a twin, by the one spelling that names of symbols and of debug information have in common.
pub struct Twin<'a> {
    debug: &'a Debug,
    cells: FxHashMap<String, Vec<TypeId>>,
    dynamic: FxHashMap<String, Vec<TypeId>>,
}

impl Debug {
    /// Its types, to be looked up by names of another build.
    pub fn as_twin(&self) -> Twin<'_> {
        let mut twin = Twin { debug: self, cells: FxHashMap::default(), dynamic: FxHashMap::default() };
        for (of, cell) in &self.index().cells {
            twin.cells.entry(normal(of)).or_default().push(*cell);
        }
        for ty in self.index().vtables.values() {
            let types = twin.dynamic.entry(normal(&self.ty(*ty).path())).or_default();
            if !types.contains(ty) {
                types.push(*ty);
            }
        }
        twin
    }
}

impl Twin<'_> {
    /// The cell of a task, by what its vtable is generic over (`T, S`) and where the vtable says that the trailer is. None where
    /// there is no such type, or several of which it is not known which it is.
    pub fn cell(&self, of: &str, trailer: u64) -> Option<TypeId> {
        let fits = |id: &TypeId| {
            let cell = self.debug.ty(*id);
            cell.member("trailer").is_some_and(|member| member.at == trailer)
        };
        self.only(self.cells.get(&normal(of))?, fits)
    }

    /// A type behind `dyn`, by its name and the size that its vtable says.
    pub fn dynamic(&self, name: &str, size: u64) -> Option<TypeId> {
        self.only(self.dynamic.get(&normal(name))?, |id| self.debug.ty(*id).size == size)
    }

    /// The one that fits; several are one if they are the same in several units.
    fn only(&self, all: &[TypeId], fits: impl Fn(&TypeId) -> bool) -> Option<TypeId> {
        let mut fitting = all.iter().filter(|id| fits(id));
        let first = *fitting.next()?;
        let path = |id: TypeId| -> (Arc<str>, Arc<str>) {
            let ty = self.debug.ty(id);
            (ty.space.clone(), ty.name.clone())
        };
        let name = path(first);
        fitting.all(|other| path(*other) == name).then_some(first)
    }
}

/// One spelling of a name for debug information and both forms of symbols: what is an async function, block or closure is a
/// closure; what a function is generic over, the allocator and spaces are left out; a `dyn` type is `dynFuture+Output=u32+Send`.
pub fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    // Of the brackets that are open, whether what closes them is written.
    let mut open: Vec<Closing> = vec![];
    while let Some(letter) = rest.chars().next() {
        if letter == '{' {
            let (part, after) = braced(rest);
            rest = after;
            if part.starts_with("{async_") || part.starts_with("{closure") || part.starts_with("{{closure") {
                out.push_str("{{closure}}");
                // What the function around it is generic over, which older symbols do not have.
                if rest.starts_with('<') {
                    rest = past(rest);
                }
            } else if ["{constant", "{{constant", "{K#"].iter().any(|start| part.starts_with(start)) {
                out.push_str("{{constant}}");
            } else {
                out.push_str(part);
            }
        } else if rest.starts_with("::<") {
            rest = past(rest.trim_start_matches(':'));
        } else if let Some(after) =
            rest.strip_prefix(", alloc::alloc::Global").or_else(|| rest.strip_prefix(",alloc::alloc::Global"))
        {
            rest = after;
        } else {
            let after = rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                ' ' => {}
                '(' if after.starts_with("dyn ") => open.push(Closing::LeftOut),
                '<' if after.starts_with("Output") => {
                    open.push(Closing::LeftOut);
                    out.push('+');
                }
                '<' | '(' | '[' => {
                    open.push(Closing::Written);
                    out.push(letter);
                }
                '>' if out.ends_with('-') => out.push(letter),
                '>' | ')' | ']' => {
                    if open.pop() != Some(Closing::LeftOut) {
                        out.push(letter);
                    }
                }
                _ => out.push(letter),
            }
            rest = after;
        }
    }
    out
}

/// A bracket that is to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    Written,
    LeftOut,
}

/// What is in braces, and what follows.
fn braced(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.split_at_checked(at + 1).unwrap_or((text, ""));
        }
    }
    (text, "")
}

/// What follows the brackets that it begins with.
fn past(text: &str) -> &str {
    let (mut depth, mut before) = (0_usize, b' ');
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if before == b'-' => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..).unwrap_or_default();
        }
        before = byte;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debug::tests::build;
    use proptest::prelude::*;

    #[test]
    fn all_spellings_are_one() {
        for (debug, legacy, v0) in [
            ("a::load::{async_fn_env#0}<u32>", "a::load::{{closure}}", "a::load::<u32>::{closure#0}"),
            (
                "a::main::{closure#1}::{async_block_env#0}",
                "a::main::{{closure}}::{{closure}}",
                "a::main::{closure#1}::{closure#0}",
            ),
            ("alloc::sync::Arc<u64, alloc::alloc::Global>", "alloc::sync::Arc<u64>", "alloc::sync::Arc<u64>"),
            (
                "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output=u32>, alloc::alloc::Global>>",
                "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future+Output = u32>>",
                "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = u32>>>",
            ),
            (
                "core::pin::Pin<alloc::boxed::Box<(dyn core::future::future::Future<Output=()> + core::marker::Send), alloc::alloc::Global>>",
                "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future+Output = ()+core::marker::Send>>",
                "core::pin::Pin<alloc::boxed::Box<dyn core::future::future::Future<Output = ()> + core::marker::Send>>",
            ),
        ] {
            assert_eq!(normal(debug), normal(v0));
            assert_eq!(normal(debug), normal(legacy));
        }
    }

    #[test]
    fn a_type_is_the_twins_if_its_size_is() {
        let twin = Debug::open(&build(&["-Cdebuginfo=2"]).file).unwrap();
        let types = twin.as_twin();
        let of = "tokio::outer::{{closure}},alloc::sync::Arc<u64>";
        // What it is built of has no trailer: that of tokio is asked for.
        assert_eq!(types.cell(of, 16), None);
        let name = "tokio::outer::{{closure}}::{{closure}}";
        let sizes: Vec<_> =
            twin.index().vtables.values().map(|ty| twin.ty(*ty)).filter(|ty| ty.is_coroutine()).collect();
        let size = sizes[0].size;
        assert_eq!(types.dynamic(name, size).map(|id| twin.ty(id).size), Some(size));
        assert_eq!(types.dynamic(name, size + 8), None);
        assert_eq!(types.dynamic("tokio::inner::{{closure}}", size), None);
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in "[a-z<>:&{}#, é-]{0,60}") {
            normal(&text);
        }
    }
}
