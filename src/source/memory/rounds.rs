//! Look after look, on a thread of its own, until the process has ended or nobody listens. A look costs what it costs: after it
//! comes a rest of many times as long, so that no more than a small share of a processor is ever used. Rests are of random length:
//! a program that does something twice a second would look the same at each look twice a second.

use super::{
    Clock, Stacks,
    convert::{Converter, values},
    reader::{Failure, Looks},
};
use crate::{
    source::chance::chance,
    update::{Begin, Command, Connection, Event, look::Who},
};
use holdup_memory::{Look, Process, Thing};
use rand::Rng;
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How often there is a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The time from one look to the next, where looks are cheap.
    pub(super) every: Duration,
    /// The rest is at least so many times as long as the processor time of the look: on a busy machine a look takes longer, and not more.
    pub(super) rest: u32,
    /// And never longer than this.
    pub(super) most: Duration,
}

impl Default for Pace {
    /// Twice a second, and at most about a twentieth of a processor.
    fn default() -> Self {
        Self { every: Duration::from_millis(500), rest: 20, most: Duration::MAX }
    }
}

/// How soon it is looked again whether a process has Tokio by now; later each time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// A verdict stands on at least so many looks: what lasts is told from what is only seen by them.
const LOOKS: u32 = 8;

impl Pace {
    /// The pace where somebody waits for so long and no longer.
    pub(super) fn within(waits: Option<Duration>) -> Self {
        let most = waits.map_or(Duration::MAX, |waits| waits / LOOKS);
        Self { most, ..Self::default() }
    }

    /// How long to rest after a look that took so much of a processor: three fifths to seven fifths of what it would be without chance, which it is
    /// on average. What is suspected is looked at again sooner.
    pub(super) fn rest(self, used: Duration, suspects: Suspects, random: &mut impl Rng) -> Duration {
        let least = used.saturating_mul(self.rest);
        let every = match suspects {
            Suspects::None => self.every,
            Suspects::New => self.every / 25,
            Suspects::Fresh => self.every / 3,
        };
        let mean = every.saturating_sub(used).max(least.min(self.most));
        mean * 3 / 5 + random.random_range(Duration::ZERO..=mean * 4 / 5)
    }
}

/// Whether a look shows something that more looks within the second must bear out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspects {
    /// It shows nothing of the kind, or has shown it often enough.
    None,
    /// It has just begun to: what goes on for a tenth of a second is seen by looks that come faster than that.
    New,
    /// It does.
    Fresh,
}

/// What is suspected is looked at so many times at once, and so many times sooner than it would be.
const AT_ONCE: u8 = 8;
const SOONER: u8 = 4;

/// What looks have shown that must be borne out: things that are held, and waited for.
#[derive(Debug, Default)]
pub(super) struct Watched {
    held: Vec<u64>,
    left: u8,
}

impl Watched {
    /// Takes in another look.
    pub(super) fn see(&mut self, look: &Look) -> Suspects {
        let is_held = |thing: &&Thing| !thing.holders.is_empty() && !thing.queue.is_empty();
        let mut held: Vec<u64> = look.things.iter().filter(is_held).map(|thing| thing.at).collect();
        held.sort_unstable();
        if held.iter().any(|at| self.held.binary_search(at).is_err()) {
            self.left = AT_ONCE + SOONER;
        }
        self.held = held;
        let suspects = match self.left {
            0 => Suspects::None,
            _ if self.held.is_empty() => Suspects::None,
            1..=SOONER => Suspects::Fresh,
            _ => Suspects::New,
        };
        self.left = self.left.saturating_sub(1);
        suspects
    }
}

/// The link's ends as the thread holds them.
pub(super) struct Ends {
    pub(super) events: mpsc::Sender<Event>,
    pub(super) asked: Receiver<Command>,
    pub(super) clock: Clock,
}

/// Nobody listens any more.
struct Unheard;

/// Why the looks ended.
enum Ended {
    /// Nobody listens.
    Unheard,
    /// There is no more to see.
    Failed(Failure),
    /// It has executed another program: what was known is of the one before.
    Another,
    /// It has no Tokio, and may execute a program that has: a script does.
    NoTokio(String),
}

impl From<Unheard> for Ended {
    fn from(_: Unheard) -> Self {
        Self::Unheard
    }
}

/// Runs until nobody listens.
pub(super) fn run<L: Looks>(make: impl Fn() -> Result<L, Failure>, pace: Pace, ends: &Ends) {
    let (mut epoch, mut attempt) = (0, 1);
    loop {
        match once(&make, pace, ends, (&mut epoch, attempt)) {
            Ended::Unheard => return,
            Ended::Another => attempt = 1,
            Ended::NoTokio(reason) => {
                let retry_in = (FIRST_RETRY * attempt).min(LAST_RETRY);
                let lost = Connection::Lost { reason, retry_in, attempt };
                if ends.tell(Event::Connection(lost)).is_err() || ends.wait_for(retry_in).is_err() {
                    return;
                }
                attempt = attempt.saturating_add(1);
            }
            Ended::Failed(failure) => {
                let reason = failure.to_string();
                tracing::info!(%reason, "the memory is read no more");
                if ends.tell(Event::Connection(Connection::GaveUp { reason })).is_err()
                    || ends.wait_for_retry().is_err()
                {
                    return;
                }
            }
        }
    }
}

fn once<L: Looks>(
    make: &impl Fn() -> Result<L, Failure>,
    pace: Pace,
    ends: &Ends,
    (epoch, attempt): (&mut u64, u32),
) -> Ended {
    match looks(make, pace, ends, (epoch, attempt)) {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}

/// There is no way to end but to fail.
enum Never {}

fn looks<L: Looks>(
    make: &impl Fn() -> Result<L, Failure>,
    pace: Pace,
    ends: &Ends,
    (epoch, attempt): (&mut u64, u32),
) -> Result<Never, Ended> {
    ends.tell(Event::Connection(Connection::Connecting { attempt }))?;
    let mut reader = make().map_err(Ended::Failed)?;
    let mut converter: Option<Converter> = None;
    let (mut stacks, mut asked) = (Stacks::Sleeping, None);
    let (mut watched, mut random) = (Watched::default(), chance());
    loop {
        let look = reader.look(std::mem::take(&mut stacks)).map_err(Ended::Failed)?;
        // The first one goes through debug information, which no other does: nobody waits for that.
        let mut used = look.cost.cpu;
        let is_over = look.process.state == holdup_memory::ProcessState::Core;
        let known = match &mut converter {
            Some(known) if known.is_of(&look) => known,
            Some(_) => return Err(Ended::Another),
            None if look.process.copies.is_empty() && is_over => return Err(Ended::Failed(no_tokio_in_file(&look))),
            None if look.process.copies.is_empty() => return Err(Ended::NoTokio(no_tokio(&look))),
            none => {
                used = Duration::ZERO;
                *epoch += 1;
                let new = Converter::new(ends.clock.now(Instant::now()), &look);
                let whose = Begin::memory(*epoch, new.process(&look), Converter::grade(&look));
                ends.tell(Event::Begin(Box::new(whose)))?;
                ends.tell(Event::Connection(Connection::Live))?;
                none.insert(new)
            }
        };
        for page in known.pages(&look) {
            ends.tell(Event::Update(Box::new(page)))?;
        }
        if look.untold > 0 {
            continue;
        }
        ends.tell_values(asked, &mut reader)?;
        let until = (!is_over).then(|| Instant::now() + pace.rest(used, watched.see(&look), &mut random));
        stacks = loop {
            match ends.rest(until)? {
                Turn::Look(stacks) => break stacks,
                Turn::Values(of) => {
                    asked = of;
                    ends.tell_values(asked, &mut reader)?;
                }
            }
        };
    }
}

/// Of a process that may execute another program yet.
fn no_tokio(look: &Look) -> String {
    let Process { pid, name, .. } = &look.process;
    format!("there is no Tokio in process {pid}, {name}; `holdup ps` lists the processes that have it")
}

/// Of a core file, which stays as it is.
fn no_tokio_in_file(look: &Look) -> Failure {
    let unread: Vec<String> = look.unread.iter().map(|unread| format!("{}: {}", unread.what, unread.why)).collect();
    let unread = if unread.is_empty() { String::new() } else { format!(" (not read: {})", unread.join("; ")) };
    Failure::Refused(format!("no Tokio was found in what can be read of it{unread}; is it the right file, and whole?"))
}

/// What is to be done next.
enum Turn {
    /// A look, with these stacks.
    Look(Stacks),
    /// What the frames of this task or root have is asked for, or of none any more.
    Values(Option<Who>),
}

impl Ends {
    fn tell(&self, event: Event) -> Result<(), Unheard> {
        self.events.blocking_send(event).map_err(|_| Unheard)
    }

    fn tell_values<L: Looks>(&self, asked: Option<Who>, reader: &mut L) -> Result<(), Ended> {
        let Some(of) = asked else { return Ok(()) };
        let told = reader.values(of).map_err(Ended::Failed)?;
        self.tell(Event::Values(Box::new(values(of, &told))))?;
        Ok(())
    }

    /// Rests until then, or for good where nothing changes any more, and answers commands meanwhile.
    fn rest(&self, until: Option<Instant>) -> Result<Turn, Unheard> {
        loop {
            let command = match until {
                Some(until) => match self.asked.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(Command::StopForStacks) => return Ok(Turn::Look(Stacks::Stopping)),
                    Ok(command) => command,
                    Err(RecvTimeoutError::Timeout) => return Ok(Turn::Look(Stacks::Sleeping)),
                    Err(RecvTimeoutError::Disconnected) => return Err(Unheard),
                },
                None => self.asked.recv().map_err(|_| Unheard)?,
            };
            match command {
                Command::ReadValues(of) => return Ok(Turn::Values(Some(of))),
                Command::LeaveValues => return Ok(Turn::Values(None)),
                command => self.refuse(command)?,
            }
        }
    }

    /// Waits for so long, or until somebody asks.
    fn wait_for(&self, most: Duration) -> Result<(), Unheard> {
        let until = Instant::now() + most;
        loop {
            match self.asked.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Command::RetryNow) | Err(RecvTimeoutError::Timeout) => return Ok(()),
                Ok(command) => self.refuse(command)?,
                Err(RecvTimeoutError::Disconnected) => return Err(Unheard),
            }
        }
    }

    fn wait_for_retry(&self) -> Result<(), Unheard> {
        loop {
            match self.asked.recv().map_err(|_| Unheard)? {
                Command::RetryNow => return Ok(()),
                command => self.refuse(command)?,
            }
        }
    }

    fn refuse(&self, command: Command) -> Result<(), Unheard> {
        match command {
            Command::WatchTask(task) => {
                let reason = "memory counts no polls; instrumentation does".to_owned();
                self.tell(Event::DetailsUnavailable { task, reason })
            }
            Command::PauseTarget | Command::ResumeTarget => {
                let reason = "nothing is asked of a process whose memory is read".to_owned();
                self.tell(Event::CommandFailed { command, reason })
            }
            Command::StopForStacks => {
                let reason = "there is no thread to be stopped".to_owned();
                self.tell(Event::CommandFailed { command, reason })
            }
            Command::ReadValues(_)
            | Command::LeaveValues
            | Command::CatchUp
            | Command::UnwatchTask
            | Command::RetryNow
            | Command::CaptureStacks
            | Command::ToggleMemory => Ok(()),
        }
    }
}
