//! Why a process may not be read, in words, and what to type.

use super::{Error, live::gone, proc};

/// Why this process is refused.
pub(crate) fn refused(pid: u32) -> Error {
    if proc::text(&format!("/proc/{pid}/stat")).is_none() {
        return gone(pid);
    }
    Error::Rights(format!("process {pid} may not be read"))
}
