//! Goes through a program. Each kind of step is an async function of its own, with what it has in its frame: whoever reads the
//! process reads what services have.

use crate::{
    ends::{self, End, Ends, Slot},
    log::Log,
    program::{How, Length, Phase, Program, Step, Used, What},
    scopes,
    things::{self, Map, Shared},
};
use std::{
    pin::Pin,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::sleep;

pub type Boxed<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What the tasks of a program share.
pub struct Cx {
    pub program: Arc<Program>,
    pub things: Vec<Shared>,
    pub map: Map,
    pub log: Arc<Log>,
    itself: Weak<Self>,
}

impl Cx {
    pub fn shared(&self) -> Arc<Self> {
        self.itself.upgrade().expect("somebody uses it")
    }

    pub fn reaches(&self, step: &Step, phase: Phase) {
        self.log.reaches(step.number, phase);
    }
}

/// Starts the tasks that no other starts.
pub fn start(program: Program, log: Arc<Log>) {
    let (things, mut all) = (things::shared(&program), things::ends(&program));
    let cx = Arc::new_cyclic(|itself| Cx {
        program: Arc::new(program),
        things,
        map: Map::default(),
        log,
        itself: itself.clone(),
    });
    for (at, task) in cx.program.tasks.iter().enumerate() {
        if task.parent.is_none() {
            let below = cx.program.below(at);
            let (given, left) = all.into_iter().partition(|(end, _)| below.contains(&cx.program.ends[*end].task));
            all = left;
            spawn(&cx, at, given);
        }
    }
}

/// Spawns a task with its ends.
pub fn spawn(cx: &Arc<Cx>, at: usize, given: Vec<(usize, End)>) -> tokio::task::JoinHandle<()> {
    let handle = tokio::spawn(task(Arc::clone(cx), at, given));
    cx.log.spawned(at, handle.id());
    handle
}

async fn task(cx: Arc<Cx>, at: usize, given: Vec<(usize, End)>) {
    ends::with(&cx, given, Ends::default(), &cx.program.tasks[at].body).await;
}

/// Step after step.
pub fn run<'a>(cx: &'a Cx, ends: Ends<'a>, steps: &'a [Step]) -> Boxed<'a> {
    Box::pin(block(cx, ends, steps))
}

async fn block<'a>(cx: &'a Cx, mut ends: Ends<'a>, steps: &'a [Step]) {
    for step in steps {
        one(cx, ends.again(), step).await;
    }
}

fn one<'a>(cx: &'a Cx, ends: Ends<'a>, step: &'a Step) -> Boxed<'a> {
    match &step.what {
        What::Hold { thing, how, body, after } => {
            let then = scopes::Then { cx, step, ends, body, after };
            match (&cx.things[*thing], *how) {
                (Shared::Mutex(lock), How::Lock) => Box::pin(scopes::locks(then, Arc::clone(lock))),
                (Shared::KeptMutex(lock), How::Lock) => Box::pin(scopes::locks(then, Arc::clone(lock))),
                (Shared::Mutex(lock), _) => Box::pin(scopes::locks_owned(then, Arc::clone(lock))),
                (Shared::KeptMutex(lock), _) => Box::pin(scopes::locks_owned(then, Arc::clone(lock))),
                (Shared::RwLock(lock), How::Read) => Box::pin(scopes::reads(then, Arc::clone(lock))),
                (Shared::RwLock(lock), _) => Box::pin(scopes::writes(then, Arc::clone(lock))),
                (Shared::Semaphore(semaphore), How::Permits(count)) => {
                    Box::pin(scopes::acquires(then, Arc::clone(semaphore), count))
                }
                (_, how) => panic!("{how:?} of something else"),
            }
        }
        What::Reserve { end, body, after } => {
            Box::pin(scopes::reserves(scopes::Then { cx, step, ends, body, after }, Used::End(*end)))
        }
        What::Keep { thing, place } => match &cx.things[*thing] {
            Shared::KeptMutex(lock) => Box::pin(scopes::keeps(cx, step, Arc::clone(lock), *place)),
            _ => panic!("a guard that is not to be put away"),
        },
        What::Give { end } => Box::pin(gives(cx, ends, step, Used::End(*end))),
        What::Take { end } => Box::pin(takes(cx, ends, step, Used::End(*end))),
        What::Sleep(length) => Box::pin(sleeps(cx, step, *length)),
        What::Spawn { task, body } => Box::pin(scopes::spawns(cx, ends, step, *task, body)),
        What::Join { task } => Box::pin(joins(cx, ends, step, Used::Handle(*task))),
        What::Both { left, right } => Box::pin(scopes::both(cx, ends, step, left, right)),
        What::Either { branches } => match &branches[..] {
            [one, two] => Box::pin(scopes::either(cx, ends, step, one, two)),
            [one, two, three] => Box::pin(scopes::any(cx, ends, step, [one, two, three])),
            _ => panic!("two branches, or three"),
        },
        What::Timeout { length, body } => Box::pin(scopes::timeout(cx, ends, step, *length, body)),
        What::Start { start, first, rest } => scopes::start(cx, ends, step, *start, first, rest),
    }
}

pub fn span(length: Length) -> Duration {
    match length {
        Length::Short => Duration::from_millis(20),
        Length::Long => Duration::from_secs(100_000),
    }
}

async fn sleeps(cx: &Cx, step: &Step, length: Length) {
    cx.reaches(step, Phase::Waiting);
    sleep(span(length)).await;
    cx.reaches(step, Phase::Done);
}

async fn gives(cx: &Cx, mut ends: Ends<'_>, step: &Step, used: Used) {
    cx.reaches(step, Phase::Waiting);
    match ends.slot(used) {
        Slot::Sender(Some(sender)) => drop(sender.send(1).await),
        Slot::Answer(answer) => drop(answer.take().map(|answer| answer.send(1))),
        Slot::Sets(Some(sets)) => sets.send_modify(|value| *value += 1),
        _ => panic!("it cannot give"),
    }
    cx.reaches(step, Phase::Done);
}

async fn takes(cx: &Cx, mut ends: Ends<'_>, step: &Step, used: Used) {
    cx.reaches(step, Phase::Waiting);
    match ends.slot(used) {
        Slot::Receiver(Some(receiver)) => drop(receiver.recv().await),
        Slot::Answered(slot) => {
            if let Some(answered) = slot.as_mut() {
                let _ = answered.await;
            }
            *slot = None;
        }
        Slot::Changes(Some(changes)) => drop(changes.changed().await),
        _ => panic!("it cannot take"),
    }
    cx.reaches(step, Phase::Done);
}

async fn joins(cx: &Cx, mut ends: Ends<'_>, step: &Step, used: Used) {
    cx.reaches(step, Phase::Waiting);
    if let Slot::Handle(slot) = ends.slot(used) {
        if let Some(handle) = slot.as_mut() {
            let _ = handle.await;
        }
        *slot = None;
    }
    cx.reaches(step, Phase::Done);
}
