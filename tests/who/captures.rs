//! Stacks on demand: who has the right sees what the workers do, who has not is told what to set, and the log has each ask.

use super::{
    ACTS, PATIENCE, READS,
    certificates::Authority,
    service::{BUSY, Service},
    token,
};
use holdup::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    source::{Backoff, Beside, Command, Credentials, Event, Link, MemoryOptions, Options, Target, open},
    update::{Doing, WorkerStack},
};
use std::time::Duration;
use tokio::time::timeout;

/// How often it is asked again where what runs was not there in time.
const TRIES: usize = 20;

/// What is in no stall, however long its poll lasts.
const NO_STALLS: (&str, &str) = ("HOLDUP_STALL_THRESHOLD", "1h");

/// A session with a service, fed by the link that a user has.
struct Watching {
    link: Link,
    session: Session,
}

impl Watching {
    async fn begin(target: &str, credentials: Credentials) -> Self {
        let (first, cap) = (Duration::from_millis(10), Duration::from_millis(40));
        let backoff = Backoff::new(first, cap).expect("valid bounds");
        let memory = MemoryOptions { beside: Beside::Forbidden, ..MemoryOptions::default() };
        let options = Options { backoff, answer_timeout: PATIENCE, credentials, memory, ..Options::default() };
        let link = open(target.parse::<Target>().expect("a target"), options);
        let session = Session::new(&Settings::default(), Retention::default());
        let mut watching = Self { link, session };
        watching
            .until(|session, _| session.model().agent().workers().iter().any(|worker| worker.stats.thread.is_some()))
            .await;
        watching
    }

    /// Goes on until this holds, and tells of the event at which it did.
    async fn until(&mut self, holds: impl Fn(&Session, &Event) -> bool) -> Event {
        let came = async {
            loop {
                let event = self.link.events.recv().await.expect("the link goes on");
                self.session.apply(event.clone());
                if holds(&self.session, &event) {
                    return event;
                }
            }
        };
        timeout(PATIENCE, came).await.expect("in time")
    }

    async fn ask(&self) {
        self.link.commands.send(Command::CaptureStacks).await.expect("the link goes on");
    }

    /// What is known of the one worker.
    fn asked_of_worker(session: &Session) -> Option<&WorkerStack> {
        let agent = session.model().agent();
        agent.workers().iter().find_map(|worker| agent.asked_of(worker.stats.id))
    }

    /// Asks again until the worker is seen in what it does, with what is said when it may not be asked yet.
    async fn sees_what_it_does(&mut self) -> WorkerStack {
        for _ in 0..TRIES {
            self.ask().await;
            let event = self.until(|_, event| is_answer(event)).await;
            if let Event::CommandFailed { reason, .. } = &event {
                assert!(reason.contains("less than a second ago"), "{reason}");
                tokio::time::sleep(Duration::from_millis(1_100)).await;
            }
            let seen = Self::asked_of_worker(&self.session).filter(|asked| is_computing(asked));
            if let Some(seen) = seen {
                return seen.clone();
            }
        }
        panic!("it was not seen: {:#?}", Self::asked_of_worker(&self.session));
    }

    /// Asks, and has why there is nothing.
    async fn is_refused(&mut self) -> String {
        self.ask().await;
        let failed = self.until(|_, event| matches!(event, Event::CommandFailed { .. })).await;
        let Event::CommandFailed { command: Command::CaptureStacks, reason } = failed else { panic!("{failed:?}") };
        reason
    }
}

fn is_answer(event: &Event) -> bool {
    match event {
        Event::CommandFailed { .. } => true,
        Event::Update(update) => !update.worker_stacks.is_empty(),
        _ => false,
    }
}

fn is_computing(asked: &WorkerStack) -> bool {
    let frames = asked.stack.iter().flat_map(|stack| &stack.frames);
    asked.doing == Doing::Running && frames.into_iter().any(|frame| frame.function.ends_with("computes_for_good"))
}

#[tokio::test]
async fn by_tcp_it_takes_the_right_and_the_log_has_each_ask() {
    let authority = Authority::new();
    let file = authority.write_own("tokens", &format!("{READS}\n{ACTS} watch,capture\n"));
    let environment = [("HOLDUP_TOKEN_FILE", file.as_str()), (BUSY, "1"), NO_STALLS];
    let mut service = Service::on_loopback(&environment);
    let with = |text: &str| Credentials { token: Some(token(text)), ..Credentials::default() };

    let mut reads = Watching::begin(&service.target("http"), with(READS)).await;
    let reason = reads.is_refused().await;
    assert!(reason.contains("no right to capture: a token needs `watch,capture`"), "{reason}");
    let told = service.line("WARN holdup::audit: ");
    for part in ["kind=\"refusal\"", "CaptureStacks: this takes the right to capture", "unsaid=0"] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let mut acts = Watching::begin(&service.target("http"), with(ACTS)).await;
    let seen = acts.sees_what_it_does().await;
    assert!(seen.task.is_some() && seen.thread.is_some_and(|thread| thread.tid > 0));
    let told = service.line("kind=\"act\" ");
    for part in ["who=\"token 2\"", "what=\"CaptureStacks\""] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // It accuses nobody.
    assert_eq!(acts.session.engine().findings().filter(|finding| finding.lint.name.contains("stall")).count(), 0);
    assert!(acts.session.model().agent().stalls().next().is_none());

    // Twice at once: once more than it may be.
    acts.ask().await;
    let reason = acts.is_refused().await;
    assert!(reason.contains("less than a second ago") || reason.contains("just now"), "{reason}");
    let told = service.line("WARN holdup::audit: ");
    for part in ["kind=\"refusal\"", "who=\"token 2\"", "CaptureStacks: stacks were asked for less than a second ago"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn by_tcp_nobody_has_the_right_who_has_shown_nothing() {
    let service = Service::on_loopback(&[(BUSY, "1"), NO_STALLS]);
    let reason = Watching::begin(&service.target("http"), Credentials::default()).await.is_refused().await;
    assert!(reason.contains("no right to capture"), "{reason}");
}

#[tokio::test]
async fn the_owner_of_a_socket_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = format!("unix:{}", folder.path().join("agent.sock").display());
    let _service = Service::start(&[("HOLDUP_ADDR", &socket), (BUSY, "1"), NO_STALLS]);
    Watching::begin(&socket, Credentials::default()).await.sees_what_it_does().await;
}
