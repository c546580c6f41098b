//! Threads of the target, and stacks: of a thread, or of a future.

use super::{Place, Stamp};

/// A thread of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Thread {
    /// The system's id of it, 0 where that is not known.
    pub tid: u32,
    /// Its name, empty where it has none.
    pub name: String,
}

/// A thread's stack, or a future's.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Stack {
    /// Innermost first.
    pub frames: Vec<Frame>,
    /// Whether parts of it were guessed.
    pub approximate: bool,
    /// When it was captured.
    pub captured: Option<Stamp>,
    /// Why there are no frames, in words.
    pub limitation: String,
    /// The build id of the executable, where one was told.
    pub executable: Vec<u8>,
}

/// One frame of a stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Frame {
    /// The function, empty where it is not known.
    pub function: String,
    /// Where in the source, without a file where that is not known.
    pub place: Place,
    /// The file name of the module that it is in.
    pub module: String,
    /// The address in the process.
    pub address: u64,
    /// Where it is in the executable, as that was linked; 0 of one in a library, or where that was not told.
    pub offset: u64,
}

impl Stack {
    /// The innermost frame of the service's own code: past the standard library, the runtime and other dependencies.
    pub fn service_frame(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.is_of_service())
    }

    /// The frame that says most: the service's own, or else the innermost that is named.
    pub fn top(&self) -> Option<&Frame> {
        self.service_frame().or_else(|| self.frames.iter().find(|frame| !frame.function.is_empty()))
    }
}

impl Frame {
    /// Whether this is the service's own code, as far as its file tells: no dependency from a registry, and not the standard
    /// library.
    pub fn is_of_service(&self) -> bool {
        self.place.is_of_service()
    }

    /// The frame in words: its function and its place, as far as they are known.
    pub fn in_words(&self) -> String {
        let function = match (self.function.as_str(), self.module.as_str(), self.offset) {
            ("", "", _) => format!("{:#x}", self.address),
            ("", module, 0) => format!("{:#x} in {module}", self.address),
            ("", module, offset) => format!("{module}+{offset:#x}"),
            _ => self.name().into_owned(),
        };
        if self.place.file.is_empty() { function } else { format!("{function} at {}", self.place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::SourcePlace;

    fn frame(function: &str, file: &str) -> Frame {
        let place = Place::from(SourcePlace { file: file.into(), line: 7, column: 1 });
        Frame { function: function.into(), place, ..Frame::default() }
    }

    #[test]
    fn the_top_frame_is_the_services_own() {
        let frames = vec![
            Frame { module: "libc.so.6".into(), address: 0x7f00, ..Frame::default() },
            frame("std::thread::sleep", "/rustc/abc/library/std/src/thread/mod.rs"),
            frame("<core::pin::Pin<P> as Future>::poll", "/root/.rustup/lib/rustlib/src/rust/library/core/src/pin.rs"),
            frame("rand::random", "/srv/.cargo/registry/src/index-1f/rand-0.9/src/lib.rs"),
            frame("echo::report::render", "src/report.rs"),
            frame("echo::main", "src/main.rs"),
        ];
        let stack = Stack { frames, ..Stack::default() };
        assert_eq!(
            stack.service_frame().map(Frame::in_words).as_deref(),
            Some("echo::report::render at src/report.rs:7")
        );
        let foreign = Stack { frames: stack.frames[..3].to_vec(), ..Stack::default() };
        assert_eq!(foreign.service_frame(), None);
        assert_eq!(foreign.top().map(|frame| frame.function.as_str()), Some("std::thread::sleep"));
        assert_eq!(stack.frames[0].in_words(), "0x7f00 in libc.so.6");
        let stripped = Frame { module: "echo".into(), address: 0x5555_0000_1234, offset: 0x1234, ..Frame::default() };
        assert_eq!(stripped.in_words(), "echo+0x1234");
    }
}
