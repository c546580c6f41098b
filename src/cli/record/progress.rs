//! What is said while it is recorded, on stderr, where that is a terminal; and at the end.

use super::keeping::{Keeping, Kept};
use crate::{
    number::{humanize, humanize_bytes},
    report::text::plain,
    session::Session,
    update::Connection,
};
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

pub(super) struct Progress {
    is_shown: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal() }
    }

    /// How far it is.
    pub(super) fn say(&self, at: Duration, session: &Session, keeping: &Keeping) {
        if !self.is_shown {
            return;
        }
        let tally = session.engine().tally();
        let doing = match (keeping.rang(), keeping.waits()) {
            (Some(lint), _) => format!("keeps what surrounds {lint}"),
            (None, true) => "waits for an alarm".to_owned(),
            (None, false) => humanize_bytes(keeping.bytes()),
        };
        let connected = match &session.status().connection {
            Connection::Live => String::new(),
            Connection::Connecting { .. } => ", connecting".to_owned(),
            Connection::Lost { reason, .. } | Connection::GaveUp { reason } => format!(", not connected: {reason}"),
        };
        let findings = tally.all();
        let line = format!(
            "{}, {} tasks, {findings} findings, {doing}{connected}",
            humanize(Duration::from_secs(at.as_secs())),
            session.model().counts().live
        );
        // Nobody who cannot be told needs to be.
        let _ = write!(io::stderr(), "\r\x1b[K{}", plain(&line));
    }

    /// What was kept.
    pub(super) fn over(&self, kept: &Kept) {
        let clear = if self.is_shown { "\r\x1b[K" } else { "" };
        let said = match kept.files.as_slice() {
            [] => "nothing rang, and nothing was kept".to_owned(),
            [(path, size)] => format!("{}, {}", path.display(), humanize_bytes(*size)),
            [(first, _), .., (last, _)] => format!(
                "{} files from {} to {}, {}",
                kept.files.len(),
                first.display(),
                last.display(),
                humanize_bytes(kept.files.iter().map(|(_, size)| size).sum())
            ),
        };
        let _ = writeln!(io::stderr(), "{clear}recorded for {}: {said}", humanize(kept.lasted));
    }
}
