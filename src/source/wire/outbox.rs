//! What goes out of a connection to the link, and what was asked of it: a queue of events, and the calls that commands make.

use super::{
    Options,
    calls::{self, Answer},
    catch_up::Throttle,
    reconnect::LinkEnds,
    stream::{Format, Updates},
    transport::Transport,
};
use crate::update::{Command, Event, Part, TaskId, Update};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

/// With this much to tell, commands and calls wait as well.
const MAX_QUEUE: usize = 64;

/// Why an agent is not paused: what tokio-console is told would stop, and nothing else.
const NOT_PAUSED: &str = "an agent goes on telling; freeze the display instead";

/// Why a console is not asked for stacks.
const NO_AGENT: &str = "stacks are captured by holdup's agent, and by one that is not older than this client";

/// Why no memory is read.
const NO_MEMORY: &str = "the service is not of this machine, or holdup was told not to read memory";

/// Commands that wait for the one before them.
const MAX_COMMANDS: usize = 16;

/// Where everything passes that is told or asked for while a connection lasts.
pub(super) struct Outbox {
    queue: VecDeque<Event>,
    throttle: Throttle,
    format: Format,
    patience: Duration,
    transport: Transport,
    answers: mpsc::Sender<Answer>,
    commands: mpsc::Sender<Command>,
    watched: Option<(TaskId, AbortHandle)>,
    /// How many bytes the message has whose progress was told last.
    shown_total: Option<u64>,
    /// Ends every call with the connection.
    calls: JoinSet<()>,
}

impl Outbox {
    /// Of an agent nothing of the console's service is called.
    pub(super) fn open(transport: Transport, format: Format, options: &Options, answers: mpsc::Sender<Answer>) -> Self {
        let (commands, performing) = mpsc::channel(MAX_COMMANDS);
        let mut calls = JoinSet::new();
        if format == Format::Console {
            let patience = options.answer_timeout;
            calls.spawn(calls::watch_state(transport.clone(), answers.clone()));
            calls.spawn(calls::perform(transport.clone(), patience, performing, answers.clone()));
        }
        Self {
            queue: VecDeque::new(),
            throttle: Throttle::new(options.catch_up),
            format,
            patience: options.answer_timeout,
            transport,
            answers,
            commands,
            watched: None,
            shown_total: None,
            calls,
        }
    }

    /// Whether nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether commands and answers need not wait.
    pub(super) fn has_room(&self) -> bool {
        self.queue.len() < MAX_QUEUE
    }

    /// Whether there is something to say of how often the target was asked to catch up.
    pub(super) fn has_news(&self) -> bool {
        self.throttle.has_news()
    }

    /// The event that waits longest.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    pub(super) fn tell_page(&mut self, page: Update) {
        let is_last = page.part == Part::Last;
        self.queue.push_back(Event::Update(Box::new(page)));
        if is_last && let Some(total) = self.shown_total.take() {
            let received = total;
            self.queue.push_back(Event::Progress { received, total });
        }
    }

    /// Tells what has come of the message under way, and how often the target was asked to catch up.
    pub(super) fn show(&mut self, updates: &mut Updates) {
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

    pub(super) fn carry_out(&mut self, command: Command) {
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
                let (transport, answers) = (self.transport.clone(), self.answers.clone());
                let watching = match self.format {
                    Format::Console => self.calls.spawn(calls::watch_details(transport, task, answers)),
                    Format::Holdup => self.calls.spawn(calls::watch_agents_details(transport, task, answers)),
                };
                self.watched = Some((task, watching));
            }
            Command::UnwatchTask => self.unwatch(),
            Command::CaptureStacks if self.format == Format::Console => self.failed(command, NO_AGENT.to_owned()),
            Command::CaptureStacks => {
                drop(self.calls.spawn(calls::capture_stacks(
                    self.transport.clone(),
                    self.patience,
                    self.answers.clone(),
                )));
                self.forget_calls();
            }
            // What is read beside is not this link's business.
            Command::RetryNow | Command::StopForStacks | Command::ReadValues(_) | Command::LeaveValues => {}
            Command::ToggleMemory => self.failed(command, NO_MEMORY.to_owned()),
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
        self.forget_calls();
    }

    /// Whatever has ended by now needs to be remembered no longer.
    fn forget_calls(&mut self) {
        while self.calls.try_join_next().is_some() {}
    }

    pub(super) fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Temporality(temporality) => {
                if self.throttle.observe(temporality) {
                    self.queue.push_back(Event::Temporality(temporality));
                }
            }
            // What a watch said before it was ended may still be on its way.
            Answer::Details(details) if self.watches(details.task) => {
                self.queue.push_back(Event::Details(details));
            }
            Answer::NoDetails(task, reason) if self.watches(task) => {
                self.watched = None;
                self.queue.push_back(Event::DetailsUnavailable { task, reason });
            }
            Answer::Details(_) | Answer::NoDetails(..) | Answer::Performed(_, Ok(())) => {}
            Answer::Performed(command, Err(reason)) => self.failed(command, reason),
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
    pub(super) async fn flush(&mut self, ends: &LinkEnds) {
        for event in self.queue.drain(..) {
            if ends.events.send(event).await.is_err() {
                return;
            }
        }
    }
}
