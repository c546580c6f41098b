//! How a stack is read: functions by their paths, without what they are generic over, and runs of frames that are the machinery's
//! (the standard library, tokio, tracing) as one.

use super::{Frame, Stack};
use std::borrow::Cow;

/// A line of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackLine<'a> {
    /// A frame.
    Frame(&'a Frame),
    /// Several in a row that are the machinery's, the innermost first.
    Folded {
        /// Them.
        frames: &'a [Frame],
        /// What was called of them; `None` where nobody else did, since the stack begins with them.
        entry: Option<&'a Frame>,
    },
}

impl Stack {
    /// Its lines, the machinery folded. A stack that is nothing but machinery is told whole: there is nothing else to see.
    pub fn folded(&self) -> Vec<StackLine<'_>> {
        if self.frames.iter().all(|frame| frame.machinery().is_some()) {
            return self.frames.iter().map(StackLine::Frame).collect();
        }
        let runs = self.frames.chunk_by(|frame, next| frame.machinery().is_some() == next.machinery().is_some());
        let (mut lines, mut outer) = (Vec::new(), self.frames.len());
        for run in runs {
            outer -= run.len();
            match run {
                [first, _, ..] if first.machinery().is_some() => {
                    let entry = if outer > 0 { entry(run) } else { None };
                    lines.push(StackLine::Folded { frames: run, entry });
                }
                _ => lines.extend(run.iter().map(StackLine::Frame)),
            }
        }
        lines
    }
}

impl StackLine<'_> {
    /// In one line of text.
    pub fn in_words(&self) -> String {
        match self {
            Self::Frame(frame) => frame.in_words(),
            Self::Folded { frames, entry } => folded_in_words(frames, *entry),
        }
    }
}

/// What was called of some frames by the one that is next: the outermost that is a path, or else that has a name.
fn entry(frames: &[Frame]) -> Option<&Frame> {
    let outermost = |is: fn(&&Frame) -> bool| frames.iter().rev().find(is);
    outermost(|frame| frame.function.contains("::")).or_else(|| outermost(|frame| !frame.function.is_empty()))
}

/// How many frames, whose, and what was called of them: `4 frames of std, in std::thread::sleep`.
fn folded_in_words(frames: &[Frame], entry: Option<&Frame>) -> String {
    let mut whose: Vec<&str> = Vec::new();
    for name in frames.iter().filter_map(Frame::machinery) {
        if !whose.contains(&name) {
            whose.push(name);
        }
    }
    let whose = match whose.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    };
    let entry = entry.map_or_else(String::new, |frame| format!(", in {}", frame.name()));
    format!("{} frames of {whose}{entry}", frames.len())
}

impl Frame {
    /// The function by its path, without what it is generic over; empty where it is not known.
    pub fn name(&self) -> Cow<'_, str> {
        plain_name(&self.function)
    }

    /// Whose machinery it is, if it is any.
    pub fn machinery(&self) -> Option<&'static str> {
        if self.is_of_service() {
            return None;
        }
        let file = self.place.file.as_str();
        if file.starts_with("<rust>/") || file.starts_with("library/") {
            return Some("std");
        }
        if let Some(package) = file.strip_prefix("<cargo>/") {
            let package = package.split('/').next().unwrap_or_default();
            let name = package.rsplit_once('-').map_or(package, |(name, _)| name);
            return match name {
                "tokio" => Some("tokio"),
                "tracing" | "tracing-core" | "tracing-subscriber" => Some("tracing"),
                _ => None,
            };
        }
        let function = self.function.trim_start_matches('<');
        let of = |roots: &[&str]| roots.iter().any(|root| function.starts_with(root));
        if of(&["std::", "core::", "alloc::", "__rust_", "rust_"]) {
            Some("std")
        } else if of(&["tokio::"]) {
            Some("tokio")
        } else if of(&["tracing::", "tracing_core::", "tracing_subscriber::"]) {
            Some("tracing")
        } else if ["libc.so", "libc-", "libpthread", "ld-linux"].iter().any(|name| self.module.starts_with(name)) {
            Some("libc")
        } else {
            None
        }
    }
}

/// A function's name without type parameters: `<a::B<T> as c::D<E>>::f::<G>::{{closure}}` is `<a::B as c::D>::f::{closure}`.
/// A name of another kind, whose brackets are none, stays as it is.
pub fn plain_name(name: &str) -> Cow<'_, str> {
    if !name.contains(['<', '{']) {
        return name.into();
    }
    without_parameters(name).map_or(Cow::Borrowed(name), Cow::Owned)
}

/// `None` where the brackets do not match.
fn without_parameters(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    // Brackets that are open, of those that are kept; and of those inside of parameters.
    let (mut kept, mut dropped) = (0_usize, 0_usize);
    let mut before = ' ';
    for next in name.chars() {
        match next {
            '<' if dropped > 0 => dropped += 1,
            // What follows a name, or `::` with a name before it, are parameters; what begins a path is part of it.
            '<' if before.is_alphanumeric() || matches!(before, '_' | '}' | ':') => {
                dropped = 1;
                plain.truncate(plain.trim_end_matches("::").len());
            }
            '<' => {
                kept += 1;
                plain.push(next);
            }
            // The arrow of a function's type closes nothing.
            '>' if before == '-' => {
                if dropped == 0 {
                    plain.push(next);
                }
            }
            '>' if dropped > 0 => dropped -= 1,
            '>' => {
                kept = kept.checked_sub(1)?;
                plain.push(next);
            }
            _ if dropped > 0 => {}
            _ => plain.push(next),
        }
        before = next;
    }
    (kept == 0 && dropped == 0).then(|| plain.replace("{{", "{").replace("}}", "}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Place;

    #[test]
    fn names_keep_their_path_and_lose_their_parameters() {
        for (name, plain) in [
            ("echo::serve::{{closure}}", "echo::serve::{closure}"),
            ("main", "main"),
            (
                "tokio::runtime::task::core::Core<T,S>::poll::{{closure}}",
                "tokio::runtime::task::core::Core::poll::{closure}",
            ),
            (
                "with_mut<tokio::Stage<tracing::Instrumented<a::start::{async_block_env#0}>>, core::task::poll::Poll<()>>",
                "with_mut",
            ),
            ("<core::pin::Pin<P> as core::future::Future>::poll", "<core::pin::Pin as core::future::Future>::poll"),
            (
                "<alloc::boxed::Box<dyn FnOnce<(), Output = ()> + Send> as FnOnce<()>>::call_once",
                "<alloc::boxed::Box as FnOnce>::call_once",
            ),
            ("a::call::<fn(u8) -> Vec<u8>>::{{closure}}", "a::call::{closure}"),
            ("<fn(u8) -> u8 as a::B<C>>::go", "<fn(u8) -> u8 as a::B>::go"),
            (
                "core::ops::function::FnOnce::call_once{{vtable.shim}}",
                "core::ops::function::FnOnce::call_once{vtable.shim}",
            ),
            ("a::{closure#1}::{closure_env#0}<b::C>", "a::{closure#1}::{closure_env#0}"),
            // Not a name of Rust's, or cut off.
            ("operator<(int)", "operator<(int)"),
            ("a::b<c::d<e>", "a::b<c::d<e>"),
            ("a > b", "a > b"),
            ("", ""),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }

    fn frame(function: &str, file: &str, module: &str) -> Frame {
        let place = Place { file: file.into(), line: if file.is_empty() { 0 } else { 7 }, column: 0 };
        Frame { function: function.into(), place, module: module.into(), address: 1, offset: 0 }
    }

    fn lines(frames: Vec<Frame>) -> Vec<String> {
        Stack { frames, ..Stack::default() }.folded().iter().map(StackLine::in_words).collect()
    }

    #[test]
    fn machinery_is_one_line_and_says_how_it_was_entered() {
        let frames = vec![
            frame("clock_nanosleep", "./time/clock_nanosleep.c", "libc.so.6"),
            frame("std::sys::sleep", "<rust>/std/src/sys/thread.rs", "echo"),
            frame("std::thread::sleep", "<rust>/std/src/thread/mod.rs", "echo"),
            frame("echo::serve::{{closure}}", "src/serve.rs", "echo"),
            frame("<tracing::Instrumented<T> as Future>::poll", "<cargo>/tracing-0.1.44/src/instrument.rs", "echo"),
            frame("hyper::proto::poll", "<cargo>/hyper-1.0.0/src/proto.rs", "echo"),
            frame("tokio::task::poll", "<cargo>/tokio-1.54.1/src/task.rs", "echo"),
            frame("__rust_try", "", "echo"),
            frame("tokio_postgres::run", "<cargo>/tokio-postgres-0.7.0/src/lib.rs", "echo"),
            frame("SSL_read", "", "libssl.so.3"),
            frame("std::sys::thread::start", "<rust>/std/src/sys/thread.rs", "echo"),
            frame("clone3", "", "libc.so.6"),
        ];
        assert_eq!(
            lines(frames),
            [
                "3 frames of libc and std, in std::thread::sleep",
                "echo::serve::{closure} at src/serve.rs:7",
                "<tracing::Instrumented as Future>::poll at <cargo>/tracing-0.1.44/src/instrument.rs:7",
                "hyper::proto::poll at <cargo>/hyper-1.0.0/src/proto.rs:7",
                "2 frames of tokio and std, in tokio::task::poll",
                "tokio_postgres::run at <cargo>/tokio-postgres-0.7.0/src/lib.rs:7",
                "SSL_read",
                "2 frames of std and libc",
            ]
        );
    }

    #[test]
    fn a_stack_of_machinery_alone_is_told_whole() {
        let frames = vec![frame("epoll_wait", "", "libc.so.6"), frame("std::thread::park", "", "echo")];
        assert_eq!(lines(frames), ["epoll_wait", "std::thread::park"]);
    }
}
