//! What a session is fed by. It asks the source for what the session wants, and no more often than makes sense.

use super::Link;
use crate::update::{Command, Event};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The shortest time between two pleas to catch up; a link sends no more than twenty a second.
const PLEA: Duration = Duration::from_millis(50);

/// A link, as the one who takes in its events sees it.
#[derive(Debug)]
pub struct Attachment {
    link: Link,
    /// When the source may be asked again.
    may_ask: Instant,
}

impl Attachment {
    /// Nothing was asked for yet.
    pub fn new(link: Link) -> Self {
        Self { link, may_ask: Instant::now() }
    }

    /// The next event; `None` when the link has ended. Meanwhile the source is asked for what the session wants. Nothing is lost
    /// when it is not waited for to its end.
    pub async fn next(&mut self, wants: Option<Command>) -> Option<Event> {
        loop {
            tokio::select! {
                biased;
                () = sleep_until(self.may_ask), if wants.is_some() => {
                    self.may_ask = Instant::now() + PLEA;
                    if let Some(command) = wants {
                        self.send(command);
                    }
                }
                event = self.link.events.recv() => return event,
            }
        }
    }

    /// An event that is there by now. Whether the link has ended is what [`Attachment::next`] tells.
    pub fn try_next(&mut self) -> Option<Event> {
        self.link.events.try_recv().ok()
    }

    /// Tells the source something. Never waits: a link with so much to do that it takes no more has enough to do.
    pub fn send(&self, command: Command) {
        let _ = self.link.commands.try_send(command);
    }
}
