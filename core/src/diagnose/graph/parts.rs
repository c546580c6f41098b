//! What somebody is made of: who waits as a whole, or by branches of `join!` each for itself, and which frame belongs to which. Any
//! branch of a `select!` gets the whole of it on, and so does whatever else is polled and not known.

use super::{Actor, Graph, Needs, Node, Step, Way};
use crate::update::{
    Stamp,
    look::{Chain, FrameKind, Reach},
};

/// What awaits all of its branches.
const JOIN: &str = "join!";

/// Which part a frame belongs to, and whether it is polled when that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) node: usize,
    pub(super) polled: Polled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Polled {
    Yes,
    No,
}

impl Graph {
    /// A node for somebody, or for a part of them, that has no way to go on yet.
    pub(super) fn node(&mut self, actor: Actor, within: Option<usize>, since: Stamp) -> usize {
        self.nodes.push(Node {
            actor,
            within,
            needs: Needs::Any,
            step: Step::Waits,
            ways: Vec::new(),
            escapes: Vec::new(),
            gives: Vec::new(),
            stands_in: Vec::new(),
            since,
        });
        self.nodes.len() - 1
    }

    /// Somebody can go on: by something that is not known, or needs nobody.
    pub(super) fn open(&mut self, node: usize) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.step = Step::GoesOn;
        }
    }

    /// The parts that a chain has, below the node of the whole: one frame for each of the chain's.
    pub(super) fn parts(&mut self, whole: usize, chain: &Chain, since: Stamp) -> Vec<Frame> {
        let Some(actor) = self.nodes.get(whole).map(|node| node.actor) else { return Vec::new() };
        // Where each level above a frame belongs.
        let mut above: Vec<(u16, usize)> = Vec::new();
        let mut frames = Vec::with_capacity(chain.frames.len());
        for frame in &chain.frames {
            above.retain(|(depth, _)| *depth < frame.depth);
            let mut node = above.last().map_or(whole, |(_, node)| *node);
            let polled = match frame.reach {
                Reach::Polled => Polled::Yes,
                Reach::Held | Reach::Disabled => Polled::No,
                Reach::Maybe => {
                    self.open(node);
                    Polled::No
                }
            };
            if polled == Polled::Yes {
                if self.nodes.get(node).is_some_and(|above| above.needs == Needs::All) {
                    node = self.part(node, actor, since);
                }
                if frame.kind == FrameKind::Opaque {
                    self.open(node);
                }
                if frame.kind == FrameKind::Several && frame.name == JOIN {
                    node = self.part(node, actor, since);
                    if let Some(join) = self.nodes.get_mut(node) {
                        join.needs = Needs::All;
                    }
                }
            }
            above.push((frame.depth, node));
            frames.push(Frame { node, polled });
        }
        frames
    }

    pub(super) fn part(&mut self, of: usize, actor: Actor, since: Stamp) -> usize {
        let part = self.node(actor, Some(of), since);
        if let Some(node) = self.nodes.get_mut(of) {
            node.ways.push(Way::Part(part));
        }
        part
    }
}
