//! What was read of a task in memory, as its page shows it: the chain line by line, what it waits for, what it has.

use crate::{
    model::{Model, Task},
    update::{
        Stamp,
        look::{Certainty, Chain, ClaimKind, Fate, Frame, FrameKind, Reach, Who},
    },
};

/// A page lists at most this many waits and claims.
const MOST: usize = 16;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookLines {
    /// The chain, from the outermost frame in.
    pub frames: Vec<FrameLine>,
    /// What it waits for.
    pub waits: Vec<WaitLine>,
    /// What its frames have.
    pub claims: Vec<String>,
    /// Where it is queued, empty where that is not known.
    pub queued: String,
    /// What else is to be said of it.
    pub fate: Option<&'static str>,
    /// Why the chain is not known; empty where it is.
    pub unread: String,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameLine {
    /// How far in it stands.
    pub indent: u16,
    /// What it is.
    pub name: String,
    /// Where it awaits, empty where that is not known.
    pub place: String,
    /// What is said of it: that it is not polled, or may not be.
    pub note: &'static str,
    /// Whose it is.
    pub whose: Whose,
}

/// Whose a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The service's own.
    Service,
    /// What several futures have in common, or what is not polled: it tells of the service's own, though no author wrote it.
    Shape,
    /// Where it ends, which what it waits for says better.
    Leaf,
    /// A library's.
    Library,
}

/// Something that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitLine {
    /// In words.
    pub what: String,
    /// How it is known.
    pub certainty: Certainty,
    /// Its place in the queue, from 1, and how many are in that.
    pub place: Option<(usize, usize)>,
    /// Who has it, each with how that is known.
    pub holders: Vec<(String, Certainty)>,
}

impl LookLines {
    /// What was read of a task; `None` where nobody looked.
    pub fn of(model: &Model, task: &Task, now: Stamp) -> Option<Self> {
        let look = task.look()?;
        let number = task.number();
        let is_handed_around = |id| model.memory().thing(id).is_some_and(|thing| thing.kind.is_handed_around());
        let waits = look.waits.iter().filter(|wait| wait.is_whole()).take(MOST).map(|wait| {
            let thing = wait.on.thing().and_then(|id| model.memory().thing(id));
            let place = thing.and_then(|thing| {
                let at =
                    thing.queue.iter().position(|waiter| number.is_some_and(|number| waiter.who == Who::Task(number)));
                at.map(|at| (at + 1, thing.queue.len()))
            });
            let holders = thing.map_or(&[][..], |thing| &thing.holders);
            WaitLine {
                what: match wait.on.thing() {
                    Some(id) => model.thing_in_words(id),
                    None => model.wait_of(look, wait.on, now),
                },
                certainty: wait.certainty,
                place,
                holders: holders.iter().take(MOST).map(|holder| (who(model, holder.who), holder.certainty)).collect(),
            }
        });
        Some(Self {
            frames: model.chain_of(task).map_or_else(Vec::new, |chain| frames(chain)),
            waits: waits.collect(),
            claims: look
                .claims
                .iter()
                .take(MOST)
                .map(|claim| {
                    let thing = model.thing_in_words(claim.of);
                    let what = match claim.what {
                        ClaimKind::Permits(0 | 1) => thing,
                        ClaimKind::Permits(permits) => format!("{permits} of {thing}"),
                        ClaimKind::Sender if is_handed_around(claim.of) => format!("a handle to {thing}"),
                        ClaimKind::Sender => format!("the end that sends of {thing}"),
                        ClaimKind::Receiver => format!("the end that receives of {thing}"),
                    };
                    if claim.local.is_empty() { what } else { format!("{what}, in {}", claim.local) }
                })
                .collect(),
            queued: look.queued.in_words(),
            fate: match look.fate {
                Fate::Open => None,
                Fate::Cancelled => Some("somebody asked that it be cancelled"),
                Fate::Panicked => Some("it ended in a panic, and nobody has looked at that"),
            },
            unread: look.unread.to_string(),
        })
    }
}

fn frames(chain: &Chain) -> Vec<FrameLine> {
    let whose = |frame: &Frame| match frame.kind {
        _ if frame.is_of_service() => Whose::Service,
        FrameKind::Leaf if frame.reach == Reach::Polled => Whose::Leaf,
        FrameKind::Several | FrameKind::Opaque => Whose::Shape,
        _ if frame.reach != Reach::Polled => Whose::Shape,
        _ => Whose::Library,
    };
    let line = |(frame, indent): (&Frame, u16)| FrameLine {
        indent,
        name: frame.name.clone(),
        place: if frame.place.file.is_empty() { String::new() } else { frame.place.to_string() },
        note: frame.reach.in_words(),
        whose: whose(frame),
    };
    chain.frames.iter().zip(chain.indents()).map(line).collect()
}

fn who(model: &Model, who: Who) -> String {
    match who {
        Who::Task(number) => crate::app::labels::task_label(model, model.task_of_number(number)),
        Who::Root(thread) => format!("block_on of thread {thread}"),
        Who::Unknown => "somebody who is not known".into(),
    }
}
