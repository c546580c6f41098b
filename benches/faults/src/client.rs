//! A client without a screen.

use crate::rows::{Rows, rows};
use holdup::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    source::{self, Attachment, Backoff, Options, Target},
    update::Stamp,
};
use std::{net::SocketAddr, time::Duration};

/// A session with what feeds it.
pub struct Client {
    session: Session,
    attachment: Attachment,
}

impl Client {
    /// Begins to watch what is at this address.
    pub fn attach(to: SocketAddr) -> Self {
        let target = Target::Tcp { host: to.ip().to_string(), port: to.port() };
        // Soon again, for the sake of whoever waits for many rounds.
        let soon = Backoff::new(Duration::from_millis(50), Duration::from_millis(400));
        let options = Options { backoff: soon.unwrap_or_default(), ..Options::default() };
        let session = Session::new(&Settings::default(), Retention::default());
        Self { session, attachment: Attachment::new(source::open(target, options)) }
    }

    /// Takes in what comes, until an update is whole: as of when. `None` where no more will come.
    pub async fn update(&mut self) -> Option<Stamp> {
        loop {
            let event = self.attachment.next(self.session.wants()).await?;
            self.session.apply(event);
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

    /// What it knows of everything that lives.
    pub fn rows(&self) -> Rows {
        rows(self.session.model())
    }
}
