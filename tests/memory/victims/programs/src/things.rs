//! What a program's tasks share: locks and semaphores, a map for guards, and the way to make the ends of channels.

use crate::{
    ends::End,
    program::{Program, Side, Thing},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex as Std},
};
use tokio::sync::{Mutex, OwnedMutexGuard, RwLock, Semaphore, mpsc, oneshot, watch};

/// What is behind a lock.
pub trait Counts: Send + Sync + Default + 'static {
    fn counts(&mut self);
}

/// Behind locks whose guards stand in frames alone.
#[derive(Default)]
pub struct Plain(u64);

/// Behind locks whose guards are put away.
#[derive(Default)]
pub struct Kept(u64);

impl Counts for Plain {
    fn counts(&mut self) {
        self.0 += 1;
    }
}

impl Counts for Kept {
    fn counts(&mut self) {
        self.0 += 1;
    }
}

pub enum Shared {
    Mutex(Arc<Mutex<Plain>>),
    KeptMutex(Arc<Mutex<Kept>>),
    RwLock(Arc<RwLock<Plain>>),
    Semaphore(Arc<Semaphore>),
    Channel,
}

pub type Map = Arc<Std<HashMap<usize, OwnedMutexGuard<Kept>>>>;

/// All that the tasks of a program share.
pub fn shared(program: &Program) -> Vec<Shared> {
    let of = |thing: &Thing| match *thing {
        Thing::Mutex => Shared::Mutex(Arc::default()),
        Thing::KeptMutex => Shared::KeptMutex(Arc::default()),
        Thing::RwLock => Shared::RwLock(Arc::default()),
        Thing::Semaphore(permits) => Shared::Semaphore(Arc::new(Semaphore::new(permits as usize))),
        Thing::Channel(_) | Thing::Oneshot | Thing::Watch => Shared::Channel,
    };
    program.things.iter().map(of).collect()
}

/// The ends of all channels, each with its number. Of a channel there is one receiver, of a oneshot one sender as well.
pub fn ends(program: &Program) -> Vec<(usize, End)> {
    let mut all = Vec::new();
    for (at, thing) in program.things.iter().enumerate() {
        let of = |side| {
            let its = program.ends.iter().enumerate().filter(move |(_, end)| end.thing == at && end.side == side);
            its.map(|(number, _)| number)
        };
        let (gives, takes) = (of(Side::Gives), of(Side::Takes));
        match *thing {
            Thing::Channel(room) => {
                let (sender, receiver) = mpsc::channel(room as usize);
                all.extend(gives.map(|number| (number, End::Sender(sender.clone()))));
                all.extend(takes.take(1).zip([End::Receiver(receiver)]));
            }
            Thing::Oneshot => {
                let (sender, receiver) = oneshot::channel();
                all.extend(gives.zip([End::Answer(sender)]));
                all.extend(takes.zip([End::Answered(receiver)]));
            }
            Thing::Watch => {
                let (sender, receiver) = watch::channel(0);
                all.extend(gives.map(|number| (number, End::Sets(sender.clone()))));
                all.extend(takes.map(|number| (number, End::Changes(receiver.clone()))));
            }
            _ => {}
        }
    }
    all
}
