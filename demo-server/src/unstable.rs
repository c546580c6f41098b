//! The parts of Tokio that exist only under `--cfg tokio_unstable`, each with what is done without it.
//!
//! `run` refuses to start without the flag, in words. These fallbacks are here so that such a build gets as far as saying so.

use std::{future::Future, io};

use tokio::{
    runtime::{Builder, Handle},
    task::AbortHandle,
};

/// Spawns a future on `handle` under a name that a console shows. The spawn location is the caller's.
#[track_caller]
pub(crate) fn spawn_named<F>(handle: &Handle, name: &str, future: F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    spawn_to_be_aborted(handle, name, future).map(drop)
}

/// The same, with what aborts it.
#[cfg(tokio_unstable)]
#[track_caller]
pub(crate) fn spawn_to_be_aborted<F>(handle: &Handle, name: &str, future: F) -> io::Result<AbortHandle>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::task::Builder::new().name(name).spawn_on(future, handle).map(|task| task.abort_handle())
}

/// The same, with what aborts it; without the flag a task has no name.
#[cfg(not(tokio_unstable))]
#[track_caller]
pub(crate) fn spawn_to_be_aborted<F>(handle: &Handle, _name: &str, future: F) -> io::Result<AbortHandle>
where
    F: Future<Output = ()> + Send + 'static,
{
    Ok(handle.spawn(future).abort_handle())
}

/// Spawns a future that need not be `Send` on the current `LocalSet`, under a name.
#[cfg(tokio_unstable)]
#[track_caller]
pub(crate) fn spawn_local_named<F>(name: &str, future: F) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    tokio::task::Builder::new().name(name).spawn_local(future).map(drop)
}

/// Spawns a future that need not be `Send` on the current `LocalSet`; without the flag a task has no name.
#[cfg(not(tokio_unstable))]
#[track_caller]
pub(crate) fn spawn_local_named<F>(_name: &str, future: F) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    drop(tokio::task::spawn_local(future));
    Ok(())
}

/// Lets a worker that has polled the I/O driver hand it on before it polls a task.
///
/// Without it, one task that never yields can take sockets and timers down with it when its worker was the one to poll
/// the driver: true to life, but then a scenario would show more than the trouble that it is named for.
pub(crate) fn hand_over_the_driver(builder: &mut Builder) {
    #[cfg(tokio_unstable)]
    builder.enable_eager_driver_handoff();
    #[cfg(not(tokio_unstable))]
    let _ = builder;
}

/// Makes the run queue first in, first out, by leaving out the slot for the task that was woken last.
pub(crate) fn first_in_first_out(builder: &mut Builder) {
    #[cfg(tokio_unstable)]
    builder.disable_lifo_slot();
    #[cfg(not(tokio_unstable))]
    let _ = builder;
}
