//! The sessions of many targets, and the tasks that feed them.

use super::brief::{Brief, Course};
use crate::{
    diagnose::Settings,
    model::Retention,
    session::Session,
    source::{self, Attachment, Target},
    update::{BeginMode, Command, Connection, Event, Part},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinSet,
};

/// What a member is asked for.
enum Ask {
    /// Its session, until it is given back.
    Lend(oneshot::Sender<Loan>),
    /// To try to connect now, if it is lost.
    Retry,
}

/// A session that is lent, with what feeds it.
pub struct Loan {
    /// The session.
    pub session: Session,
    /// What feeds it.
    pub attachment: Attachment,
    back: oneshot::Sender<(Session, Attachment)>,
}

impl Loan {
    /// Takes it apart: what feeds the session, the session, and how both go back.
    pub fn apart(self) -> (Session, Attachment, impl FnOnce(Session, Attachment)) {
        let back = self.back;
        let give_back = move |session, attachment| {
            // Who is not there any more needs it no more.
            let _ = back.send((session, attachment));
        };
        (self.session, self.attachment, give_back)
    }
}

/// What a member tells the others, and what it is asked for.
struct Member {
    told: Arc<Mutex<Arc<Brief>>>,
    asks: mpsc::Sender<Ask>,
}

/// Many targets, each with a session that a task of its own feeds. They end with this.
pub struct Crew {
    members: Vec<Member>,
    changed: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Crew {
    /// Attaches to all of them.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time and I/O enabled.
    pub fn attach(
        targets: impl IntoIterator<Item = Target>,
        options: &source::Options,
        settings: &Settings,
        retention: Retention,
    ) -> Self {
        let changed = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let member = |target| {
            let (asks, asked) = mpsc::channel(1);
            let told = Arc::new(Mutex::new(Arc::new(Brief::nothing())));
            let feeding = Feeding {
                session: Session::new(settings, retention),
                attachment: Attachment::new(source::open(target, options.clone())),
                told: Arc::clone(&told),
                course: Course::default(),
                changed: Arc::clone(&changed),
            };
            tasks.spawn(feeding.run(asked));
            Member { told, asks }
        };
        let members = targets.into_iter().map(member).collect();
        Self { members, changed, _tasks: tasks }
    }

    /// What is told of each, in their order.
    pub fn briefs(&self) -> Vec<Arc<Brief>> {
        let told = |member: &Member| Arc::clone(&member.told.lock().unwrap_or_else(PoisonError::into_inner));
        self.members.iter().map(told).collect()
    }

    /// Waits until something else is told of one of them.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Borrows a session, which nobody else feeds until it is given back; `None` where there is none.
    pub async fn lend(&self, nth: usize) -> Option<Loan> {
        let (give, given) = oneshot::channel();
        self.members.get(nth)?.asks.send(Ask::Lend(give)).await.ok()?;
        given.await.ok()
    }

    /// Those that are lost try to connect now.
    pub fn retry(&self) {
        for member in &self.members {
            // One that is asked for something else has enough to do.
            let _ = member.asks.try_send(Ask::Retry);
        }
    }
}

/// A session, and what feeds it.
struct Feeding {
    session: Session,
    attachment: Attachment,
    told: Arc<Mutex<Arc<Brief>>>,
    course: Course,
    changed: Arc<Notify>,
}

impl Feeding {
    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let mut goes_on = true;
        loop {
            tokio::select! {
                event = self.attachment.next(self.session.wants()), if goes_on => match event {
                    Some(event) => self.take_in(event),
                    None => goes_on = false,
                },
                ask = asked.recv() => match ask {
                    Some(Ask::Lend(to)) => match lend(self, to).await {
                        Some(returned) => self = returned,
                        None => return,
                    },
                    Some(Ask::Retry) => {
                        if matches!(self.session.status().connection, Connection::Lost { .. } | Connection::GaveUp { .. }) {
                            self.attachment.send(Command::RetryNow);
                        }
                    }
                    None => return,
                },
            }
        }
    }

    fn take_in(&mut self, event: Event) {
        let is_whole = matches!(&event, Event::Update(update) if update.part == Part::Last);
        let is_news = is_whole || matches!(event, Event::Connection(_) | Event::Begin(_) | Event::Temporality(_));
        match &event {
            Event::Begin(begin) if begin.mode == BeginMode::Alone => self.course.heard = None,
            Event::Connection(Connection::Lost { reason, .. }) => {
                self.course.why.clone_from(reason);
                self.course.lost = Some(Instant::now());
            }
            _ => {}
        }
        self.session.apply(event);
        if is_whole {
            self.course.heard = Some(Instant::now());
        }
        if is_news {
            self.tell();
        }
    }

    fn tell(&self) {
        let brief = Arc::new(Brief::of(&self.session, &self.course));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = brief;
        self.changed.notify_one();
    }
}

/// Lends the session, and goes on when it is back; `None` where it does not come back.
async fn lend(feeding: Feeding, to: oneshot::Sender<Loan>) -> Option<Feeding> {
    let Feeding { session, attachment, told, course, changed } = feeding;
    let (back, returned) = oneshot::channel();
    let (session, attachment) = match to.send(Loan { session, attachment, back }) {
        Ok(()) => returned.await.ok()?,
        Err(Loan { session, attachment, .. }) => (session, attachment),
    };
    let feeding = Feeding { session, attachment, told, course, changed };
    feeding.tell();
    Some(feeding)
}
