//! Ends of channels. Each is a variable of a frame of the task that has it, and is used from the frames below by reference.

use crate::{
    program::{Step, Used},
    run::{Boxed, Cx, run},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// On the way from one task to another.
pub enum End {
    Sender(mpsc::Sender<u64>),
    Receiver(mpsc::Receiver<u64>),
    Answer(oneshot::Sender<u64>),
    Answered(oneshot::Receiver<u64>),
    Sets(watch::Sender<u64>),
    Changes(watch::Receiver<u64>),
}

/// Where a frame has it, until it is used up or given to another task.
pub enum Slot<'a> {
    Sender(&'a mut Option<mpsc::Sender<u64>>),
    Receiver(&'a mut Option<mpsc::Receiver<u64>>),
    Answer(&'a mut Option<oneshot::Sender<u64>>),
    Answered(&'a mut Option<oneshot::Receiver<u64>>),
    Sets(&'a mut Option<watch::Sender<u64>>),
    Changes(&'a mut Option<watch::Receiver<u64>>),
    Handle(&'a mut Option<JoinHandle<()>>),
}

impl Slot<'_> {
    fn again(&mut self) -> Slot<'_> {
        match self {
            Self::Sender(slot) => Slot::Sender(slot),
            Self::Receiver(slot) => Slot::Receiver(slot),
            Self::Answer(slot) => Slot::Answer(slot),
            Self::Answered(slot) => Slot::Answered(slot),
            Self::Sets(slot) => Slot::Sets(slot),
            Self::Changes(slot) => Slot::Changes(slot),
            Self::Handle(slot) => Slot::Handle(slot),
        }
    }

    fn taken(&mut self) -> Option<End> {
        Some(match self {
            Self::Sender(slot) => End::Sender(slot.take()?),
            Self::Receiver(slot) => End::Receiver(slot.take()?),
            Self::Answer(slot) => End::Answer(slot.take()?),
            Self::Answered(slot) => End::Answered(slot.take()?),
            Self::Sets(slot) => End::Sets(slot.take()?),
            Self::Changes(slot) => End::Changes(slot.take()?),
            Self::Handle(_) => return None,
        })
    }
}

/// What a task can use where it stands.
#[derive(Default)]
pub struct Ends<'a>(Vec<(Used, Slot<'a>)>);

impl<'a> Ends<'a> {
    pub fn add(&mut self, used: Used, slot: Slot<'a>) {
        self.0.push((used, slot));
    }

    pub fn again(&mut self) -> Ends<'_> {
        Ends(self.0.iter_mut().map(|(used, slot)| (*used, slot.again())).collect())
    }

    /// Those that are used by one part, and all others.
    pub fn split(&mut self, part: &[Used]) -> (Ends<'_>, Ends<'_>) {
        let all = self.0.iter_mut().map(|(used, slot)| (*used, slot.again()));
        let (mine, rest): (Vec<_>, Vec<_>) = all.partition(|(used, _)| part.contains(used));
        (Ends(mine), Ends(rest))
    }

    /// What one step uses.
    pub fn slot(&mut self, used: Used) -> Slot<'_> {
        let found = self.0.iter_mut().find(|(other, _)| *other == used);
        found.map(|(_, slot)| slot.again()).unwrap_or_else(|| panic!("it has no {used:?}"))
    }

    /// Takes these out, to be given to another task.
    pub fn taken(&mut self, which: &[usize]) -> Vec<(usize, End)> {
        let of = |(used, slot): &mut (Used, Slot<'_>)| match used {
            Used::End(at) if which.contains(at) => Some((*at, slot.taken()?)),
            _ => None,
        };
        self.0.iter_mut().filter_map(of).collect()
    }
}

/// Runs a block with these ends as variables.
pub fn with<'a>(cx: &'a Cx, mut left: Vec<(usize, End)>, ends: Ends<'a>, body: &'a [Step]) -> Boxed<'a> {
    let Some((at, end)) = left.pop() else { return run(cx, ends, body) };
    match end {
        End::Sender(end) => Box::pin(has_sender(cx, (at, left), end, ends, body)),
        End::Receiver(end) => Box::pin(has_receiver(cx, (at, left), end, ends, body)),
        End::Answer(end) => Box::pin(has_answer(cx, (at, left), end, ends, body)),
        End::Answered(end) => Box::pin(has_answered(cx, (at, left), end, ends, body)),
        End::Sets(end) => Box::pin(has_sets(cx, (at, left), end, ends, body)),
        End::Changes(end) => Box::pin(has_changes(cx, (at, left), end, ends, body)),
    }
}

/// An end's number, and those for which a frame is still to be made.
type More = (usize, Vec<(usize, End)>);

macro_rules! has {
    ($($name:ident: $slot:ident($ty:ty);)*) => {$(
        async fn $name<'a>(cx: &'a Cx, (at, left): More, end: $ty, ends: Ends<'a>, body: &'a [Step]) {
            let mut end = Some(end);
            let mut ends: Ends<'_> = ends;
            ends.add(Used::End(at), Slot::$slot(&mut end));
            with(cx, left, ends, body).await;
        }
    )*};
}

has! {
    has_sender: Sender(mpsc::Sender<u64>);
    has_receiver: Receiver(mpsc::Receiver<u64>);
    has_answer: Answer(oneshot::Sender<u64>);
    has_answered: Answered(oneshot::Receiver<u64>);
    has_sets: Sets(watch::Sender<u64>);
    has_changes: Changes(watch::Receiver<u64>);
}
