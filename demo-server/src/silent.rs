//! Threads and runtimes that a console does not see: all but the service's own.

use tokio::runtime::{Builder, Runtime};
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use crate::Error;

/// Silences the current thread until the guard is dropped: what it spawns and awaits then is not instrumented.
pub(crate) fn here() -> DefaultGuard {
    tracing::subscriber::set_default(NoSubscriber::default())
}

/// A current-thread runtime of which a console sees nothing, for use on a thread that is silent as well.
/// `action` is what cannot be done without it, for the error: "build the runtime of …".
pub(crate) fn runtime(action: &'static str) -> Result<Runtime, Error> {
    let _silent = here();
    Builder::new_current_thread().enable_io().enable_time().build().map_err(Error::io(action))
}
