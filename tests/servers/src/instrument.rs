//! What lets a service be seen, set up as its documentation says.

use crate::Result;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Instrument {
    /// Its memory, with nothing built in.
    None,
    Console,
    Agent,
}

impl Instrument {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "console" => Some(Self::Console),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }

    #[cfg(not(feature = "seen"))]
    pub(crate) fn start(self) -> Result<Seen> {
        match self {
            Self::None => Ok(Seen::default()),
            Self::Console | Self::Agent => Err("this is built without `--features seen`".into()),
        }
    }

    #[cfg(feature = "seen")]
    pub(crate) fn start(self) -> Result<Seen> {
        match self {
            Self::None => Ok(Seen::default()),
            Self::Console => seen::console(),
            Self::Agent => seen::agent(),
        }
    }
}

/// What sees the service, for as long as this is kept.
#[derive(Default)]
pub(crate) struct Seen {
    at: Option<std::net::SocketAddr>,
    #[cfg(feature = "seen")]
    _agent: Option<holdup_agent::Agent>,
}

impl Seen {
    /// Where the console is, as a target; empty without one.
    pub(crate) fn console(&self) -> String {
        self.at.map(|at| format!("http://{at}")).unwrap_or_default()
    }
}

#[cfg(feature = "seen")]
mod seen {
    use super::{Result, Seen};
    use console_subscriber::ConsoleLayer;
    use std::{
        net::{Ipv4Addr, TcpListener},
        time::Duration,
    };
    use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

    /// At its default of a second it falls behind whatever has more than 127 events in it, which is so few that any load does: that
    /// is known, and `lagging-target` says it.
    const PUBLISH_INTERVAL: Duration = Duration::from_millis(50);
    /// It has 50 KB for each task that has ended, and an hour of them by default.
    const RETENTION: Duration = Duration::from_secs(30);

    pub(super) fn console() -> Result<Seen> {
        // It does not tell which port it was given: a free one is let go of for it.
        let at = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let builder = ConsoleLayer::builder().server_addr(at);
        let console = builder.publish_interval(PUBLISH_INTERVAL).retention(RETENTION).spawn();
        // Without the log that `init` adds to it: stdout is for whoever waits until this is ready.
        tracing_subscriber::registry().with(console).init();
        Ok(Seen { at: Some(at), _agent: None })
    }

    pub(super) fn agent() -> Result<Seen> {
        let agent = holdup_agent::builder().address((Ipv4Addr::LOCALHOST, 0).into()).try_init()?;
        Ok(Seen { at: agent.address(), _agent: Some(agent) })
    }
}
