//! Whoever can go on does, and gives back what they have: permits go to the next in the queue, who sends may send, who receives makes
//! room, who ends is waited for no more. Each of these happens once, so that it takes as long as the graph is large.

use super::{Escapes, Gives, Graph, Keeps, Needs, Node, Queued, Step, Way};
use crate::update::ResourceId;

/// More permits than anybody asks for.
const PLENTY: u64 = u64::MAX / 2;

impl Graph {
    /// What remains waiting can never go on.
    pub(super) fn reduce(&mut self, escapes: Escapes) {
        let can_begin = |node: &Node| {
            let is_bound = !node.ways.is_empty() && (node.escapes.is_empty() || escapes == Escapes::LeftOut);
            node.step == Step::GoesOn || !is_bound
        };
        let mut todo: Vec<usize> =
            (0..self.nodes.len()).filter(|&at| self.nodes.get(at).is_some_and(can_begin)).collect();
        for &node in &todo {
            self.open(node);
        }
        let things: Vec<ResourceId> = self.things.keys().copied().collect();
        for id in things {
            self.serve(id, &mut todo);
        }
        let mut inner: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(parts) = node.within.and_then(|within| inner.get_mut(within)) {
                parts.push(at);
            }
        }
        while let Some(at) = todo.pop() {
            // Whoever goes on leaves what they awaited.
            for part in inner.get_mut(at).map(std::mem::take).unwrap_or_default() {
                self.free(part, &mut todo);
            }
            if let Some(within) = self.nodes.get(at).and_then(|node| node.within)
                && self.needs_no_more(within)
            {
                self.free(within, &mut todo);
            }
            for gives in self.nodes.get_mut(at).map(|node| std::mem::take(&mut node.gives)).unwrap_or_default() {
                self.give(gives, &mut todo);
            }
            self.lend(at, &mut todo);
            // Those behind it move up.
            for id in self.nodes.get_mut(at).map(|node| std::mem::take(&mut node.stands_in)).unwrap_or_default() {
                self.serve(id, &mut todo);
            }
            for waits in self.joins.remove(&at).unwrap_or_default() {
                self.free(waits, &mut todo);
            }
        }
    }

    /// A branch may send and receive by what is around it, which it borrows. It cannot give back a guard so.
    fn lend(&mut self, at: usize, todo: &mut Vec<usize>) {
        let mut around = self.nodes.get(at).and_then(|node| node.within);
        while let Some(node) = around.and_then(|around| self.nodes.get_mut(around)) {
            around = node.within;
            for gives in node.gives.extract_if(.., |gives| !matches!(gives, Gives::Permits(..))).collect::<Vec<_>>() {
                self.give(gives, todo);
            }
        }
    }

    fn free(&mut self, at: usize, todo: &mut Vec<usize>) {
        let Some(node) = self.nodes.get_mut(at).filter(|node| node.step == Step::Waits) else { return };
        node.step = Step::GoesOn;
        todo.push(at);
    }

    /// Whether enough of its parts have gone on.
    fn needs_no_more(&self, at: usize) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        let goes_on = |way: &Way| matches!(way, Way::Part(part) if self.goes_on(*part));
        match node.needs {
            Needs::Any => node.ways.iter().any(goes_on),
            Needs::All => node.ways.iter().all(goes_on),
        }
    }

    pub(super) fn goes_on(&self, at: usize) -> bool {
        self.nodes.get(at).is_none_or(|node| node.step == Step::GoesOn)
    }

    fn give(&mut self, gives: Gives, todo: &mut Vec<usize>) {
        match gives {
            Gives::Permits(id, permits) => {
                if let Some(thing) = self.things.get_mut(&id) {
                    thing.pool = thing.pool.saturating_add(permits);
                    self.serve(id, todo);
                }
            }
            Gives::Sender(id) => {
                let listening = self.things.get_mut(&id).map(|thing| std::mem::take(&mut thing.listening));
                for node in listening.unwrap_or_default() {
                    self.free(node, todo);
                }
            }
            Gives::Receiver(id) => {
                let room = self.things.get(&id).and_then(|thing| thing.room);
                if let Some(room) = room {
                    self.give(Gives::Permits(room, PLENTY), todo);
                }
            }
        }
    }

    /// Those at the head of a queue for whom there is enough go on. What is given to a future that nobody polls is given to nobody, until
    /// whoever has it goes on.
    fn serve(&mut self, id: ResourceId, todo: &mut Vec<usize>) {
        while let Some(thing) = self.things.get_mut(&id) {
            let Some(Queued { node, wanted, keeps }) = thing.queue.front().copied() else { return };
            let Some(waits) = self.nodes.get_mut(node) else { return };
            if waits.step == Step::Waits {
                if thing.pool < wanted {
                    return;
                }
                if keeps == Keeps::BeforeUnpolled {
                    thing.pool -= wanted;
                    waits.gives.push(Gives::Permits(id, wanted));
                    let known = (waits.since, self.now.unwrap_or(waits.since));
                    thing.kept.push(super::Kept { node, keeps: Keeps::HasUnpolled, known });
                } else {
                    waits.step = Step::GoesOn;
                    todo.push(node);
                }
            }
            thing.queue.pop_front();
        }
    }
}
