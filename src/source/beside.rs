//! A service of this machine, and its memory beside what it tells: chains, holders and stacks beside poll counts and times, joined by
//! tokio's numbers of tasks. Whose memory that is, is known by who listens where the service was connected to.
//!
//! The two are one link. When memory can be read no more, the service goes on telling. When the service is heard no more and its process
//! lives, memory speaks alone, until the service answers again.

use super::{Beside as Wanted, Link, MemoryOptions, Target, memory};
use crate::update::{Begin, BeginMode, Beside, Command, Connection, Event};
use std::time::Instant;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
};

/// Events and commands that wait to be taken, as of the links inside.
const EVENTS: usize = 8;
const COMMANDS: usize = 64;

/// Whether a service that is connected to like this may be a process of this machine.
pub(super) fn may_be_here(target: &Target) -> bool {
    match target {
        Target::Tcp { host, .. } | Target::Tls { host, .. } => {
            host == "localhost" || host == "::1" || host.starts_with("127.")
        }
        Target::Unix(_) => true,
        Target::Pid(_) | Target::Name(_) | Target::Core(_) | Target::Recording(_) => false,
    }
}

/// A link that tells what the service tells, and what stands in its memory.
pub(super) fn open(service: Link, target: Target, options: MemoryOptions) -> Link {
    let (events, receiver) = mpsc::channel(EVENTS);
    let (sender, commands) = mpsc::channel(COMMANDS);
    tokio::spawn(async move {
        let listener = events.clone();
        let (memory, clock) = (Memory::Unread, memory::Clock::default());
        let both = Both { service, memory, looking: None, events, commands, target, options, clock };
        tokio::select! {
            () = listener.closed() => {}
            () = both.run() => {}
        }
    });
    Link { events: receiver, commands: sender }
}

struct Both {
    service: Link,
    memory: Memory,
    /// While the process is looked for: by whose wish, and what is found.
    looking: Option<(Wish, JoinHandle<Result<u32, String>>)>,
    events: mpsc::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    target: Target,
    options: MemoryOptions,
    /// The service's, which is its memory's as well.
    clock: memory::Clock,
}

/// How memory is read.
enum Memory {
    /// It is not.
    Unread,
    /// Beside what the service tells.
    Beside(Link, u32),
    /// Alone: the service was lost, for this reason. Whether it has begun to tell.
    Alone(Link, String, Begun),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    No,
    Yes,
}

/// Whose wish it is that memory is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Nobody's: it is done where it can be.
    Own,
    /// The user's, who is told why it cannot be.
    Users,
}

/// Nobody listens any more.
struct Unheard;

impl Both {
    async fn run(mut self) {
        while self.turn().await.is_ok() {}
    }

    async fn turn(&mut self) -> Result<(), Unheard> {
        tokio::select! {
            biased;
            Some(command) = self.commands.recv() => self.command(command).await,
            event = self.service.events.recv() => match event {
                Some(event) => self.of_service(event).await,
                None => Err(Unheard),
            },
            (wish, found) = found(&mut self.looking) => {
                self.looking = None;
                self.of_search(wish, found).await
            }
            event = next(&mut self.memory) => match self.memory {
                Memory::Alone(..) => self.of_memory_alone(event).await,
                _ => self.of_memory(event).await,
            },
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Unheard> {
        self.events.send(event).await.map_err(|_| Unheard)
    }

    async fn of_service(&mut self, event: Event) -> Result<(), Unheard> {
        match (&event, &mut self.memory) {
            (Event::Begin(_), _) => {
                // Another process may answer.
                self.clock.forget();
                self.leave(String::new()).await?;
                self.tell(event).await?;
                if self.options.beside == Wanted::Allowed {
                    self.look_for_it(Wish::Own);
                }
                Ok(())
            }
            (Event::Update(update), _) => {
                if let Some(now) = update.now {
                    self.clock.hear(now, Instant::now());
                }
                self.tell(event).await
            }
            (Event::Connection(connection), Memory::Alone(_, lost, Begun::Yes)) => {
                if let Some(reason) = why_lost(connection) {
                    lost.clone_from(reason);
                }
                Ok(())
            }
            (Event::Connection(connection), Memory::Beside(..)) if why_lost(connection).is_some() => {
                let reason = why_lost(connection).cloned().unwrap_or_default();
                self.tell(event).await?;
                self.speak_alone(reason).await
            }
            (Event::Connection(connection), _) if why_lost(connection).is_some() => {
                self.looking = None;
                self.tell(event).await
            }
            _ => self.tell(event).await,
        }
    }

    /// The service is heard no more; its memory may be, if its process lives.
    async fn speak_alone(&mut self, reason: String) -> Result<(), Unheard> {
        let Memory::Beside(_, pid) = self.memory else { return Ok(()) };
        self.leave(String::new()).await?;
        let link = memory::connect(memory::Whose::Pid(pid), self.options.clone());
        self.memory = Memory::Alone(link, reason, Begun::No);
        Ok(())
    }

    async fn of_memory_alone(&mut self, event: Option<Event>) -> Result<(), Unheard> {
        let Memory::Alone(_, reason, begun) = &mut self.memory else { return Ok(()) };
        match event {
            // The service's link says that it is lost: its process is gone, too.
            Some(Event::Connection(Connection::GaveUp { .. })) | None => {
                let lost = Connection::GaveUp { reason: std::mem::take(reason) };
                let begun = *begun;
                self.memory = Memory::Unread;
                if begun == Begun::Yes { self.tell(Event::Connection(lost)).await } else { Ok(()) }
            }
            Some(event @ Event::Begin(_)) => {
                *begun = Begun::Yes;
                let reason = reason.clone();
                self.tell(event).await?;
                self.tell(Event::Beside(Beside::Left { reason })).await
            }
            Some(Event::Connection(Connection::Connecting { .. })) => Ok(()),
            Some(event) => self.tell(event).await,
        }
    }

    async fn of_memory(&mut self, event: Option<Event>) -> Result<(), Unheard> {
        match event {
            Some(Event::Begin(begin)) => {
                self.tell(Event::Begin(Box::new(Begin { mode: BeginMode::Joins, ..*begin }))).await
            }
            Some(Event::Update(mut update)) => {
                update.mode = BeginMode::Joins;
                self.tell(Event::Update(update)).await
            }
            Some(event @ Event::Values(_)) => self.tell(event).await,
            Some(Event::Connection(Connection::GaveUp { reason })) => self.leave(reason).await,
            // Where its own link stands is nobody's business but this one's.
            Some(_) => Ok(()),
            None => self.leave("its memory is read no more".into()).await,
        }
    }

    async fn command(&mut self, command: Command) -> Result<(), Unheard> {
        match command {
            Command::ToggleMemory if matches!(self.memory, Memory::Alone(..)) => {
                let reason = "memory is all that is read of this process, until the service answers again".to_owned();
                self.tell(Event::CommandFailed { command, reason }).await
            }
            Command::ToggleMemory if matches!(self.memory, Memory::Beside(..)) => {
                self.options.beside = Wanted::Forbidden;
                self.leave(String::new()).await
            }
            Command::ToggleMemory => {
                self.options.beside = Wanted::Allowed;
                self.look_for_it(Wish::Users);
                Ok(())
            }
            Command::StopForStacks | Command::ReadValues(_) | Command::LeaveValues => {
                if let Memory::Beside(memory, _) | Memory::Alone(memory, ..) = &self.memory {
                    let _ = memory.commands.try_send(command);
                }
                Ok(())
            }
            command => {
                let _ = self.service.commands.try_send(command);
                Ok(())
            }
        }
    }

    async fn leave(&mut self, reason: String) -> Result<(), Unheard> {
        self.looking = None;
        match std::mem::replace(&mut self.memory, Memory::Unread) {
            Memory::Beside(..) => self.tell(Event::Beside(Beside::Over { reason })).await,
            Memory::Alone(..) | Memory::Unread => Ok(()),
        }
    }

    /// Begins to look for the process that listens where the service was connected to; meanwhile the service goes on telling.
    fn look_for_it(&mut self, wish: Wish) {
        let target = self.target.clone();
        self.looking = Some((wish, spawn_blocking(move || who_listens(&target))));
    }

    async fn of_search(&mut self, wish: Wish, found: Result<u32, String>) -> Result<(), Unheard> {
        match (found, wish) {
            (Ok(pid), _) => {
                let (options, clock) = (self.options.clone(), self.clock.clone());
                self.memory = Memory::Beside(memory::connect_beside(memory::Whose::Pid(pid), options, clock), pid);
                Ok(())
            }
            (Err(reason), Wish::Users) => {
                self.tell(Event::CommandFailed { command: Command::ToggleMemory, reason }).await
            }
            (Err(reason), Wish::Own) => {
                tracing::info!(%reason, "no memory is read beside the service");
                Ok(())
            }
        }
    }
}

async fn found(looking: &mut Option<(Wish, JoinHandle<Result<u32, String>>)>) -> (Wish, Result<u32, String>) {
    match looking {
        Some((wish, search)) => {
            let found = search
                .await
                .unwrap_or_else(|_| Err("the processes of this machine could not be looked through".into()));
            (*wish, found)
        }
        None => std::future::pending().await,
    }
}

async fn next(memory: &mut Memory) -> Option<Event> {
    match memory {
        Memory::Beside(link, _) | Memory::Alone(link, ..) => link.events.recv().await,
        Memory::Unread => std::future::pending().await,
    }
}

fn why_lost(connection: &Connection) -> Option<&String> {
    match connection {
        Connection::Lost { reason, .. } | Connection::GaveUp { reason } => Some(reason),
        Connection::Connecting { .. } | Connection::Live => None,
    }
}

/// The process that listens there. A service of this very process is not looked at.
fn who_listens(target: &Target) -> Result<u32, String> {
    let own = std::process::id();
    let listens = |at: &String| match target {
        Target::Tcp { port, .. } | Target::Tls { port, .. } => {
            at.rsplit_once(':').is_some_and(|(_, listened)| listened == port.to_string())
        }
        Target::Unix(path) => *at == path.display().to_string(),
        Target::Pid(_) | Target::Name(_) | Target::Core(_) | Target::Recording(_) => false,
    };
    let found = memory::processes()?.found;
    let here = found.iter().find(|process| process.pid != own && process.listens.iter().any(listens));
    match here {
        Some(process) => match &process.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(process.pid),
        },
        None => Err("no process of this machine that can be looked at listens there".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Process, Update, look::Grade};

    fn link() -> (Link, mpsc::Sender<Event>, mpsc::Receiver<Command>) {
        let (events, receiver) = mpsc::channel(64);
        let (sender, commands) = mpsc::channel(64);
        (Link { events: receiver, commands: sender }, events, commands)
    }

    fn both(memory: Memory, service: Link) -> (Both, mpsc::Receiver<Event>, mpsc::Sender<Command>) {
        let (events, receiver) = mpsc::channel(64);
        let (sender, commands) = mpsc::channel(64);
        let options = MemoryOptions { beside: Wanted::Forbidden, ..MemoryOptions::default() };
        (
            Both {
                service,
                memory,
                looking: None,
                events,
                commands,
                target: Target::default(),
                options,
                clock: memory::Clock::default(),
            },
            receiver,
            sender,
        )
    }

    #[test]
    fn only_what_may_be_of_this_machine_is_looked_for_here() {
        let may = |typed: &str| may_be_here(&typed.parse().expect("a target"));
        assert!(may("localhost") && may("127.0.0.1:7000") && may("[::1]") && may("unix:///run/a.sock"));
        assert!(!may("orders.internal") && !may("10.0.0.7") && !may("4242"));
    }

    #[tokio::test]
    async fn what_memory_tells_joins_and_its_end_is_not_the_service_s() {
        let ((service, of_service, _), (memory, of_memory, _)) = (link(), link());
        let (both, mut heard, commands) = both(Memory::Beside(memory, 1), service);
        tokio::spawn(both.run());
        of_memory.send(Event::Connection(Connection::Live)).await.expect("a link");
        let begin = Begin::memory(1, Process::default(), Grade::Full);
        of_memory.send(Event::Begin(Box::new(begin))).await.expect("a link");
        of_memory.send(Event::Update(Box::default())).await.expect("a link");
        let Some(Event::Begin(begin)) = heard.recv().await else { panic!("no beginning") };
        assert_eq!(begin.mode, BeginMode::Joins);
        let Some(Event::Update(update)) = heard.recv().await else { panic!("no update") };
        assert_eq!(*update, Update { mode: BeginMode::Joins, ..Update::default() });
        of_service.send(Event::Connection(Connection::Live)).await.expect("a link");
        assert_eq!(heard.recv().await, Some(Event::Connection(Connection::Live)));
        commands.send(Command::ToggleMemory).await.expect("a link");
        assert_eq!(heard.recv().await, Some(Event::Beside(Beside::Over { reason: String::new() })));
    }

    #[tokio::test]
    async fn when_the_service_is_lost_memory_speaks_alone_until_it_answers_again() {
        let ((service, of_service, _), (memory, of_memory, _)) = (link(), link());
        let lost = |reason: &str| {
            let (retry_in, attempt) = (std::time::Duration::from_secs(1), 1);
            Event::Connection(Connection::Lost { reason: reason.into(), retry_in, attempt })
        };
        let (both, mut heard, _commands) = both(Memory::Alone(memory, "broken pipe".into(), Begun::No), service);
        tokio::spawn(both.run());
        of_memory.send(Event::Connection(Connection::Connecting { attempt: 1 })).await.expect("a link");
        let begin = Begin::memory(1, Process::default(), Grade::Full);
        of_memory.send(Event::Begin(Box::new(begin))).await.expect("a link");
        of_memory.send(Event::Connection(Connection::Live)).await.expect("a link");
        let Some(Event::Begin(begin)) = heard.recv().await else { panic!("no beginning") };
        assert_eq!(begin.mode, BeginMode::Alone);
        assert_eq!(heard.recv().await, Some(Event::Beside(Beside::Left { reason: "broken pipe".into() })));
        assert_eq!(heard.recv().await, Some(Event::Connection(Connection::Live)));
        // That the service is tried in vain once more changes nothing.
        of_service.send(lost("refused")).await.expect("a link");
        of_service.send(Event::Connection(Connection::Connecting { attempt: 2 })).await.expect("a link");
        of_service.send(Event::Begin(Box::new(Begin::console(2)))).await.expect("a link");
        of_service.send(Event::Connection(Connection::Live)).await.expect("a link");
        let Some(Event::Begin(begin)) = heard.recv().await else { panic!("no beginning") };
        assert_eq!((begin.epoch, begin.mode), (2, BeginMode::Alone));
        assert_eq!(heard.recv().await, Some(Event::Connection(Connection::Live)));
    }

    #[tokio::test]
    async fn when_the_process_is_gone_as_well_the_service_is_lost() {
        let ((service, of_service, _), (memory, of_memory, _)) = (link(), link());
        let (both, mut heard, _commands) = both(Memory::Alone(memory, "broken pipe".into(), Begun::No), service);
        tokio::spawn(both.run());
        let gone = Connection::GaveUp { reason: "process 1 has ended".into() };
        of_memory.send(Event::Connection(gone)).await.expect("a link");
        drop(of_memory);
        tokio::task::yield_now().await;
        let connecting = Event::Connection(Connection::Connecting { attempt: 2 });
        of_service.send(connecting.clone()).await.expect("a link");
        assert_eq!(heard.recv().await, Some(connecting));
    }

    #[tokio::test]
    async fn another_process_that_answers_has_another_memory() {
        let ((service, of_service, _), (memory, _of_memory, _)) = (link(), link());
        let (both, mut heard, _commands) = both(Memory::Beside(memory, 1), service);
        tokio::spawn(both.run());
        of_service.send(Event::Begin(Box::new(Begin::console(2)))).await.expect("a link");
        assert_eq!(heard.recv().await, Some(Event::Beside(Beside::Over { reason: String::new() })));
        assert!(matches!(heard.recv().await, Some(Event::Begin(_))));
    }
}
