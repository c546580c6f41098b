//! Reasons to stop, and waiting for one where no stuck worker can be in the way.

use std::{
    io::{self, Read},
    thread,
};

use tokio::sync::mpsc;

use crate::Error;

/// Why the server stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody asked for it: ctrl-c, SIGTERM, or the end of stdin.
    Asked,
    /// The console can no longer be served; the reason in words.
    ConsoleFailed(String),
}

/// Waits on the control runtime until a signal or a message says to stop.
pub(crate) async fn wait(mut told: mpsc::Receiver<Stop>) -> Result<Stop, Error> {
    let mut terminate = Terminate::new().map_err(Error::io("listen for SIGTERM"))?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(Error::io("listen for ctrl-c"))?;
            Ok(Stop::Asked)
        }
        () = terminate.recv() => Ok(Stop::Asked),
        Some(stop) = told.recv() => Ok(stop),
    }
}

/// Sends [`Stop::Asked`] when stdin ends, from a plain thread.
pub(crate) fn with_stdin(stop: mpsc::Sender<Stop>) -> Result<(), Error> {
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut ignored = [0; 256];
            let mut stdin = io::stdin().lock();
            loop {
                match stdin.read(&mut ignored) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
            // The receiver is gone only when the process is already stopping.
            let _ = stop.blocking_send(Stop::Asked);
        })
        .map_err(Error::io("start the thread that watches stdin"))?;
    Ok(())
}

#[cfg(unix)]
struct Terminate(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Terminate {
    fn new() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map(Self)
    }

    async fn recv(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
struct Terminate;

#[cfg(not(unix))]
impl Terminate {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn recv(&mut self) {
        std::future::pending().await
    }
}
