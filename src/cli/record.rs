//! `holdup record`: a session written to a file, without a terminal. What is kept of it is `keeping`'s business.

mod alarm;
mod keeping;
mod past;
mod progress;

pub(super) use keeping::{KeepError, is_free, make};
pub(super) use past::of_file;

use super::{Error, Outcome, args::RecordArgs, config::Config, log, watch};
use crate::{
    record::{self, Recorder, wall},
    session::Session,
    source::{self, Attachment},
    update::{Connection, Event},
};
use alarm::Alarm;
use keeping::{Keeping, Plan};
use progress::Progress;
use std::{future::Future, pin::pin, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// How often what was recorded is passed on, and what is said of it.
const TICK: Duration = Duration::from_millis(250);

/// Runs the subcommand: files are written, and what came of it is said on stderr.
pub(super) fn run(args: &RecordArgs, config: &Config) -> Result<Outcome, Error> {
    config.check_credentials()?;
    if args.past {
        return past::run(args, config);
    }
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let plan = Plan {
        path: args.output.clone(),
        target: config.target.to_string(),
        most: args.most.map(|most| most.0 as u64),
        alarm: args.on_finding.as_ref().map(|on| Alarm::new(on, args.before, args.after)),
    };
    let runtime = super::runtime()?;
    let result = runtime.block_on(record(args, config, plan, watch::asked_to_stop()));
    watch::keep(runtime);
    result.map(|()| Outcome::Done)
}

/// Records until it is over, somebody asks it to stop, or there is no room for more.
async fn record(args: &RecordArgs, config: &Config, plan: Plan, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let mut keeping = Keeping::begin(plan, wall())?;
    let mut attachment = Attachment::new(source::open(config.target.clone(), config.source()));
    let mut session = Session::new(&config.lints, config.retention());
    let mut recorder = Recorder::new();
    let progress = Progress::new();
    let began = Instant::now();
    // Until the first update this is how long is waited for it, and then how long is recorded.
    let mut until = Some(began + args.connect_timeout);
    let mut heard = None;
    let mut failure = None;
    // Since when there is no connection, and why it ended.
    let mut lost = None;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            () = sleep_until(until.unwrap_or(began)), if until.is_some() => break,
            // Before the events, of which there may always be a next one.
            _ = tick.tick() => {
                let at = began.elapsed();
                keeping.pass(&mut recorder, at, &session)?;
                progress.say(at, &session, &keeping);
            }
            event = attachment.next(session.wants()) => {
                let Some(event) = event else { break };
                match &event {
                    Event::Connection(Connection::Live) => lost = None,
                    Event::Connection(Connection::GaveUp { reason }) if heard.is_none() => {
                        keeping.discard();
                        let (target, reason) = (config.target.clone(), reason.clone());
                        return Err(watch::NotSeen::Unwatchable { target, reason }.into());
                    }
                    Event::Connection(Connection::Lost { reason, .. } | Connection::GaveUp { reason }) => {
                        failure = Some(reason.clone());
                        lost.get_or_insert_with(|| (Instant::now(), reason.clone()));
                    }
                    _ => {}
                }
                let at = began.elapsed();
                recorder.push(at, wall(), event.clone(), &session)?;
                session.apply(event);
                recorder.applied(at, &session)?;
                if heard.is_none() && session.model().now().is_some() && session.model().changes().complete {
                    let now = Instant::now();
                    heard = Some(now);
                    until = args.window.map(|window| now + window);
                }
            }
        }
    }
    let Some(heard) = heard else {
        keeping.discard();
        let (target, waited) = (config.target.clone(), args.connect_timeout);
        return Err(match failure {
            _ if began.elapsed() < waited => watch::NotSeen::Interrupted { target },
            reason => watch::NotSeen::timed_out(target, waited, reason),
        }
        .into());
    };
    let kept = keeping.finish(&mut recorder, began.elapsed(), &session)?;
    progress.over(&kept);
    let Some((since, reason)) = lost else { return Ok(()) };
    Err(Error::RecordedLost { target: config.target.clone(), heard: since.saturating_duration_since(heard), reason })
}

impl From<record::Error> for Error {
    fn from(error: record::Error) -> Self {
        Self::Recording(error.to_string())
    }
}
