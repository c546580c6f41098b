//! One connection's life: subscribe, deliver, carry out commands, until it ends.
//!
//! The loop waits for everything at once and for nothing alone. What it has to tell goes to the [`Outbox`] first, and while
//! that is not empty it reads no more from the target: a consumer that is slow slows the target's stream down,
//! through the bounded channel, the outbox, and HTTP/2's windows, and memory stays bounded.

use super::{
    Options, calls,
    failure::Failure,
    outbox::Outbox,
    reconnect::{Connect, Ended, LinkEnds, Serve},
    stream::{Format, Updates},
    transport::{self, Transport},
};
use crate::{
    source::Target,
    update::{Begin, Part, Process},
};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

/// How often a message under way is shown: its unfinished page, and how far it has come.
const SHOWING: Duration = Duration::from_millis(100);

/// Answers of calls that wait to be taken.
const ANSWERS: usize = 16;

/// The capability of an agent that tells everything in one stream.
const EVERYTHING: &str = "tasks";

/// Connects to one target.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) target: Target,
    pub(super) options: Options,
}

impl Connect for Connector {
    type Established = Established;

    /// One request after the other: over a slow link, the answer to the first would stand in line behind the first state.
    /// The target is no agent if it says so. One that says nothing is asked again: an agent that is taken for a console would
    /// have things inferred of it that it would have told.
    async fn connect(&mut self) -> Result<Established, Failure> {
        let transport = transport::connect(&self.target, &self.options).await?;
        let waited = self.options.answer_timeout;
        let no_answer = |_| Failure::NoAnswer { target: self.target.short(), waited };
        let process = timeout(waited, calls::describe(transport.clone())).await.map_err(no_answer)??;
        let format = format(process.as_ref());
        let updates = timeout(waited, Updates::open(transport.clone(), format, self.options.max_message)).await;
        let updates = updates.map_err(no_answer)??;
        Ok(Established { transport, updates, format, process, options: self.options.clone() })
    }
}

/// What an agent that tells everything is asked for; one that is older is read as the console that it also is.
fn format(process: Option<&Process>) -> Format {
    let tells_all = process.is_some_and(|process| process.capabilities.iter().any(|name| name == EVERYTHING));
    if tells_all { Format::Holdup } else { Format::Console }
}

/// A connection that answered.
#[derive(Debug)]
pub(super) struct Established {
    transport: Transport,
    updates: Updates,
    format: Format,
    process: Option<Process>,
    options: Options,
}

impl Serve for Established {
    fn begin(&self, epoch: u64) -> Begin {
        match (self.format, self.process.clone()) {
            (Format::Holdup, process) => Begin::agent(epoch, process.unwrap_or_default()),
            (Format::Console, Some(process)) => Begin::older_agent(epoch, process),
            (Format::Console, None) => Begin::console(epoch),
        }
    }

    async fn serve(mut self, ends: &mut LinkEnds) -> Ended {
        let (answers, mut answered) = mpsc::channel(ANSWERS);
        let mut outbox = Outbox::open(self.transport.clone(), self.format, &self.options, answers);
        let mut delivered = 0;
        let mut pages = Vec::new();
        let mut is_showing = false;
        let mut showing = interval(SHOWING);
        showing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_room = outbox.has_room();
            let has_news = self.updates.progress().is_some() || outbox.has_news();
            // A message that is here within one period is not shown in pieces.
            if has_news && !is_showing {
                showing.reset();
            }
            is_showing = has_news;
            tokio::select! {
                permit = ends.events.reserve(), if !outbox.is_empty() => match (permit, outbox.pop()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    // Nobody listens any more.
                    _ => return Ended { delivered, failure: Failure::Ended },
                },
                Some(command) = ends.commands.recv(), if has_room => outbox.carry_out(command),
                Some(answer) = answered.recv(), if has_room => outbox.take_answer(answer),
                next = self.updates.next(&mut pages), if outbox.is_empty() => {
                    for page in pages.drain(..) {
                        delivered += u64::from(page.part == Part::Last);
                        outbox.tell_page(page);
                    }
                    if let Err(failure) = next {
                        outbox.flush(ends).await;
                        return Ended { delivered, failure };
                    }
                }
                _ = showing.tick(), if is_showing && has_room => outbox.show(&mut self.updates),
            }
        }
    }
}
