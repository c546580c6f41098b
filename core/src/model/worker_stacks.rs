//! What workers were doing when somebody asked, the latest of each.

use super::Agent;
use crate::update::{WorkerId, WorkerStack};

/// Workers of which that is kept; of more, those that were asked for last.
const MOST: usize = 512;

impl Agent {
    /// What a worker was doing when somebody asked last.
    pub fn asked_of(&self, id: WorkerId) -> Option<&WorkerStack> {
        self.worker_stacks.iter().find(|asked| asked.id == id)
    }

    pub(super) fn tell_worker_stack(&mut self, told: WorkerStack) {
        self.worker_stacks.retain(|known| known.id != told.id);
        if self.worker_stacks.len() == MOST {
            self.worker_stacks.pop_front();
        }
        self.worker_stacks.push_back(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Doing, RuntimeId, Stamp};

    fn told(index: u32, at: u64) -> WorkerStack {
        let id = WorkerId { runtime: RuntimeId(1), index };
        WorkerStack { id, thread: None, doing: Doing::Parked, task: None, at: Stamp::from_nanos(at), stack: None }
    }

    #[test]
    fn the_latest_of_each_is_kept_and_of_many_those_that_came_last() {
        let mut agent = Agent::default();
        agent.tell_worker_stack(told(0, 5));
        agent.tell_worker_stack(told(1, 5));
        agent.tell_worker_stack(told(0, 9));
        let at = |agent: &Agent, index| {
            agent.asked_of(WorkerId { runtime: RuntimeId(1), index }).map(|asked| asked.at.nanos())
        };
        assert_eq!((at(&agent, 0), at(&agent, 1), at(&agent, 2)), (Some(9), Some(5), None));
        (2..10_000).for_each(|index| agent.tell_worker_stack(told(index, 10)));
        assert_eq!(agent.worker_stacks.len(), MOST);
        assert_eq!((at(&agent, 0), at(&agent, 9_999)), (None, Some(10)));
    }
}
