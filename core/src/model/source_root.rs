//! Frames of stacks, told in the terms of the rest: debug information names a file by the folder that it was compiled in, the
//! compiler's own locations by its path in the workspace. Where both name the same file, the folder is known, and left out.

use super::{PlaceId, Places};
use crate::update::{Frame, Stack};
use std::sync::Arc;

/// The folder that the service was compiled in, with a slash at its end, once it is known.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Root(Option<String>);

impl Root {
    /// Leaves the folder out of a stack's places.
    pub(super) fn relate(&mut self, stack: &mut Option<Arc<Stack>>, places: &Places) {
        let Some(stack) = stack.as_mut().map(Arc::make_mut) else { return };
        if self.0.is_none() {
            self.0 = stack.frames.iter().filter(|frame| frame.is_of_service()).find_map(|frame| root(frame, places));
        }
        let Some(root) = &self.0 else { return };
        for frame in &mut stack.frames {
            if let Some(inside) = frame.place.file.strip_prefix(root.as_str()) {
                frame.place.file = inside.to_owned();
            }
        }
    }
}

/// What stands before a path that is known without it.
fn root(frame: &Frame, places: &Places) -> Option<String> {
    let file = frame.place.file.as_str();
    let before = |known: &str| {
        let is_relative = !known.is_empty() && !known.starts_with(['/', '<']);
        let root =
            file.strip_suffix(known).filter(|root| is_relative && root.starts_with('/') && root.ends_with('/'))?;
        Some(root.to_owned())
    };
    (0..places.count()).find_map(|at| before(&places.get(PlaceId::from_index(at)).file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Place, SourcePlace};

    fn stack(files: &[&str]) -> Arc<Stack> {
        let frame =
            |file: &&str| Frame { place: Place { file: (*file).into(), line: 1, column: 1 }, ..Frame::default() };
        Arc::new(Stack { frames: files.iter().map(frame).collect(), ..Stack::default() })
    }

    fn files(stack: Option<&Arc<Stack>>) -> Vec<&str> {
        stack.iter().flat_map(|stack| stack.frames.iter().map(|frame| &*frame.place.file)).collect()
    }

    #[test]
    fn the_folder_of_the_service_is_learned_from_a_place_that_both_name() {
        let mut places = Places::default();
        for file in ["src/main.rs", "/abs/src/other.rs"] {
            places.intern(SourcePlace { file: file.into(), line: 7, column: 1 });
        }
        let mut root = Root::default();
        let mut unrelated = Some(stack(&["/srv/app/src/report.rs", "<rust>/std/src/main.rs"]));
        root.relate(&mut unrelated, &places);
        assert_eq!(files(unrelated.as_ref()), ["/srv/app/src/report.rs", "<rust>/std/src/main.rs"]);
        let mut both =
            Some(stack(&["<cargo>/x/src/main.rs", "/srv/app/src/report.rs", "/srv/app/src/main.rs", "/srv/other.rs"]));
        root.relate(&mut both, &places);
        assert_eq!(files(both.as_ref()), ["<cargo>/x/src/main.rs", "src/report.rs", "src/main.rs", "/srv/other.rs"]);
        root.relate(&mut None, &places);
    }
}
