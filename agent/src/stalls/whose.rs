//! Whose stack is captured, and what becomes of it: a stall's goes into its record, a worker's to the round that somebody asked for.

use crate::{
    capture::Stack,
    clock,
    collect::threads::{Polling, Thread},
    stalls::{record::Stalls, round::Doing},
};
use std::sync::{Arc, mpsc::Sender};

/// Whose it is.
#[derive(Clone)]
pub(crate) enum Whose {
    /// A stall's, by its id.
    Stall(u64),
    Worker(Place),
}

/// A worker's place in its round.
#[derive(Clone)]
pub(crate) struct Place {
    at: usize,
    thread: Arc<Thread>,
    /// The poll that it was in when it was looked at last.
    polling: Option<Polling>,
    /// Its task, where it was in that poll still when it was copied.
    task: u64,
    back: Sender<(usize, Captured)>,
}

/// What was captured of a worker.
pub(crate) struct Captured {
    pub(super) doing: Doing,
    /// The task that it polled; 0 for none, and where that is not certain.
    pub(super) task: u64,
    pub(super) stack: Stack,
}

impl Place {
    pub(super) fn new(at: usize, thread: Arc<Thread>, back: Sender<(usize, Captured)>) -> Self {
        Self { at, thread, polling: None, task: 0, back }
    }

    fn is_in_the_same_poll(&self) -> bool {
        self.thread.polling() == self.polling
    }

    fn send(&self, doing: Doing, stack: Stack) {
        // The round may be over.
        let _ = self.back.send((self.at, Captured { doing, task: self.task, stack }));
    }
}

impl Whose {
    /// It is about to be looked at.
    pub(super) fn look(&mut self) {
        if let Self::Worker(place) = self {
            place.polling = place.thread.polling();
        }
    }

    /// Whether another poll has begun since, or that one has ended: what was copied meanwhile is of neither.
    pub(super) fn has_moved_on(&self) -> bool {
        matches!(self, Self::Worker(place) if !place.is_in_the_same_poll())
    }

    /// It was copied just now.
    pub(super) fn copied(&mut self) {
        if let Self::Worker(place) = self {
            let polling = place.polling.filter(|_| place.is_in_the_same_poll());
            place.task = polling.map_or(0, |polling| polling.task);
        }
    }

    /// Whether a thread that sleeps has nothing to do, so that its stack is of no use.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Self::Worker(Place { polling: None, .. }))
    }

    /// Hands over what was captured.
    pub(super) fn take(&self, doing: Doing, stack: Stack, stalls: &Stalls) {
        match self {
            Self::Stall(id) => stalls.update(*id, |stall| stall.stack = Some(Arc::new(stack))),
            Self::Worker(place) => place.send(doing, stack),
        }
    }

    /// Says why there is no stack. One of a stall that was captured before stays.
    pub(super) fn tell(&self, doing: Doing, limitation: &str, stalls: &Stalls) {
        let none = || Stack::none(clock::now(), limitation);
        match self {
            Self::Stall(id) => stalls.update(*id, |stall| {
                stall.stack.get_or_insert_with(|| Arc::new(none()));
            }),
            Self::Worker(place) => place.send(doing, none()),
        }
    }
}
