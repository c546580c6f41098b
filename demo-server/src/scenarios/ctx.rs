//! What a scenario is given when it is switched on: where to spawn, and when to stop.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::AbortHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    instrument::Seen,
    unstable::{spawn_named, spawn_to_be_aborted},
};

/// How long a scenario's tasks live.
#[derive(Debug)]
enum Lives {
    /// As long as the service's runtime.
    AsTheService,
    /// As long as what it was given is there.
    AsThis(Mutex<Vec<AbortHandle>>),
}

/// The service's runtime as a scenario sees it.
///
/// A scenario's tasks are not asked to stop: they are cut off with their runtime. A task that also waited for the
/// shutdown would always have one waker more than its trouble allows.
#[derive(Debug)]
pub struct Ctx {
    service: Handle,
    seen: Arc<Seen>,
    lives: Lives,
    pub(crate) shutdown: CancellationToken,
    own: Mutex<Vec<Runtime>>,
}

impl Ctx {
    pub(crate) fn new(service: Handle, seen: Arc<Seen>) -> Self {
        Self { service, seen, lives: Lives::AsTheService, shutdown: CancellationToken::new(), own: Mutex::default() }
    }

    /// One whose tasks are aborted when it is dropped.
    pub(crate) fn until_it_is_dropped(service: Handle, seen: Arc<Seen>) -> Self {
        let mut ctx = Self::new(service, seen);
        ctx.lives = Lives::AsThis(Mutex::default());
        ctx
    }

    /// Spawns a named task on the service's runtime, at the caller's line.
    #[track_caller]
    pub(super) fn spawn<F>(&self, name: &str, future: F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        match &self.lives {
            Lives::AsTheService => spawn_named(&self.service, name, future),
            Lives::AsThis(tasks) => {
                let task = spawn_to_be_aborted(&self.service, name, future)?;
                tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
                Ok(())
            }
        }
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
    /// Aborts what is to be aborted, and lets go of the scenarios' own runtimes, without waiting for any of their workers.
    fn drop(&mut self) {
        if let Lives::AsThis(tasks) = &mut self.lives {
            tasks.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|task| task.abort());
        }
        for runtime in self.own.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            runtime.shutdown_background();
        }
    }
}
