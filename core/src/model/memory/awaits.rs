//! What a task awaits, in words, and what tells it from what others await.

use crate::{
    model::{Model, Task},
    number::humanize,
    update::{
        Place, Stamp,
        look::{Chain, Frame, FrameKind, Interest, Reach, Socket, TaskLook, ThingId, ThingKind, Wait, WaitOn},
    },
};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What a task awaits, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaits {
    /// The innermost function of the service's own on the way there; empty where that is not known.
    pub function: String,
    /// Where that awaits.
    pub place: Place,
    /// For what; empty where that is not known.
    pub on: String,
    /// How many other waits it has: the branches of a `select!` or `join!`.
    pub others: usize,
}

impl std::fmt::Display for Awaits {
    /// `load src/store.rs:22 → Mutex<Conn>`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut gap = "";
        if !self.function.is_empty() {
            f.write_str(&self.function)?;
            gap = " ";
        }
        if !self.place.file.is_empty() {
            write!(f, "{gap}{}", self.place)?;
            gap = " ";
        }
        if !self.on.is_empty() {
            if !gap.is_empty() {
                f.write_str(" → ")?;
            }
            f.write_str(&self.on)?;
        }
        if self.others > 0 {
            write!(f, " +{}", self.others)?;
        }
        Ok(())
    }
}

/// What is waited for, as far as it tells tasks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwaitsKey {
    /// This lock, semaphore or channel.
    Thing(ThingId),
    /// The end of a task or of a job.
    Join,
    /// A peer, by its number in the model.
    Peer(u32),
    /// A descriptor that leads to no peer, by its number where that is known.
    Io(Option<i32>),
    /// A time.
    Timer,
    /// Something else, as the frames say: the chain.
    Chain(u32),
    /// Nothing: it runs, or is about to.
    Nothing,
    /// That is not known.
    Unknown,
}

/// What says most of several waits: a time is what others are bounded by.
fn main_wait(look: &TaskLook) -> Option<&Wait> {
    let rank = |wait: &&Wait| match wait.on {
        WaitOn::Permits { .. } => 0,
        WaitOn::Join(_) | WaitOn::JoinAny(_) | WaitOn::JoinOneOf(_) | WaitOn::LocalSet => 1,
        WaitOn::Thing(_) | WaitOn::Closed(_) => 2,
        WaitOn::Io { .. } => 3,
        WaitOn::Timer(_) => 4,
        WaitOn::Other => 5,
        WaitOn::Nothing => 6,
    };
    look.waits.iter().min_by_key(rank)
}

impl Model {
    /// What a task awaits; `None` where nobody looked, and of one that has ended.
    pub fn awaits(&self, task: &Task, now: Stamp) -> Option<Awaits> {
        let look = task.look().filter(|_| !task.has_ended())?;
        let chain = look.chain.and_then(|chain| self.memory.chain(chain));
        let wait = main_wait(look);
        let frame = match (chain, wait) {
            (Some(chain), Some(wait)) => chain.service_frame(wait.frame.into()),
            (Some(chain), None) => chain.frames.first(),
            (None, _) => None,
        };
        let on = match (wait, chain) {
            (Some(wait), Some(chain)) if matches!(wait.on, WaitOn::Other) => leaf(chain, wait),
            (Some(wait), _) => self.wait_in_words(wait.on, now),
            (None, _) => String::new(),
        };
        Some(Awaits {
            function: frame.map_or_else(String::new, |frame| last_part(&frame.short())),
            place: frame.map_or_else(Place::default, |frame| frame.place.clone()),
            on,
            others: look.waits.iter().filter(|wait| wait.is_whole()).count().saturating_sub(1),
        })
    }

    /// What a task waits for, as far as it tells it from others. Not known is what one of which no chain is known may wait for beside
    /// its descriptors: these may be the least of it.
    pub fn awaits_key(&self, task: &Task) -> AwaitsKey {
        let Some(look) = task.look() else { return AwaitsKey::Unknown };
        let may_wait_for_others = look.chain.is_none() && look.waits.iter().any(|wait| wait.on == WaitOn::Other);
        match main_wait(look).filter(|_| !may_wait_for_others) {
            Some(wait) => self.wait_key(wait.on, look.chain),
            None => look.chain.map_or(AwaitsKey::Unknown, AwaitsKey::Chain),
        }
    }

    /// One of the things that a task with this chain waits for, as far as it tells it from others.
    pub fn wait_key(&self, on: WaitOn, chain: Option<u32>) -> AwaitsKey {
        match on {
            WaitOn::Permits { of, .. } | WaitOn::Thing(of) | WaitOn::Closed(of) => AwaitsKey::Thing(of),
            WaitOn::Join(_) | WaitOn::JoinAny(_) | WaitOn::JoinOneOf(_) | WaitOn::LocalSet => AwaitsKey::Join,
            WaitOn::Io { fd, .. } => {
                let peer = fd.and_then(|fd| self.memory.peers.of(fd));
                peer.map_or(AwaitsKey::Io(fd), AwaitsKey::Peer)
            }
            WaitOn::Timer(_) => AwaitsKey::Timer,
            WaitOn::Nothing => AwaitsKey::Nothing,
            WaitOn::Other => chain.map_or(AwaitsKey::Unknown, AwaitsKey::Chain),
        }
    }

    /// The tasks that wait above all for one of these descriptors stand in another group now.
    pub(super) fn regroup(&mut self, fds: &FxHashSet<i32>) {
        let waits_for = |task: &Task| {
            let wait = task.look().and_then(|look| main_wait(look));
            matches!(wait.map(|wait| wait.on), Some(WaitOn::Io { fd: Some(fd), .. }) if fds.contains(&fd))
        };
        let regrouped = self.tasks.iter().filter(waits_for).map(Task::slot);
        self.changes.tasks.extend(regrouped);
    }

    /// The same in words.
    pub fn awaits_key_in_words(&self, key: AwaitsKey) -> String {
        match key {
            AwaitsKey::Thing(id) => self.thing_in_words(id),
            AwaitsKey::Join => "the end of a task".into(),
            AwaitsKey::Peer(peer) => self.memory.peers.name(peer).to_owned(),
            AwaitsKey::Io(Some(fd)) => self.descriptor_in_words(fd),
            AwaitsKey::Io(None) => "a descriptor".into(),
            AwaitsKey::Timer => "a time".into(),
            AwaitsKey::Chain(chain) => self.chain_in_words(chain),
            AwaitsKey::Nothing => "nothing: woken, or running".into(),
            AwaitsKey::Unknown => "not known".into(),
        }
    }

    /// A chain in one line: the innermost function of the service's own and where it awaits.
    pub fn chain_in_words(&self, chain: u32) -> String {
        let Some(chain) = self.memory.chain(chain) else { return "not known".into() };
        let end = |frame: &Frame| frame.kind == FrameKind::Leaf && frame.reach == Reach::Polled;
        let begun = |frame: &Frame| frame.reach == Reach::Polled && !frame.has_not_started();
        let last = chain.frames.iter().rposition(begun).unwrap_or(chain.frames.len().saturating_sub(1));
        let frame = chain.service_frame(chain.frames.iter().position(end).unwrap_or(last));
        frame.map_or_else(String::new, |frame| match frame.place.file.as_str() {
            "" => frame.short(),
            _ => format!("{} {}", frame.short(), frame.place),
        })
    }

    /// A thing by its type and by who refers to it: `Mutex<Conn> conn of orders::slow`.
    pub fn thing_in_words(&self, id: ThingId) -> String {
        let Some(thing) = self.memory.thing(id) else { return format!("something at {:#x}", id.0) };
        match thing.names.first() {
            Some(name) => format!("{} {name}", thing.label()),
            None => thing.label().to_owned(),
        }
    }

    /// What one of whom this is known waits for, in a few words: without frames there is nothing that says the rest.
    pub fn wait_of(&self, look: &TaskLook, on: WaitOn, now: Stamp) -> String {
        match on {
            WaitOn::Other if look.chain.is_none() => "something else, which is not known".into(),
            _ => self.wait_in_words(on, now),
        }
    }

    /// What is waited for, in a few words.
    pub fn wait_in_words(&self, on: WaitOn, now: Stamp) -> String {
        match on {
            WaitOn::Permits { of, wanted, missing } => {
                let thing = self.memory.thing(of);
                let label = thing.map_or("a lock or semaphore", |thing| thing.label());
                // A writer wants all permits that there are, which is a number that says nothing.
                let is_lock = thing.is_some_and(|thing| thing.kind == ThingKind::RwLock);
                match (wanted, missing) {
                    (2.., 1..) if is_lock => format!("{label} to write"),
                    (_, 0) => format!("{label}, given, not polled yet"),
                    (0 | 1, _) => label.to_owned(),
                    _ => format!("{wanted} of {label}"),
                }
            }
            WaitOn::Thing(id) => self.memory.thing(id).map_or("something", |thing| thing.label()).to_owned(),
            WaitOn::Closed(id) => {
                format!("end of {}", self.memory.thing(id).map_or("a channel", |thing| thing.label()))
            }
            WaitOn::Timer(at) if at > now => format!("timer in {}", humanize(at.since(now))),
            // It was to come when it was looked at.
            WaitOn::Timer(at) if self.memory.now.is_some_and(|looked| at > looked) => "timer, due by now".into(),
            WaitOn::Timer(at) => format!("timer {} ago", humanize(now.since(at))),
            WaitOn::Join(Some(number)) | WaitOn::JoinOneOf(number) => format!("end of task {number}"),
            WaitOn::Join(None) => "end of a task".into(),
            WaitOn::JoinAny(tasks) => format!("end of any of {tasks} tasks"),
            WaitOn::LocalSet => "end of a LocalSet's tasks".into(),
            WaitOn::Io { fd, interest } => {
                let what = match interest {
                    Interest::Any => "ready",
                    Interest::Read => "readable",
                    Interest::Write => "writable",
                };
                fd.map_or_else(|| format!("a descriptor {what}"), |fd| self.io_in_words(fd, what))
            }
            WaitOn::Nothing => "nothing".into(),
            WaitOn::Other => "as its frames say".into(),
        }
    }

    /// A descriptor by whom it leads to.
    fn descriptor_in_words(&self, fd: i32) -> String {
        match self.memory.socket(fd) {
            Some(socket) if socket.listens => format!("connections on {}", socket.local),
            Some(socket) if !socket.peer.is_empty() => socket.peer.clone(),
            Some(socket) if !socket.local.is_empty() => socket.local.clone(),
            _ => format!("descriptor {fd}"),
        }
    }

    /// A wait for a descriptor, with how long its peer has been silent, if that is for a while.
    fn io_in_words(&self, fd: i32, what: &str) -> String {
        let words = self.descriptor_in_words(fd);
        match self.memory.socket(fd) {
            Some(socket) if socket.listens => words,
            Some(Socket { silent: Some(silent), .. }) if silent.as_secs() > 0 => {
                format!("{words} {what}, silent for {}", humanize(*silent))
            }
            _ => format!("{words} {what}"),
        }
    }

    /// The peer that is waited for, with how long it has been silent, if that is for a while.
    pub(super) fn peer_in_words(&self, fd: i32, interest: Interest) -> String {
        let words = self.descriptor_in_words(fd);
        let room = if interest == Interest::Write { " to take more" } else { "" };
        match self.memory.socket(fd) {
            Some(Socket { silent: Some(silent), listens: false, .. }) if silent.as_secs() > 0 => {
                format!("{words}{room}, silent for {}", humanize(*silent))
            }
            _ => format!("{words}{room}"),
        }
    }

    /// The chain of a task, where it is known.
    pub fn chain_of(&self, task: &Task) -> Option<&Arc<Chain>> {
        self.memory.chain(task.look()?.chain?)
    }
}

/// Where a chain ends that was not gone into further.
fn leaf(chain: &Chain, wait: &Wait) -> String {
    chain.frames.get(usize::from(wait.frame)).map_or_else(String::new, crate::update::look::Frame::short)
}

/// A function's own name: `orders::store::load` is `load`.
fn last_part(name: &str) -> String {
    name.rsplit("::").find(|part| !part.starts_with('{')).unwrap_or(name).to_owned()
}
