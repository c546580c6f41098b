//! What a task awaits, from its own future to where it ends.

use crate::update::Place;

/// What a task awaits: a tree of frames in the order of a walk from the outside in. Tasks that sleep in the same place share one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Chain {
    /// The frames; a frame's children follow it, one level deeper.
    pub frames: Vec<Frame>,
}

/// One future of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Frame {
    /// How deep it stands.
    pub depth: u16,
    /// What it is, for people: `orders::load`, `join!`, `Timeout<…>`.
    pub name: String,
    /// What it is.
    pub kind: FrameKind,
    /// Whether it is polled when its task is.
    pub reach: Reach,
    /// The line of the `.await` that it sleeps at, without a file where that is not known.
    pub place: Place,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum FrameKind {
    /// An async function, block or closure.
    Async,
    /// Several futures at once: `join!`, `select!`, `FuturesUnordered`.
    Several,
    /// A future around another: `Timeout`, `Box<dyn Future>`, `Instrumented`.
    Wrapper,
    /// Where it ends, in something that is waited for.
    Leaf,
    /// A future that was not gone into. Why, its name says.
    Opaque,
}

impl FrameKind {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Several => "several",
            Self::Wrapper => "wrapper",
            Self::Leaf => "leaf",
            Self::Opaque => "opaque",
        }
    }
}

/// Whether a frame is polled when its task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Reach {
    /// It is.
    Polled,
    /// It was started, is kept, and is not polled: while it has a lock, nobody gives that back.
    Held,
    /// A branch of a `select!` that is switched off.
    Disabled,
    /// It is inside of a future that is written by hand: nothing is known.
    Maybe,
}

impl Reach {
    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polled => "polled",
            Self::Held => "held",
            Self::Disabled => "disabled",
            Self::Maybe => "maybe",
        }
    }

    /// What is said of it on a screen; nothing of one that is polled.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Polled => "",
            Self::Held => "kept, not polled",
            Self::Disabled => "branch switched off",
            Self::Maybe => "may be polled",
        }
    }
}

impl Frame {
    /// Whether the service's author wrote it, as far as its file tells: no dependency, not the standard library, and not a
    /// future that has no place of its own.
    pub fn is_of_service(&self) -> bool {
        self.kind == FrameKind::Async && (self.place.file.is_empty() || self.place.is_of_service())
    }

    /// Whether it was made and never polled.
    pub fn has_not_started(&self) -> bool {
        self.name.ends_with(NOT_STARTED)
    }

    /// Its name without the path before it.
    pub fn short(&self) -> String {
        super::super::plain_name(&self.name).into_owned()
    }
}

/// What stands behind the name of a future that was made and never polled.
const NOT_STARTED: &str = " (not started)";

impl Chain {
    /// Whether this is what a task awaits that was never polled: the outermost of its functions has not begun.
    pub fn has_not_started(&self) -> bool {
        let first = self.frames.iter().find(|frame| frame.kind == FrameKind::Async && frame.reach == Reach::Polled);
        first.is_some_and(Frame::has_not_started)
    }

    /// Whether every frame that is polled was gone into, so that nothing unknown could wake the task.
    pub fn is_whole(&self) -> bool {
        let unknown = |frame: &&Frame| frame.kind == FrameKind::Opaque || frame.reach == Reach::Maybe;
        !self.frames.is_empty() && self.frames.iter().find(unknown).is_none()
    }

    /// How far in each frame stands: one step for each that several futures hang from. A chain that does not fork is a list.
    pub fn indents(&self) -> Vec<u16> {
        let mut above: Vec<(u16, FrameKind)> = Vec::new();
        let indent = |frame: &Frame| {
            above.retain(|(depth, _)| *depth < frame.depth);
            let indent = above.iter().filter(|(_, kind)| *kind == FrameKind::Several).count() as u16;
            above.push((frame.depth, frame.kind));
            indent
        };
        self.frames.iter().map(indent).collect()
    }

    /// The innermost frame of the service's own on the way to a frame, that frame included; where there is none, the outermost
    /// on that way.
    pub fn service_frame(&self, to: usize) -> Option<&Frame> {
        let mut depth = self.frames.get(to)?.depth.saturating_add(1);
        let mut outermost = None;
        for frame in self.frames.get(..=to)?.iter().rev() {
            if frame.depth < depth {
                depth = frame.depth;
                if frame.is_of_service() && !frame.place.file.is_empty() {
                    return Some(frame);
                }
                outermost = Some(frame);
            }
        }
        outermost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(depth: u16, name: &str, kind: FrameKind, file: &str) -> Frame {
        let place = Place { file: file.into(), line: 7, column: 0 };
        Frame { depth, name: name.into(), kind, reach: Reach::Polled, place }
    }

    #[test]
    fn the_frame_that_says_most_is_the_innermost_of_the_service() {
        let frames = vec![
            frame(0, "orders::serve", FrameKind::Async, "src/main.rs"),
            frame(1, "select!", FrameKind::Several, ""),
            frame(2, "orders::other", FrameKind::Async, "src/other.rs"),
            frame(2, "orders::load", FrameKind::Async, "src/store.rs"),
            frame(3, "sqlx::acquire", FrameKind::Async, "<cargo>/sqlx-0.8/src/pool.rs"),
            frame(4, "Acquire", FrameKind::Leaf, ""),
        ];
        let chain = Chain { frames };
        assert_eq!(chain.service_frame(5).map(|frame| frame.name.as_str()), Some("orders::load"));
        assert_eq!(chain.service_frame(0).map(|frame| frame.name.as_str()), Some("orders::serve"));
        assert_eq!(chain.service_frame(9), None);
        assert_eq!(chain.indents(), [0, 0, 1, 1, 1, 1]);
        assert!(chain.is_whole() && !Chain::default().is_whole());
    }

    #[test]
    fn what_has_not_started_is_known_by_its_outermost_function() {
        let chain = |names: [&str; 2]| {
            let boxed = frame(0, "Box<dyn Future>", FrameKind::Wrapper, "");
            let [outer, inner] = names;
            let frames = vec![boxed, frame(1, outer, FrameKind::Async, ""), frame(2, inner, FrameKind::Async, "")];
            Chain { frames }
        };
        assert!(chain(["orders::serve (not started)", "orders::load (not started)"]).has_not_started());
        assert!(!chain(["orders::serve", "orders::load (not started)"]).has_not_started());
        assert!(!Chain::default().has_not_started());
    }

    #[test]
    fn a_chain_with_an_unknown_part_is_not_whole() {
        let opaque = frame(0, "dyn Future", FrameKind::Opaque, "");
        assert!(!Chain { frames: vec![opaque] }.is_whole());
        let by_hand = Frame { reach: Reach::Maybe, ..frame(0, "Service", FrameKind::Wrapper, "") };
        assert!(!Chain { frames: vec![by_hand] }.is_whole());
    }
}
