//! Polls that keep a worker, as one look after the other shows them: the same task is polled by the same worker, whose loop has
//! not turned in between.

use crate::{
    model::{Model, Worker},
    update::{
        Cause, Stall, Stamp, WorkerId,
        look::{ProcessState, Thread},
    },
};
use rustc_hash::FxHashMap;
use std::{sync::Arc, time::Duration};

/// A poll that was seen to last for so long keeps its worker. What memory shows first it shows again half a second later.
const LASTS: Duration = Duration::from_millis(100);

/// What the kernel has counted of the threads, at a look.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Counted {
    at: Option<Stamp>,
    threads: FxHashMap<u32, Counts>,
}

/// What it counts of one: time on a processor, and time that it could have run and was not let.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
struct Counts {
    cpu: Duration,
    waited: Duration,
}

impl Counted {
    /// What was counted of a thread since an earlier look; nothing of one that was not there.
    fn since(&self, before: &Self, tid: u32) -> Counts {
        let (Some(now), Some(then)) = (self.threads.get(&tid), before.threads.get(&tid)) else {
            return Counts::default();
        };
        Counts { cpu: now.cpu.saturating_sub(then.cpu), waited: now.waited.saturating_sub(then.waited) }
    }
}

impl Model {
    /// Tells the stalls that the workers of a look are in. Their workers and threads have been taken in.
    pub(in crate::model) fn tell_stalls_of_looks(&mut self, now: Stamp) {
        if !self.memory.speaks() || self.memory.whole.as_ref().is_none_or(|whole| whole.state != ProcessState::Running)
        {
            return;
        }
        let counted = Arc::new(self.count_threads(now));
        let before = std::mem::replace(&mut self.memory.counted, counted.clone());
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
                self.had_a_processor(&mut stall, worker, &counted, &before);
                let next = self.memory.stalls_numbered + 1;
                stall.id = *self.memory.stalls.entry(worker).or_insert(next);
                self.memory.stalls_numbered = self.memory.stalls_numbered.max(stall.id);
            }
            self.agent.tell_stall(stall);
        }
    }

    /// Whether it is the kernel that keeps a poll: its thread could run and has no processor, or it waits for another thread that has
    /// none. Counted from the look on that showed the poll first, or the next one.
    fn had_a_processor(&mut self, stall: &mut Stall, worker: WorkerId, counted: &Arc<Counted>, before: &Arc<Counted>) {
        let first = if before.at == Some(stall.since) { before } else { counted };
        let began = self.memory.stalls_began.entry(worker).or_insert_with(|| (stall.since, first.clone()));
        if began.0 != stall.since {
            // Another poll, of which nothing was seen before.
            *began = (stall.since, first.clone());
        }
        let (Some(thread), Some(now), Some(at)) = (&stall.thread, counted.at, began.1.at) else { return };
        stall.on_cpu = counted.since(&began.1, thread.tid).cpu;
        let others = counted.threads.keys().map(|tid| counted.since(&began.1, *tid).waited).max();
        let clear = match stall.cause {
            Cause::Running => stall.on_cpu,
            Cause::Lock => now.since(at).saturating_sub(others.unwrap_or_default()),
            Cause::Sleep | Cause::SystemCall | Cause::Device => {
                now.since(at).saturating_sub(counted.since(&began.1, thread.tid).waited)
            }
            _ => return,
        };
        if clear < LASTS {
            stall.cause = Cause::Starved;
        }
    }

    /// What the kernel has counted of the threads.
    fn count_threads(&self, now: Stamp) -> Counted {
        let threads = self.memory.whole.iter().flat_map(|whole| &whole.threads);
        let of = |thread: &Thread| {
            let counts = Counts { cpu: thread.cpu.unwrap_or_default(), waited: thread.waited.unwrap_or_default() };
            (thread.id, counts)
        };
        Counted { at: Some(now), threads: threads.map(of).collect() }
    }

    fn stall(&self, worker: &Worker, since: Stamp) -> Stall {
        // One that is in `block_in_place` has handed its work to another.
        let is_it = |thread: &&Thread| worker.stats.thread.as_ref().is_some_and(|it| it.tid == thread.id);
        let thread = self.memory.whole().and_then(|whole| whole.threads.iter().find(is_it));
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
            on_cpu: Duration::ZERO,
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
