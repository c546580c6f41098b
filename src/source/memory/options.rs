//! What the user may choose of how memory is read.

use std::{path::PathBuf, time::Duration};

/// How memory is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryOptions {
    /// A file with debug information, looked at first: of this build, or of another. The stacks of an agent's service are named by it, too.
    pub debug: Option<PathBuf>,
    /// A layout that was made of the executable's debug information.
    pub layout: Option<PathBuf>,
    /// The executable of a core file.
    pub executable: Option<PathBuf>,
    /// Which threads' stacks are read.
    pub stacks: Stacks,
    /// Whether memory is read beside what a service tells.
    pub beside: Beside,
    /// How long somebody waits for what is seen: looks come several times within it, whatever they cost.
    pub within: Option<Duration>,
}

/// Which threads' stacks are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stacks {
    /// Those of threads that sleep: nobody is stopped.
    #[default]
    Sleeping,
    /// Those of running threads as well, each of which is stopped for less than a millisecond.
    Stopping,
}

/// Whether the memory of a service of this machine is read beside what it tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beside {
    /// It is, where it may be.
    Allowed,
    /// It is not until somebody asks for it.
    OnRequest,
    /// It is not.
    #[default]
    Forbidden,
}
