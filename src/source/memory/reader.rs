//! What looks at a process: the crate `holdup-memory`, where it is written for this system.

use super::{MemoryOptions, Stacks, Whose, names};
use holdup_memory::Look;

/// Whatever can look at a process.
pub(super) trait Looks {
    /// Looks at it.
    fn look(&mut self, stacks: Stacks) -> Result<Look, Failure>;
}

/// Why a process is not looked at, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// There is none, or it has ended.
    #[error("{0}")]
    Gone(String),
    /// It may not be, or cannot be. What to type is in the text.
    #[error("{0}")]
    Refused(String),
}

/// Nobody can look here.
pub(super) enum Nobody {}

impl Looks for Nobody {
    fn look(&mut self, _: Stacks) -> Result<Look, Failure> {
        match *self {}
    }
}

pub(super) fn open(whose: &Whose, _: &MemoryOptions) -> Result<Nobody, Failure> {
    if let Whose::Name(name) = whose {
        names::find(name)?;
    }
    Err(Failure::Refused("this version cannot read a process's memory on this system".into()))
}
