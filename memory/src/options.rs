//! What whoever opens a process may say: where debug information is, and whether what earlier looks have kept is used.

use crate::debug::Search;
use std::path::PathBuf;

/// Where debug information may come from, beside the objects themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// A file to look for it first: of this build or of another.
    pub debug: Option<PathBuf>,
    /// A layout that was made of it.
    pub layout: Option<PathBuf>,
    /// The executable of a core file.
    pub executable: Option<PathBuf>,
    /// What the user's cache has of earlier looks.
    pub kept: Kept,
}

/// What becomes of layouts that are kept for the next look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kept {
    /// They are used, and made where there are none.
    #[default]
    Used,
    /// They are left alone.
    Ignored,
}

impl Options {
    /// Where debug information is looked for: servers and what is kept are those of the user's environment.
    pub(crate) fn search(&self) -> Search {
        let environment = Search::of_environment();
        let cache = environment.cache.filter(|_| self.kept == Kept::Used);
        Search { debug: self.debug.clone(), layout: self.layout.clone(), cache, ..environment }
    }
}
