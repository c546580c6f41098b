//! Reasons to stop, and waiting for one where no stuck worker can be in the way.

use std::{
    io::{self, BufRead as _},
    thread,
};

use tokio::sync::mpsc;

use crate::{Error, switches::Switches};

/// Why the server stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody asked for it: ctrl-c, SIGTERM, or the end of stdin.
    Asked,
    /// The console can no longer be served; the reason in words.
    ConsoleFailed(String),
}

/// Waits until a signal or a message says to stop.
pub(crate) async fn wait(mut signals: Signals, mut told: mpsc::Receiver<Stop>) -> Stop {
    tokio::select! {
        () = signals.recv() => Stop::Asked,
        Some(stop) = told.recv() => stop,
    }
}

/// Switches as the lines of stdin say, and sends [`Stop::Asked`] when it ends, from a plain thread.
pub(crate) fn with_stdin(stop: mpsc::Sender<Stop>, mut switches: Switches) -> Result<(), Error> {
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut line = Vec::new();
            let mut stdin = io::stdin().lock();
            // An interrupted read goes on by itself.
            while let Ok(1..) = stdin.read_until(b'\n', &mut line) {
                if let Ok(switch) = String::from_utf8_lossy(&line).parse() {
                    switches.obey(switch);
                }
                line.clear();
            }
            // The receiver is gone only when the process is already stopping.
            let _ = stop.blocking_send(Stop::Asked);
        })
        .map_err(Error::io("start the thread that watches stdin"))?;
    Ok(())
}

/// Ctrl-c and SIGTERM. They are caught from the moment that this exists, also while nobody awaits them.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Catches them for the current runtime, which has to be entered.
    pub(crate) fn catch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn recv(&mut self) {
        tokio::select! {
            Some(()) = self.interrupt.recv() => {}
            Some(()) = self.terminate.recv() => {}
            else => std::future::pending().await,
        }
    }
}

/// Ctrl-c, caught from the moment that this exists, also while nobody awaits it.
#[cfg(windows)]
pub(crate) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Catches it for the current runtime, which has to be entered.
    pub(crate) fn catch() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn recv(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
