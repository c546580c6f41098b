//! Try, deliver, lose, wait, try again: the life of a link. Where trying again cannot help it gives up, until it is told to
//! try all the same. What was watched once may be there again, whatever answers in its place for a while (a proxy, while the
//! service is deployed): that is never given up.
//!
//! What a connection is made of is not this module's business: it is generic over [`Connect`] and [`Serve`], so that its
//! tests are about time and order alone.

use super::{Backoff, failure::Failure};
use crate::{
    source::chance::chance,
    update::{Begin, Command, Connection, Event},
};
use std::{
    future::{Future, pending},
    pin::pin,
};
use tokio::{sync::mpsc, time::sleep};

/// The link's ends as its task holds them.
#[derive(Debug)]
pub(super) struct LinkEnds {
    pub(super) events: mpsc::Sender<Event>,
    pub(super) commands: mpsc::Receiver<Command>,
}

/// Makes connections, one at a time.
pub(super) trait Connect: Send {
    type Established: Serve;

    /// Connects and subscribes.
    fn connect(&mut self) -> impl Future<Output = Result<Self::Established, Failure>> + Send;
}

/// A connection.
pub(super) trait Serve: Send {
    /// Who is at its other end, and what can be told from there.
    fn begin(&self, epoch: u64) -> Begin;

    /// Delivers, and carries out commands, until it ends.
    fn serve(self, ends: &mut LinkEnds) -> impl Future<Output = Ended> + Send;
}

/// What a connection came to.
#[derive(Debug)]
pub(super) struct Ended {
    /// How many updates were delivered to their end.
    pub(super) delivered: u64,
    /// Why it ended.
    pub(super) failure: Failure,
}

/// Runs until nobody listens any more, and then ends at once, wherever it is.
pub(super) async fn run(connect: impl Connect, backoff: Backoff, ends: LinkEnds) {
    let listener = ends.events.clone();
    tokio::select! {
        () = listener.closed() => {}
        _ = keep_connected(connect, backoff, ends) => {}
    }
}

/// Nobody listens any more.
struct Unheard;

async fn keep_connected(mut connect: impl Connect, backoff: Backoff, mut ends: LinkEnds) -> Result<(), Unheard> {
    let (mut epoch, mut failures, mut was_watched) = (0, 0, false);
    loop {
        let attempt = failures + 1;
        ends.tell(Event::Connection(Connection::Connecting { attempt })).await?;
        let failure = match ends.refuse_while(connect.connect()).await? {
            Err(failure) => failure,
            Ok(established) => {
                epoch += 1;
                ends.tell(Event::Begin(Box::new(established.begin(epoch)))).await?;
                ends.tell(Event::Connection(Connection::Live)).await?;
                let ended = established.serve(&mut ends).await;
                if ended.delivered > 0 {
                    failures = 0;
                    was_watched = true;
                }
                ended.failure
            }
        };
        let reason = failure.to_string();
        if failure.is_final() && !was_watched {
            tracing::info!(%reason, "the connection is given up");
            ends.tell(Event::Connection(Connection::GaveUp { reason })).await?;
            ends.refuse_until_retry(pending()).await?;
            failures = 0;
            continue;
        }
        failures = failures.saturating_add(1);
        // Who has no room for us has it no sooner for being asked.
        let waits = if failure.is_of_load() { u32::MAX } else { failures };
        let retry_in = backoff.wait(waits, &mut chance());
        tracing::info!(%reason, ?retry_in, "the connection is lost");
        let lost = Connection::Lost { reason, retry_in, attempt: failures };
        ends.tell(Event::Connection(lost)).await?;
        ends.refuse_until_retry(sleep(retry_in)).await?;
    }
}

impl LinkEnds {
    async fn tell(&self, event: Event) -> Result<(), Unheard> {
        self.events.send(event).await.map_err(|_| Unheard)
    }

    /// Answers commands while there is no connection.
    async fn refuse_while<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Unheard> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                Some(command) = self.commands.recv() => self.refuse(command).await?,
            }
        }
    }

    /// The same, until it is time to try again or the user says that it is.
    async fn refuse_until_retry(&mut self, time: impl Future<Output = ()>) -> Result<(), Unheard> {
        let mut time = pin!(time);
        loop {
            tokio::select! {
                () = &mut time => return Ok(()),
                Some(command) = self.commands.recv() => match command {
                    Command::RetryNow => return Ok(()),
                    command => self.refuse(command).await?,
                },
            }
        }
    }

    async fn refuse(&self, command: Command) -> Result<(), Unheard> {
        let reason = "there is no connection".to_owned();
        match command {
            Command::WatchTask(task) => self.tell(Event::DetailsUnavailable { task, reason }).await,
            Command::PauseTarget | Command::ResumeTarget | Command::CaptureStacks => {
                self.tell(Event::CommandFailed { command, reason }).await
            }
            Command::CatchUp
            | Command::UnwatchTask
            | Command::RetryNow
            | Command::StopForStacks
            | Command::ReadValues(_)
            | Command::LeaveValues
            | Command::ToggleMemory => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
