//! What can keep the agent from starting, in words that say what to try next. Nothing of it stops the service: the caller
//! decides what an agent that is not there is worth.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why the agent could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Built without `--cfg tokio_unstable`: tokio emits nothing to look at.
    #[error(
        "this service was built without tokio's instrumentation, so there would be nothing to see. Build it with \
         RUSTFLAGS=\"--cfg tokio_unstable\", or put rustflags = [\"--cfg\", \"tokio_unstable\"] under [build] in \
         .cargo/config.toml; a RUSTFLAGS variable in the environment overrides that file"
    )]
    NotInstrumented,

    /// Built with a feature of `tracing` that takes tokio's spans out.
    #[error(
        "this service was built with a feature of tracing that takes spans of level TRACE out, and with them all that tokio tells, so there \
         would be nothing to see: drop max_level_… and release_max_level_… from the features of tracing, also where a dependency asks for them"
    )]
    CompiledOut,

    /// The process has a global `tracing` subscriber already.
    #[error(
        "this process has a global tracing subscriber already, so the agent would see nothing. Do not install that one: \
         hand it to holdup_agent::builder().with_subscriber(…), which keeps it and all of its layers working"
    )]
    SubscriberSet,

    /// The agent has been started in this process already.
    #[error(
        "the agent has been started in this process already; start it once, and keep what init() returned for as long as the service runs"
    )]
    Running,

    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. If another service listens there, choose another address with \
         HOLDUP_ADDR or .address(…); port 0 picks a free one"
    )]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },

    /// Other machines could come, and would have to show nothing.
    #[error(
        "{address} can be reached from other machines, and nothing would keep anybody out. Set HOLDUP_TLS_CERT and HOLDUP_TLS_KEY, \
         and what clients have to show: HOLDUP_TOKEN_FILE, or HOLDUP_TLS_CLIENT_CA. Or listen on 127.0.0.1, and go there by \
         ssh -L. Or, where everybody who reaches it may watch, HOLDUP_ADDR={address},insecure"
    )]
    Exposed {
        /// The address that was asked for.
        address: SocketAddr,
    },

    /// A Unix socket cannot be listened on.
    #[error("cannot listen on {}: {reason}", .path.display())]
    Socket {
        /// The path that was asked for.
        path: PathBuf,
        /// Why not, and what to try.
        reason: String,
    },

    /// The file that is to say where the agent listens cannot be written.
    #[error(
        "cannot write where the agent listens to {}: {source}. Choose another file with HOLDUP_ADDR_FILE or .address_file(…)",
        .path.display()
    )]
    AddressFile {
        /// The file that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A token or a certificate cannot be used.
    #[error("{what}: {reason}")]
    Access {
        /// The variable or the file. Never what is in it.
        what: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },

    /// An environment variable has a value that it cannot have.
    #[error("{name}={value:?} is not valid: {expected}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value, with what is not Unicode replaced.
        value: String,
        /// What it takes, as a phrase with an example.
        expected: &'static str,
    },

    /// The operating system refused something that the agent cannot do without.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, as in "cannot …".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn access(what: &str, reason: &str) -> Self {
        Self::Access { what: what.to_owned(), reason: reason.to_owned() }
    }

    /// For `map_err`: says what was tried when the operating system refused it.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
