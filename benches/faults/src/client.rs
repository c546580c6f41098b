//! A client without a screen.

use crate::rows::{Rows, rows};
use holdup::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    source::{self, Attachment, Backoff, Credentials, Options, Target},
    update::{Connection, Stamp},
};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

/// A session with what feeds it.
pub struct Client {
    session: Session,
    attachment: Attachment,
    reasons: BTreeSet<String>,
}

impl Client {
    /// Begins to watch what is at this address.
    pub fn attach(to: SocketAddr) -> Self {
        Self::watch(Target::Tcp { host: to.ip().to_string(), port: to.port() }, Credentials::default())
    }

    /// The same by TLS, where whoever is there must show and is shown this.
    pub fn attach_by_tls(to: SocketAddr, credentials: Credentials) -> Self {
        Self::watch(Target::Tls { host: to.ip().to_string(), port: to.port() }, credentials)
    }

    fn watch(target: Target, credentials: Credentials) -> Self {
        // Soon again, for the sake of whoever waits for many rounds.
        let soon = Backoff::new(Duration::from_millis(50), Duration::from_millis(400));
        let options = Options { backoff: soon.unwrap_or_default(), credentials, ..Options::default() };
        let session = Session::new(&Settings::default(), Retention::default());
        Self { session, attachment: Attachment::new(source::open(target, options)), reasons: BTreeSet::new() }
    }

    /// Takes in what comes, until an update is whole: as of when. `None` where no more will come.
    pub async fn update(&mut self) -> Option<Stamp> {
        loop {
            let event = self.attachment.next(self.session.wants()).await?;
            self.session.apply(event);
            if let Connection::Lost { reason, .. } | Connection::GaveUp { reason } = &self.session.status().connection
                && !self.reasons.contains(reason)
            {
                self.reasons.insert(reason.clone());
            }
            let model = self.session.model();
            if model.changes().complete {
                return model.now();
            }
        }
    }

    /// What it has been told.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Why it lost its connections, in its own words.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().map(String::as_str)
    }

    /// What it knows of everything that lives.
    pub fn rows(&self) -> Rows {
        rows(self.session.model())
    }
}
