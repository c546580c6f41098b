//! Polls that keep a worker, as one look after the other shows them: the same task is polled by the same worker, whose loop has
//! not turned in between.

use crate::{
    model::{Model, Worker},
    update::{
        Cause, Stall, Stamp, WorkerId,
        look::{ProcessState, Role, Thread},
    },
};

/// A poll that was seen to last for so long keeps its worker. What memory shows first it shows again half a second later.
const LASTS: std::time::Duration = std::time::Duration::from_millis(100);

impl Model {
    /// Tells the stalls that the workers of a look are in. Their workers and threads have been taken in.
    pub(in crate::model) fn tell_stalls_of_looks(&mut self, now: Stamp) {
        if !self.memory.speaks() || self.memory.whole.as_ref().is_none_or(|whole| whole.state != ProcessState::Running)
        {
            return;
        }
        let mut lasting = Vec::new();
        for worker in self.agent.workers() {
            let since =
                worker.stats.polling_since.filter(|since| worker.stats.tick.is_some() && now.since(*since) >= LASTS);
            match since {
                Some(since) => lasting.push(self.stall(worker, since)),
                None => {
                    if let Some(id) = self.memory.stalls.get(&worker.stats.id) {
                        lasting.extend(
                            self.agent
                                .stalls()
                                .find(|stall| stall.id == *id && stall.ended.is_none())
                                .map(|stall| Stall { ended: Some(now), ..stall.clone() }),
                        );
                    }
                }
            }
        }
        for mut stall in lasting {
            let Some(worker) = stall.worker else { continue };
            if stall.ended.is_some() {
                self.memory.stalls.remove(&worker);
                self.memory.stalls_began.remove(&worker);
            } else {
                self.had_a_processor(&mut stall, worker);
                let next = self.memory.stalls_numbered + 1;
                stall.id = *self.memory.stalls.entry(worker).or_insert(next);
                self.memory.stalls_numbered = self.memory.stalls_numbered.max(stall.id);
            }
            self.agent.tell_stall(stall);
        }
    }

    /// A thread that runs, or could: whether it had a processor in the meantime tells its time on one, from the first look at the stall
    /// on. Until that is seen it may be the kernel that lets it wait.
    fn had_a_processor(&mut self, stall: &mut Stall, worker: WorkerId) {
        let threads = self.memory.whole.iter().flat_map(|whole| &whole.threads);
        let Some(used) = threads.filter(|it| it.role == Role::Worker(worker)).find_map(|it| it.cpu) else { return };
        let began = self.memory.stalls_began.entry(worker).or_insert((stall.since, used));
        if began.0 != stall.since {
            // Another poll, of which nothing was seen before.
            *began = (stall.since, used);
        }
        stall.on_cpu = used.saturating_sub(began.1);
        if stall.cause == Cause::Running && stall.on_cpu < LASTS {
            stall.cause = Cause::Starved;
        }
    }

    fn stall(&self, worker: &Worker, since: Stamp) -> Stall {
        let of_worker = |thread: &&Thread| thread.role == Role::Worker(worker.stats.id);
        let thread = self.memory.whole().and_then(|whole| whole.threads.iter().find(of_worker));
        Stall {
            id: 0,
            runtime: worker.stats.id.runtime,
            worker: Some(worker.stats.id),
            thread: worker.stats.thread.clone(),
            task: worker.stats.polling,
            since,
            ended: None,
            cause: thread.map_or(Cause::Unknown, cause),
            system_call: thread.map_or_else(String::new, |thread| thread.waits_in.clone()),
            kernel_function: String::new(),
            on_cpu: std::time::Duration::ZERO,
            queued: worker.stats.queue,
            stack: thread.and_then(|thread| thread.stack.clone()),
            limitation: String::new(),
        }
    }
}

fn cause(thread: &Thread) -> Cause {
    match (thread.state, thread.waits_in.as_str()) {
        ('R', _) => Cause::Running,
        ('D', _) => Cause::Device,
        ('S', "futex" | "futex_wait" | "futex_wait_queue") => Cause::Lock,
        ('S', "nanosleep" | "clock_nanosleep" | "hrtimer_nanosleep") => Cause::Sleep,
        ('S', _) => Cause::SystemCall,
        _ => Cause::Unknown,
    }
}
