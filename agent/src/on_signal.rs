//! Writes everything that is known as text when the process gets a signal that the service has chosen: to a file, or to stderr.
//!
//! The handler writes one byte into a socket; a thread of its own does the rest, one signal at a time. What comes meanwhile is one more.

use crate::{
    collect::thread_state::hide,
    settings::Signal,
    stalls::record::Stalls,
    text::{self, Teller},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// So much is written at once.
const BUFFER: usize = 64 << 10;

/// The thread, which ends when this is dropped. The signal has no other effect from then on, either.
#[derive(Debug)]
pub(crate) struct OnSignal {
    #[cfg(unix)]
    signals: signal_hook::iterator::Handle,
}

#[cfg(unix)]
impl OnSignal {
    pub(crate) fn start(
        signal: Signal,
        file: Option<PathBuf>,
        teller: Teller,
        stalls: &Arc<Stalls>,
    ) -> io::Result<Self> {
        let mut signals = signal_hook::iterator::Signals::new([number(signal)])?;
        let handle = signals.handle();
        let stalls = Arc::clone(stalls);
        std::thread::Builder::new().name("holdup-state".into()).spawn(move || {
            hide();
            for _ in signals.forever() {
                if let Err(error) = write(file.as_deref(), &teller, &stalls) {
                    // Where stderr is what cannot be written to there is nobody to tell.
                    let _ = writeln!(io::stderr(), "holdup: the state could not be written: {error}");
                }
            }
        })?;
        Ok(Self { signals: handle })
    }
}

#[cfg(unix)]
impl Drop for OnSignal {
    fn drop(&mut self) {
        self.signals.close();
    }
}

#[cfg(unix)]
fn number(signal: Signal) -> i32 {
    use signal_hook::consts::{SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    match signal {
        Signal::Hup => SIGHUP,
        Signal::Quit => SIGQUIT,
        Signal::Usr1 => SIGUSR1,
        Signal::Usr2 => SIGUSR2,
    }
}

#[cfg(unix)]
fn write(file: Option<&Path>, teller: &Teller, stalls: &Stalls) -> io::Result<()> {
    let to = file.map_or_else(stderr, |path| OpenOptions::new().create(true).append(true).open(path))?;
    let mut out = BufWriter::with_capacity(BUFFER, to);
    text::whole(&mut out, teller, stalls)?;
    out.flush()
}

/// Not by the handle that the service prints with: whoever prints would wait until all of it is written.
#[cfg(unix)]
fn stderr() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    io::stderr().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(not(unix))]
impl OnSignal {
    pub(crate) fn start(_: Signal, _: Option<PathBuf>, _: Teller, _: &Arc<Stalls>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
