//! What looks at a process: the crate `holdup-memory`, where it is written for this system.

use super::{MemoryOptions, Stacks, Whose, names};
use crate::update::look::Who;
use holdup_memory::{Look, Values};

/// Whatever can look at a process.
pub(super) trait Looks {
    /// Looks at it.
    fn look(&mut self, stacks: Stacks) -> Result<Look, Failure>;

    /// Reads what the frames of a task have, or of a thread's own future.
    fn values(&mut self, of: Who) -> Result<Values, Failure>;
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

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod here {
    use super::{Failure, Looks, MemoryOptions, Stacks, Values, Who, Whose, names};
    use holdup_memory::{Look, Options, Reader, Wants};

    impl Looks for Reader {
        fn look(&mut self, stacks: Stacks) -> Result<Look, Failure> {
            let stacks = match stacks {
                Stacks::Sleeping => holdup_memory::Stacks::Sleeping,
                Stacks::Stopping => holdup_memory::Stacks::Stopping,
            };
            Self::look(self, &Wants { stacks }).map_err(failure)
        }

        fn values(&mut self, of: Who) -> Result<Values, Failure> {
            let told = match of {
                Who::Task(task) => Self::values(self, task.get()),
                Who::Root(thread) => self.root_values(thread),
                Who::Unknown => {
                    let (of, unread) = (holdup_memory::Who::Unknown, "it is not known whose they are".into());
                    return Ok(Values { of, frames: Vec::new(), unread });
                }
            };
            told.map_err(failure)
        }
    }

    pub(in crate::source::memory) fn open(whose: &Whose, options: &MemoryOptions) -> Result<Reader, Failure> {
        let given = Options {
            debug: options.debug.clone(),
            layout: options.layout.clone(),
            executable: options.executable.clone(),
            ..Options::default()
        };
        match whose {
            Whose::Pid(pid) => Reader::open(*pid, &given).map_err(failure),
            Whose::Name(name) => Reader::open(names::find(name)?, &given).map_err(failure),
            Whose::File(path) => Reader::core(path, &given).map_err(failure),
        }
    }

    fn failure(error: holdup_memory::bytes::Error) -> Failure {
        match error {
            holdup_memory::bytes::Error::Gone(said) => Failure::Gone(said),
            error => Failure::Refused(error.to_string()),
        }
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod here {
    use super::{Failure, Look, Looks, MemoryOptions, Stacks, Values, Who, Whose};

    /// Nobody can look here.
    pub(in crate::source::memory) enum Nobody {}

    impl Looks for Nobody {
        fn look(&mut self, _: Stacks) -> Result<Look, Failure> {
            match *self {}
        }

        fn values(&mut self, _: Who) -> Result<Values, Failure> {
            match *self {}
        }
    }

    pub(in crate::source::memory) fn open(_: &Whose, _: &MemoryOptions) -> Result<Nobody, Failure> {
        Err(Failure::Refused("a process's memory is read on Linux alone, on x86_64 and aarch64".into()))
    }
}

pub(super) use here::open;
