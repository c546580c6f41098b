//! What can keep the server from starting or running, in words that say what to try next.

use std::{io, net::SocketAddr};

/// Why the server could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Built without `--cfg tokio_unstable`: Tokio would emit nothing to look at.
    #[error(
        "this binary was built without Tokio's instrumentation, so there would be nothing to see. Build it inside the \
         workspace, whose .cargo/config.toml sets the flag, or set RUSTFLAGS=\"--cfg tokio_unstable\""
    )]
    NotInstrumented,

    /// The address of the echo service or of the console could not be bound.
    #[error(
        "cannot listen for {service} on {addr}: {source}. Is another server running there? Stop it, or choose another \
         address with {flag}; port 0 picks a free one"
    )]
    Bind {
        /// What would have listened: `echo clients` or `the console`.
        service: &'static str,
        /// The address that was asked for.
        addr: SocketAddr,
        /// The option that changes the address.
        flag: &'static str,
        /// What the operating system said.
        source: io::Error,
    },

    /// The `--log` filter, or `RUST_LOG`, is not one.
    #[error("the log filter {filter:?} is not valid: {reason}. Try `info`, or `demo_server=debug`")]
    LogFilter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The process has a `tracing` subscriber already, so that the console would see nothing.
    #[error("cannot install the console in this process: {0}")]
    Subscriber(#[from] tracing_subscriber::util::TryInitError),

    /// The agent could not start.
    #[error("cannot start the agent: {0}")]
    Agent(#[from] holdup_agent::Error),

    /// The console stopped serving.
    #[error("the console stopped: {0}")]
    Console(String),

    /// The operating system refused something that the server cannot do without.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, as in "cannot …".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: says what was tried when the operating system refused it.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
