//! Polls that last, and those of them that are over.

use super::Agent;
use crate::update::{Stall, TaskId, WorkerId};

/// Stalls that are over are let go of beyond this many, the oldest first.
const PAST_MOST: usize = 256;

impl Agent {
    /// Every stall that lasts, and the latest that are over, the oldest first.
    pub fn stalls(&self) -> impl DoubleEndedIterator<Item = &Stall> {
        self.stalls.iter()
    }

    /// The stall of a worker that lasts now.
    pub fn stall_of_worker(&self, id: WorkerId) -> Option<&Stall> {
        self.stalls().rfind(|stall| stall.worker == Some(id) && stall.ended.is_none())
    }

    /// The latest stall of a task, whether or not it lasts.
    pub fn stall_of_task(&self, id: TaskId) -> Option<&Stall> {
        self.stalls().rfind(|stall| stall.task == Some(id))
    }

    pub(super) fn tell_stall(&mut self, stall: Stall) {
        if let Some(known) = self.stalls.iter_mut().find(|known| known.id == stall.id) {
            *known = stall;
            return;
        }
        self.stalls.push_back(stall);
        if self.stalls.len() > PAST_MOST {
            let over = self.stalls.iter().position(|stall| stall.ended.is_some()).unwrap_or(0);
            self.stalls.remove(over);
        }
    }
}
