//! Names functions of an executable by its build id: the crate `holdup-memory`, where it is written for this system.

use super::MemoryOptions;
use crate::update::Frame;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod here {
    use super::{Frame, MemoryOptions};
    use crate::source::memory::convert;
    use holdup_memory::{debug::Search, thread::Functions};

    /// Whoever knows names.
    #[derive(Debug)]
    pub(in crate::source) struct Naming(Functions);

    impl Naming {
        /// From the file that the user names, what is on this machine, and servers that the environment names.
        pub(in crate::source) fn new(options: &MemoryOptions) -> Self {
            Self(Functions::new(Search { debug: options.debug.clone(), ..Search::of_environment() }))
        }

        /// The functions at each of these offsets, innermost first. It may take long.
        pub(in crate::source) fn name(&mut self, executable: &[u8], offsets: &[u64]) -> Vec<Vec<Frame>> {
            let named = self.0.name(executable, offsets);
            named.iter().map(|frames| frames.iter().map(convert::stack_frame).collect()).collect()
        }
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod here {
    use super::{Frame, MemoryOptions};

    /// Nobody knows any here.
    #[derive(Debug)]
    pub(in crate::source) struct Naming;

    impl Naming {
        pub(in crate::source) fn new(_: &MemoryOptions) -> Self {
            Self
        }

        pub(in crate::source) fn name(&mut self, _: &[u8], _: &[u64]) -> Vec<Vec<Frame>> {
            Vec::new()
        }
    }
}

pub(in crate::source) use here::Naming;
