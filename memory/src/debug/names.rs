//! Names for people. A compiler writes a type with all that it is generic over, with the path of each, and with what nobody asked
//! for, such as the allocator; a person reads `Box<dyn Future<Output = u32>>`.

use super::Type;

/// Longer names are cut when they are made short; nobody reads so far.
const LONGEST: usize = 1 << 14;
/// How deep what is generic may be inside of what is generic.
const DEEPEST: usize = 64;

/// A type's name without paths, and without what its author never wrote.
pub fn short(name: &str) -> String {
    let mut reader = Reader { rest: cut(name, LONGEST), depth: 0 };
    let mut out = String::new();
    while !reader.rest.is_empty() {
        reader.ty(&mut out);
        // What is left over is of no known form, and is told as it is.
        if let Some(letter) = reader.next() {
            out.push(letter);
        }
    }
    out
}

/// A future or closure, by the function that it is of: `orders::load` for what `async fn load` of `orders` becomes, and
/// `orders::main::{async block}`; another type by its path, shortened.
pub fn function(ty: &Type) -> String {
    let name = ty.name.split('<').next().unwrap_or_default();
    let what = if name.starts_with("{async_fn_env#") {
        ""
    } else if name.starts_with("{async_block_env#") {
        "::{async block}"
    } else if name.starts_with("{async_closure_env#") {
        "::{async closure}"
    } else if name.starts_with("{closure_env#") || name.starts_with("{closure#") {
        "::{closure}"
    } else {
        return short(&ty.path());
    };
    let mut out = String::new();
    for part in segments(cut(&ty.space, LONGEST)) {
        // The body of a function is a scope of its own beside the function: `load::{async_fn#0}`. Blocks of code are none.
        let part = if part.starts_with("{async_fn#") || part.starts_with("{impl#") || part.starts_with("{constant#") {
            continue;
        } else if part.starts_with("{async_block#") {
            "{async block}"
        } else if part.starts_with("{async_closure#") {
            "{async closure}"
        } else if part.starts_with("{closure#") {
            "{closure}"
        } else {
            part.split('<').next().unwrap_or_default()
        };
        if !out.is_empty() {
            out.push_str("::");
        }
        out.push_str(part);
    }
    if out.is_empty() { what.trim_start_matches("::").to_owned() } else { out + what }
}

/// Whether a file is of the compiler's own libraries, of a registry or of a checkout, and not of the program itself.
pub fn is_library(file: &str) -> bool {
    let cargo = |part| file.contains(part) && (file.contains("/.cargo/") || file.contains("/cargo/"));
    file.starts_with("/rustc/")
        || file.starts_with("library/")
        || file.contains("/rustlib/src/rust/library/")
        || file.contains("/registry/src/")
        || cargo("/git/checkouts/")
        || file.contains("/vendor/")
}

/// A file without the directories that say only where this machine keeps its libraries: `tokio-1.54.1/src/sync/mutex.rs`.
pub fn file(file: &str) -> &str {
    let after = |start: &str, skip: usize| {
        let (_, mut rest) = file.split_once(start)?;
        for _ in 0..skip {
            rest = rest.split_once('/')?.1;
        }
        Some(rest)
    };
    if let Some(rest) = file.strip_prefix("/rustc/").and_then(|rest| rest.split_once("/library/")) {
        return rest.1;
    }
    after("/registry/src/", 1)
        .or_else(|| after("/git/checkouts/", 0))
        .or_else(|| after("/rustlib/src/rust/library/", 0))
        .or_else(|| after("/vendor/", 0))
        .unwrap_or(file)
}

fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// The parts of a path: `a`, `b<c::d>` of `a::b<c::d>`.
fn segments(path: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, vec![]);
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            // The arrow of a function closes nothing.
            b'>' if at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'-') => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                parts.extend(path.get(start..at).filter(|part| !part.is_empty()));
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.extend(path.get(start..).filter(|part| !part.is_empty()));
    parts
}

/// Reads a name from the front.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = self.rest.get(letter.len_utf8()..)?;
        Some(letter)
    }

    fn take(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// A type, up to what ends it.
    fn ty(&mut self, out: &mut String) {
        if self.depth > DEEPEST {
            self.skip();
            out.push('…');
            return;
        }
        self.depth += 1;
        self.spaces();
        loop {
            // What may stand before a type.
            let before = ["&mut ", "&", "*mut ", "*const ", "dyn ", "impl ", "mut "];
            let Some(word) = before.iter().find(|word| self.take(word)) else { break };
            out.push_str(word);
            self.spaces();
        }
        match self.rest.chars().next() {
            Some('(') => self.list('(', ')', out),
            Some('[') => self.list('[', ']', out),
            Some('<') => {
                self.list('<', '>', out);
                if self.take("::") {
                    out.push_str("::");
                }
            }
            _ => {}
        }
        self.path(out);
        // Several traits; what a function gives.
        loop {
            self.spaces();
            let joint = ["+", "->"].iter().find(|joint| self.take(joint));
            let Some(joint) = joint else { break };
            out.push(' ');
            out.push_str(joint);
            out.push(' ');
            self.spaces();
            self.depth += 1;
            self.ty(out);
            self.depth -= 1;
        }
        self.depth -= 1;
    }

    /// A path: its last part alone, unless that says nothing without those before it.
    fn path(&mut self, out: &mut String) {
        let mut kept = String::new();
        loop {
            let end = self
                .rest
                .find(|letter: char| "<>()[],;+= ".contains(letter) || letter == ':')
                .unwrap_or(self.rest.len());
            let (part, rest) = self.rest.split_at(end);
            self.rest = rest;
            let named = part.starts_with('{') && part.contains('#');
            if named && !kept.is_empty() && !part.starts_with("{impl#") {
                let short = spoken(part);
                if !short.is_empty() {
                    kept.push_str("::");
                    kept.push_str(short);
                }
            } else if !named {
                kept.clear();
                kept.push_str(part);
            }
            // For one that is generic inside of a path.
            if self.rest.starts_with('<') {
                self.list('<', '>', &mut kept);
            } else if self.rest.starts_with('(') && matches!(kept.as_str(), "fn" | "Fn" | "FnMut" | "FnOnce") {
                self.list('(', ')', &mut kept);
            }
            if !self.take("::") {
                break;
            }
        }
        out.push_str(&kept);
        self.spaces();
        if self.rest.starts_with('=') && !kept.is_empty() {
            self.next();
            self.spaces();
            out.push_str(" = ");
            self.ty(out);
        }
    }

    /// Types between brackets.
    fn list(&mut self, open: char, close: char, out: &mut String) {
        self.next();
        let (start, mut first) = (out.len(), true);
        out.push(open);
        while let Some(letter) = self.rest.chars().next() {
            if letter == close {
                self.next();
                break;
            }
            if letter == ';' {
                // How many of them.
                self.next();
                out.push_str("; ");
                self.spaces();
                first = true;
                continue;
            }
            if letter == ',' || letter == ' ' {
                self.next();
                continue;
            }
            let mut one = String::new();
            let before = self.rest.len();
            self.ty(&mut one);
            if self.rest.starts_with("as ") {
                self.take("as ");
                one.push_str(" as ");
                self.ty(&mut one);
            }
            if self.rest.len() == before {
                // Of no known form.
                one.extend(self.next());
            }
            if matches!(one.as_str(), "Global" | "DefaultHashBuilder" | "RandomState") && !first {
                continue;
            }
            if !first {
                out.push_str(", ");
            }
            out.push_str(&one);
            first = false;
        }
        out.push(close);
        if open == '<' && out.get(start..) == Some("<>") {
            out.truncate(start);
        }
    }

    /// Goes past what is too deep.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(letter) = self.rest.chars().next() {
            match letter {
                '<' | '(' | '[' => depth += 1,
                '>' | ')' | ']' | ',' if depth == 0 => break,
                '>' | ')' | ']' => depth -= 1,
                _ => {}
            }
            self.next();
        }
    }
}

/// What a part that the compiler named is called.
fn spoken(part: &str) -> &'static str {
    if part.starts_with("{async_block") {
        "{async block}"
    } else if part.starts_with("{async_closure") {
        "{async closure}"
    } else if part.starts_with("{closure") {
        "{closure}"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    #[test]
    fn paths_and_allocators_are_left_out() {
        for (long, expected) in [
            (
                "alloc::boxed::Box<dyn core::future::future::Future<Output=u32>, alloc::alloc::Global>",
                "Box<dyn Future<Output = u32>>",
            ),
            (
                "core::pin::Pin<alloc::boxed::Box<(dyn core::future::future::Future<Output=()> + core::marker::Send), alloc::alloc::Global>>",
                "Pin<Box<(dyn Future<Output = ()> + Send)>>",
            ),
            ("alloc::sync::Arc<tokio::sync::mutex::Mutex<u32>, alloc::alloc::Global>", "Arc<Mutex<u32>>"),
            ("tokio::outer::{async_fn_env#0}", "outer"),
            ("tokio::outer::{async_fn#0}::{async_block_env#0}", "outer::{async block}"),
            ("&mut tokio::sync::oneshot::Receiver<()>", "&mut Receiver<()>"),
            ("(alloc::string::String, [u8; 16], &str)", "(String, [u8; 16], &str)"),
            ("fn(alloc::string::String, u32) -> core::result::Result<(), a::B>", "fn(String, u32) -> Result<(), B>"),
            ("alloc::vec::Vec<u8, alloc::alloc::Global>", "Vec<u8>"),
            (
                "tokio::task::local::{impl#4}::run_until::{async_fn_env#0}<a::main::{async_block_env#0}>",
                "run_until<main::{async block}>",
            ),
            ("<a::b::C<d::E> as f::G>::H", "<C<E> as G>::H"),
            ("u32", "u32"),
            ("", ""),
        ] {
            assert_eq!(short(long), expected);
        }
    }

    #[test]
    fn functions_are_named_as_they_are_written() {
        for (space, name, expected) in [
            ("orders", "{async_fn_env#0}", "orders"),
            ("orders::load", "{async_fn_env#0}<u32>", "orders::load"),
            ("orders::main", "{async_block_env#2}", "orders::main::{async block}"),
            ("orders::main::{closure#0}", "{async_block_env#0}", "orders::main::{closure}::{async block}"),
            ("orders::load::{async_fn#0}", "{closure_env#0}", "orders::load::{closure}"),
            ("tokio::sync::mutex::{impl#10}::lock", "{async_fn_env#0}<u32>", "tokio::sync::mutex::lock"),
            ("tokio::time::sleep", "Sleep", "Sleep"),
        ] {
            let ty = Type { space: space.into(), name: Arc::from(name), ..Type::unknown() };
            assert_eq!(function(&ty), expected);
        }
    }

    #[test]
    fn libraries_are_told_from_the_program() {
        for (path, library, expected) in [
            ("/rustc/59807616e1/library/core/src/future/poll_fn.rs", true, "core/src/future/poll_fn.rs"),
            (
                "/root/.cargo/registry/src/index-1949/tokio-1.54.1/src/sync/mutex.rs",
                true,
                "tokio-1.54.1/src/sync/mutex.rs",
            ),
            ("/home/a/.cargo/git/checkouts/tower-12/ab/tower/src/lib.rs", true, "tower-12/ab/tower/src/lib.rs"),
            ("src/main.rs", false, "src/main.rs"),
            ("/build/orders/src/load.rs", false, "/build/orders/src/load.rs"),
        ] {
            assert_eq!((is_library(path), file(path)), (library, expected));
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_end(text in "[a-z<>(),;:&{}#= \\[\\]é+-]{0,80}") {
            short(&text);
            function(&Type { space: text.as_str().into(), name: text.as_str().into(), ..Type::unknown() });
            file(&text);
        }
    }

    #[test]
    fn what_is_deep_is_cut() {
        assert!(short(&"a<".repeat(100_000)).contains('…'));
        short(&"&".repeat(100_000));
        short(&"->".repeat(100_000));
        short(&"a=".repeat(100_000));
    }
}
