//! Who may look: an agent in a process of its own, a client over the real wire, and what each says to one whom it does not believe.
#![cfg(all(unix, tokio_unstable))]

#[path = "who/acts.rs"]
mod acts;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "who/captures.rs"]
mod captures;
#[path = "who/certificates.rs"]
mod certificates;
#[path = "who/found.rs"]
mod found;
#[allow(dead_code, reason = "each test binary uses a part of this")]
mod process;
#[path = "who/refuses.rs"]
mod refuses;
#[path = "who/service.rs"]
mod service;
#[path = "who/socket.rs"]
mod socket;
#[path = "who/tells.rs"]
mod tells;

use holdup::source::{Backoff, Connection, Credentials, Event, Options, Secret, Target, Token, open};
use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A token that may watch, and one that may act as well, in the way that its file says.
const READS: &str = "0123456789abcdef0123456789abcdef";
const ACTS: &str = "fedcba9876543210fedcba9876543210";

fn token(token: &str) -> Token {
    Token::Given(Secret::new(token.to_owned()))
}

/// What came of an attempt to watch.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// The whole state.
    State,
    /// It is not tried again, for this reason.
    GaveUp(String),
    /// It is tried again.
    Lost(String),
}

impl Came {
    #[track_caller]
    fn gave_up(self) -> String {
        match self {
            Self::GaveUp(reason) => reason,
            other => panic!("not given up: {other:?}"),
        }
    }
}

async fn watch(target: &str, credentials: Credentials) -> Came {
    let (first, cap) = (Duration::from_millis(10), Duration::from_millis(40));
    let backoff = Backoff::new(first, cap).expect("valid bounds");
    let options = Options { backoff, answer_timeout: PATIENCE, credentials, ..Options::default() };
    let mut link = open(target.parse::<Target>().expect("a target"), options);
    let came = async {
        loop {
            match link.events.recv().await.expect("the link goes on") {
                Event::Update(_) => break Came::State,
                Event::Connection(Connection::GaveUp { reason }) => break Came::GaveUp(reason),
                Event::Connection(Connection::Lost { reason, .. }) => break Came::Lost(reason),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, came).await.expect("an end in time")
}
