//! Time is paused: every wait is exact, and none is real.

use super::*;
use crate::update::TaskId;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// What becomes of one try.
enum Try {
    Refused,
    /// A session that delivers this many updates and ends.
    Served(u64),
    /// One that never answers.
    Hangs,
    /// Something else than a console answers.
    NotConsole,
    /// It has clients enough.
    NoRoom,
}

struct Script(VecDeque<Try>);

struct Scripted(u64);

impl Connect for Script {
    type Established = Scripted;

    async fn connect(&mut self) -> Result<Scripted, Failure> {
        match self.0.pop_front() {
            Some(Try::NoRoom) => Err(Failure::NoRoom("there are 16".to_owned())),
            Some(Try::NotConsole) => Err(Failure::NotConsole),
            Some(Try::Refused) => Err(Failure::NotListening("host:1".to_owned())),
            Some(Try::Served(delivered)) => Ok(Scripted(delivered)),
            Some(Try::Hangs) | None => std::future::pending().await,
        }
    }
}

impl Serve for Scripted {
    fn begin(&self, epoch: u64) -> Begin {
        Begin::console(epoch)
    }

    async fn serve(self, _: &mut LinkEnds) -> Ended {
        Ended { delivered: self.0, failure: Failure::Closed }
    }
}

struct Started {
    events: mpsc::Receiver<Event>,
    commands: mpsc::Sender<Command>,
    task: tokio::task::JoinHandle<()>,
}

fn start(tries: Vec<Try>) -> Started {
    let (events, receiver) = mpsc::channel(100);
    let (sender, commands) = mpsc::channel(100);
    let ends = LinkEnds { events, commands };
    let task = tokio::spawn(run(Script(tries.into()), Backoff::default(), ends));
    Started { events: receiver, commands: sender, task }
}

impl Started {
    async fn next(&mut self) -> Event {
        self.events.recv().await.expect("the link goes on")
    }

    async fn connecting(&mut self) -> u32 {
        match self.next().await {
            Event::Connection(Connection::Connecting { attempt }) => attempt,
            event => panic!("{event:?}"),
        }
    }

    async fn lost(&mut self) -> (u32, Duration) {
        match self.next().await {
            Event::Connection(Connection::Lost { retry_in, attempt, .. }) => (attempt, retry_in),
            event => panic!("{event:?}"),
        }
    }

    async fn gave_up(&mut self) -> String {
        match self.next().await {
            Event::Connection(Connection::GaveUp { reason }) => reason,
            event => panic!("{event:?}"),
        }
    }

    async fn session(&mut self) -> u64 {
        let Event::Begin(session) = self.next().await else {
            panic!("a session comes first");
        };
        assert_eq!(self.next().await, Event::Connection(Connection::Live));
        session.epoch
    }
}

#[tokio::test(start_paused = true)]
async fn it_tries_again_exactly_when_it_said() {
    let mut link = start(vec![Try::Refused, Try::Refused, Try::Refused, Try::Hangs]);
    let mut ceiling = Duration::from_millis(250);
    assert_eq!(link.connecting().await, 1);
    for attempt in 1..=3 {
        let (failed, retry_in) = link.lost().await;
        let lost_at = Instant::now();
        assert_eq!(failed, attempt);
        assert!(retry_in >= ceiling / 2 && retry_in <= ceiling);
        assert_eq!(link.connecting().await, attempt + 1);
        // The timer's own resolution is a millisecond.
        let late = lost_at.elapsed().saturating_sub(retry_in);
        assert!(lost_at.elapsed() >= retry_in && late <= Duration::from_millis(2));
        ceiling *= 2;
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_without_room_is_asked_as_seldom_as_any_from_the_first_time_on() {
    let mut link = start(vec![Try::NoRoom, Try::NoRoom, Try::Hangs]);
    for attempt in 1..=2 {
        assert_eq!(link.connecting().await, attempt);
        let (_, retry_in) = link.lost().await;
        assert!(retry_in >= Duration::from_secs(5), "{retry_in:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_session_that_delivered_starts_the_backoff_anew() {
    let mut link = start(vec![Try::Refused, Try::Served(0), Try::Served(1), Try::Hangs]);
    assert_eq!(link.connecting().await, 1);
    assert_eq!(link.lost().await.0, 1);
    assert_eq!(link.connecting().await, 2);
    assert_eq!(link.session().await, 1);
    assert_eq!(link.lost().await.0, 2);
    assert_eq!(link.connecting().await, 3);
    assert_eq!(link.session().await, 2);
    assert_eq!(link.lost().await.0, 1);
    assert_eq!(link.connecting().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_user_need_not_wait() {
    let mut link = start((0..10).map(|_| Try::Refused).collect());
    for attempt in 1..=9 {
        assert_eq!(link.connecting().await, attempt);
        let before = Instant::now();
        assert_eq!(link.lost().await.0, attempt);
        link.commands.send(Command::RetryNow).await.expect("room");
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_get_better_is_not_tried_again_by_itself() {
    let mut link = start(vec![Try::Refused, Try::NotConsole, Try::Refused, Try::Hangs]);
    assert_eq!(link.connecting().await, 1);
    link.lost().await;
    assert_eq!(link.connecting().await, 2);
    assert!(link.gave_up().await.contains("without a console"));
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    assert!(link.events.is_empty(), "nothing happens by itself");
    link.commands.send(Command::PauseTarget).await.expect("room");
    assert!(matches!(link.next().await, Event::CommandFailed { .. }));
    link.commands.send(Command::RetryNow).await.expect("room");
    assert_eq!(link.connecting().await, 1);
    assert_eq!(link.lost().await.0, 1);
    assert_eq!(link.connecting().await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_watched_before_may_be_there_again() {
    let mut link = start(vec![Try::Served(1), Try::NotConsole, Try::Hangs]);
    assert_eq!(link.connecting().await, 1);
    assert_eq!(link.session().await, 1);
    link.lost().await;
    assert_eq!(link.connecting().await, 2);
    assert_eq!(link.lost().await.0, 2);
    assert_eq!(link.connecting().await, 3);
}

#[tokio::test(start_paused = true)]
async fn commands_are_answered_without_a_connection() {
    let mut link = start(vec![Try::Hangs]);
    assert_eq!(link.connecting().await, 1);
    let commands = [Command::CatchUp, Command::UnwatchTask, Command::PauseTarget, Command::WatchTask(TaskId(7))];
    for command in commands {
        link.commands.send(command).await.expect("room");
    }
    let paused = link.next().await;
    assert!(matches!(paused, Event::CommandFailed { command: Command::PauseTarget, .. }), "{paused:?}");
    let watched = link.next().await;
    assert!(matches!(watched, Event::DetailsUnavailable { task: TaskId(7), .. }), "{watched:?}");
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_when_nobody_can_command_it_and_ends_when_nobody_listens() {
    let mut link = start(vec![Try::Refused, Try::Hangs]);
    drop(link.commands);
    let (commands, _) = mpsc::channel(1);
    link.commands = commands;
    assert_eq!(link.connecting().await, 1);
    link.lost().await;
    assert_eq!(link.connecting().await, 2);
    assert!(!link.task.is_finished());
    drop(link.events);
    link.task.await.expect("it ends by itself");
}
