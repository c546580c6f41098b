//! What a scenario is given when it is switched on: where to spawn, and when to stop.

use std::{
    future::Future,
    io,
    sync::{Mutex, PoisonError},
};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::CancellationToken;

use crate::{instrument::Seen, unstable::spawn_named};

/// The service's runtime as a scenario sees it.
///
/// A scenario's tasks are not asked to stop: they are cut off with their runtime. A task that also waited for the
/// shutdown would always have one waker more than its trouble allows.
#[derive(Debug)]
pub struct Ctx {
    service: Handle,
    seen: Seen,
    pub(crate) shutdown: CancellationToken,
    own: Mutex<Vec<Runtime>>,
}

impl Ctx {
    pub(crate) fn new(service: Handle, seen: Seen) -> Self {
        Self { service, seen, shutdown: CancellationToken::new(), own: Mutex::default() }
    }

    /// Spawns a named task on the service's runtime, at the caller's line.
    #[track_caller]
    pub(super) fn spawn<F>(&self, name: &str, future: F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        spawn_named(&self.service, name, future)
    }

    /// The service's runtime.
    pub(super) fn service(&self) -> &Handle {
        &self.service
    }

    /// Gets a runtime of a scenario's own ready to be seen, as the service's is.
    pub(super) fn prepare(&self, builder: &mut Builder) {
        self.seen.prepare(builder);
    }

    /// Keeps a runtime that a scenario has built for itself until the process ends.
    pub(super) fn keep(&self, runtime: Runtime) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).push(runtime);
    }
}

impl Drop for Ctx {
    /// Lets go of the scenarios' own runtimes, without waiting for any of their workers.
    fn drop(&mut self) {
        for runtime in self.own.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            runtime.shutdown_background();
        }
    }
}
