//! One connection's life: subscribe, deliver, carry out commands, until it ends.
//!
//! The loop waits for everything at once and for nothing alone. What it has to tell goes to a queue first, and while
//! the queue is not empty it reads no more from the target: a consumer that is slow slows the target's stream down,
//! through the bounded channel, this queue, and HTTP/2's windows, and memory stays bounded.

use super::{
    Options,
    calls::{self, Told},
    catch_up::Throttle,
    failure::Failure,
    reconnect::{Connect, Ended, Port, Serve},
    stream::{Format, Updates},
    transport::{self, Transport},
};
use crate::{
    source::Target,
    update::{Begin, Command, Event, Part, Process, TaskId, Update},
};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, timeout},
};

/// How often a message under way is shown: its unfinished page, and how far it has come.
const SHOWING: Duration = Duration::from_millis(100);

/// With this much to tell, commands and calls wait as well.
const MAX_QUEUE: usize = 64;

/// The capability of an agent that tells everything in one stream.
const EVERYTHING: &str = "tasks";

/// Why an agent is not paused: what tokio-console is told would stop, and nothing else.
const NOT_PAUSED: &str = "an agent goes on telling; freeze the display instead";

/// Commands that wait for the one before them.
const MAX_COMMANDS: usize = 16;

/// Connects to one target.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) target: Target,
    pub(super) options: Options,
}

impl Connect for Connector {
    type Session = Session;

    /// One request after the other: over a slow link, the answer to the first would stand in line behind the first state.
    /// The target is no agent if it says so. One that says nothing is asked again: an agent that is taken for a console would
    /// have things inferred of it that it would have told.
    async fn connect(&mut self) -> Result<Session, Failure> {
        let transport = transport::connect(&self.target, &self.options).await?;
        let waited = self.options.answer_timeout;
        let no_answer = |_| Failure::NoAnswer { target: self.target.short(), waited };
        let process = timeout(waited, calls::describe(transport.clone())).await.map_err(no_answer)?;
        let format = format(process.as_ref());
        let updates = timeout(waited, Updates::open(transport.clone(), format, self.options.max_message)).await;
        let updates = updates.map_err(no_answer)??;
        Ok(Session { transport, updates, format, process, options: self.options.clone() })
    }
}

/// What an agent that tells everything is asked for; one that is older is read as the console that it also is.
fn format(process: Option<&Process>) -> Format {
    let tells_all = process.is_some_and(|process| process.capabilities.iter().any(|name| name == EVERYTHING));
    if tells_all { Format::Holdup } else { Format::Console }
}

/// A connection that answered.
#[derive(Debug)]
pub(super) struct Session {
    transport: Transport,
    updates: Updates,
    format: Format,
    process: Option<Process>,
    options: Options,
}

impl Serve for Session {
    fn begin(&self, epoch: u64) -> Begin {
        match (self.format, self.process.clone()) {
            (Format::Holdup, process) => Begin::agent(epoch, process.unwrap_or_default()),
            (Format::Console, Some(process)) => Begin::older_agent(epoch, process),
            (Format::Console, None) => Begin::console(epoch),
        }
    }

    async fn serve(mut self, port: &mut Port) -> Ended {
        let (told, mut telling) = mpsc::channel(MAX_COMMANDS);
        let mut desk = Desk::open(&self, told);
        let mut delivered = 0;
        let mut pages = Vec::new();
        let mut is_showing = false;
        let mut showing = interval(SHOWING);
        showing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let has_room = desk.queue.len() < MAX_QUEUE;
            let has_news = self.updates.progress().is_some() || desk.throttle.has_news();
            // A message that is here within one period is not shown in pieces.
            if has_news && !is_showing {
                showing.reset();
            }
            is_showing = has_news;
            tokio::select! {
                permit = port.events.reserve(), if !desk.queue.is_empty() => match (permit, desk.queue.pop_front()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    // Nobody listens any more.
                    _ => return Ended { delivered, failure: Failure::Ended },
                },
                Some(command) = port.commands.recv(), if has_room => desk.order(command),
                Some(told) = telling.recv(), if has_room => desk.hear(told),
                next = self.updates.next(&mut pages), if desk.queue.is_empty() => {
                    for page in pages.drain(..) {
                        delivered += u64::from(page.part == Part::Last);
                        desk.tell_page(page);
                    }
                    if let Err(failure) = next {
                        desk.flush(port).await;
                        return Ended { delivered, failure };
                    }
                }
                _ = showing.tick(), if is_showing && has_room => desk.show(&mut self.updates),
            }
        }
    }
}

/// Where everything passes that is told or asked for in a session.
struct Desk {
    queue: VecDeque<Event>,
    throttle: Throttle,
    format: Format,
    transport: Transport,
    told: mpsc::Sender<Told>,
    commands: mpsc::Sender<Command>,
    watched: Option<(TaskId, AbortHandle)>,
    /// How many bytes the message has whose progress was told last.
    shown_total: Option<u64>,
    /// Ends every call with the session.
    calls: JoinSet<()>,
}

impl Desk {
    fn open(session: &Session, told: mpsc::Sender<Told>) -> Self {
        let (commands, performing) = mpsc::channel(MAX_COMMANDS);
        let mut calls = JoinSet::new();
        let transport = session.transport.clone();
        // Of an agent nothing of the console's service is called.
        if session.format == Format::Console {
            let patience = session.options.answer_timeout;
            calls.spawn(calls::watch_state(transport.clone(), told.clone()));
            calls.spawn(calls::perform(transport.clone(), patience, performing, told.clone()));
        }
        Self {
            queue: VecDeque::new(),
            throttle: Throttle::new(session.options.catch_up),
            format: session.format,
            transport,
            told,
            commands,
            watched: None,
            shown_total: None,
            calls,
        }
    }

    fn tell_page(&mut self, page: Update) {
        let is_last = page.part == Part::Last;
        self.queue.push_back(Event::Update(Box::new(page)));
        if is_last && let Some(total) = self.shown_total.take() {
            let received = total;
            self.queue.push_back(Event::Progress { received, total });
        }
    }

    /// Tells what has come of the message under way, and how often the target was asked to catch up.
    fn show(&mut self, updates: &mut Updates) {
        if let Some(progress) = updates.progress() {
            if let Some(page) = updates.flush() {
                self.tell_page(page);
            }
            let (received, total) = (progress.received, progress.total);
            self.shown_total = Some(total);
            self.queue.push_back(Event::Progress { received, total });
        }
        if let Some(sent) = self.throttle.report(Instant::now()) {
            self.queue.push_back(Event::CatchUp { sent });
        }
    }

    fn order(&mut self, command: Command) {
        match command {
            Command::PauseTarget | Command::ResumeTarget if self.format == Format::Holdup => {
                self.failed(command, NOT_PAUSED.to_owned());
            }
            Command::PauseTarget => {
                self.throttle.pausing();
                self.perform(command);
            }
            Command::ResumeTarget => {
                self.throttle.resuming();
                self.perform(command);
            }
            // One at a time, and never before something that the user asked for.
            Command::CatchUp => {
                let is_idle = self.commands.capacity() == MAX_COMMANDS;
                if is_idle && self.throttle.take(Instant::now()) {
                    self.perform(command);
                }
            }
            Command::WatchTask(task) => {
                self.unwatch();
                let (transport, told) = (self.transport.clone(), self.told.clone());
                let watching = match self.format {
                    Format::Console => self.calls.spawn(calls::watch_details(transport, task, told)),
                    Format::Holdup => self.calls.spawn(calls::watch_agents_details(transport, task, told)),
                };
                self.watched = Some((task, watching));
            }
            Command::UnwatchTask => self.unwatch(),
            Command::RetryNow => {}
        }
    }

    fn perform(&mut self, command: Command) {
        if self.commands.try_send(command).is_err() {
            self.failed(command, "too many commands wait for an answer".to_owned());
        }
    }

    fn unwatch(&mut self) {
        if let Some((_, watching)) = self.watched.take() {
            watching.abort();
        }
        // Whatever has ended by now needs to be remembered no longer.
        while self.calls.try_join_next().is_some() {}
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Temporality(temporality) => {
                if self.throttle.told(temporality) {
                    self.queue.push_back(Event::Temporality(temporality));
                }
            }
            // What a watch said before it was ended may still be on its way.
            Told::Details(details) if self.watches(details.task) => {
                self.queue.push_back(Event::Details(details));
            }
            Told::NoDetails(task, reason) if self.watches(task) => {
                self.watched = None;
                self.queue.push_back(Event::DetailsUnavailable { task, reason });
            }
            Told::Details(_) | Told::NoDetails(..) | Told::Performed(_, Ok(())) => {}
            Told::Performed(command, Err(reason)) => self.failed(command, reason),
        }
    }

    fn watches(&self, task: TaskId) -> bool {
        self.watched.as_ref().is_some_and(|(watched, _)| *watched == task)
    }

    fn failed(&mut self, command: Command, reason: String) {
        if command == Command::PauseTarget {
            self.throttle.resuming();
        }
        self.queue.push_back(Event::CommandFailed { command, reason });
    }

    /// The session is over: what it had to tell is told before that is.
    async fn flush(&mut self, port: &Port) {
        for event in self.queue.drain(..) {
            if port.events.send(event).await.is_err() {
                return;
            }
        }
    }
}
