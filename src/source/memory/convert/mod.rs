//! A look as pages of an update. Ids are the process's own: tokio's numbers of tasks, addresses of locks and channels.

mod task;
mod thing;
mod values;
mod whole;

pub(super) use values::values;
pub(super) use whole::stack_frame;

use crate::update::{
    BeginMode, Part, Process, Stamp, Update, WorkerStats,
    look::{Grade, TaskKey},
    nanos,
};
use holdup_memory as memory;
use std::{num::NonZeroU64, sync::Arc, time::Duration};

/// How many rows a page has, as of any source.
const PAGE: usize = 1_024;

/// Turns looks of one process into updates.
pub(super) struct Converter {
    /// The wall clock when the process's own stood at zero.
    zero: Duration,
    executable: Arc<str>,
}

impl Converter {
    /// As of the first look, which was at this time of the wall clock.
    pub(super) fn new(now: Duration, first: &memory::Look) -> Self {
        Self { zero: now.saturating_sub(first.at), executable: Arc::clone(&first.process.executable) }
    }

    /// Whether the process still executes the same program. One that is ending has none.
    pub(super) fn is_of(&self, look: &memory::Look) -> bool {
        let now = &look.process.executable;
        now.is_empty() || *now == self.executable
    }

    /// An instant of the process's own clock.
    fn stamp(&self, at: Duration) -> Stamp {
        Stamp::from_nanos(nanos(self.zero.saturating_add(at)))
    }

    /// What is known of the types of what the process runs: of several copies of tokio, of the one that is known best.
    pub(super) fn grade(look: &memory::Look) -> Grade {
        let best = look.process.copies.iter().map(|copy| copy.grade).max().unwrap_or_default();
        let refused = || look.unread.iter().any(|unread| unread.what.starts_with(memory::DEBUG_INFORMATION));
        if best == memory::Grade::Stripped && refused() { Grade::Absent } else { grade(best) }
    }

    /// Whose memory it is.
    pub(super) fn process(&self, look: &memory::Look) -> Process {
        let process = &look.process;
        let versions = process.copies.iter().filter_map(|copy| copy.version.as_deref());
        let started = process.started.map(|at| self.stamp(at));
        Process {
            boot_id: format!("{}-{}", process.pid, process.started.unwrap_or_default().as_nanos()),
            pid: process.pid,
            name: process.name.to_string(),
            executable: process.executable.to_string(),
            started,
            agent_version: String::new(),
            tokio_version: versions.collect::<Vec<_>>().join(", "),
            detail: Self::grade(look).name().to_owned(),
            capabilities: Vec::new(),
            limitations: look.unread.iter().map(|unread| format!("{}: {}", unread.what, unread.why)).collect(),
        }
    }

    /// The pages of a look, the last one with all that is told as a whole.
    pub(super) fn pages(&self, look: &memory::Look) -> Vec<Update> {
        let now = self.stamp(look.at);
        let page = move || Update { now: Some(now), mode: BeginMode::Alone, part: Part::More, ..Update::default() };
        let mut pages = Vec::new();
        let mut current = page();
        current.chains = look.chains.iter().map(|chain| task::chain(chain)).collect();
        for told in &look.changed {
            let Some(number) = NonZeroU64::new(told.number) else { continue };
            if current.task_looks.len() >= PAGE {
                pages.push(std::mem::replace(&mut current, page()));
            }
            current.task_looks.push((TaskKey::Number(number), task::look(told, |at| self.stamp(at)).into()));
        }
        let ended = look.ended.iter().filter_map(|&number| NonZeroU64::new(number));
        current.gone_looks = ended.map(TaskKey::Number).collect();
        // A million tasks are told by several looks, and are one update.
        if look.untold == 0 {
            current.runtimes = Some(whole::runtimes(look));
            current.workers = Some(workers(look));
            current.look = Some(Box::new(whole::whole(look, |at| self.stamp(at))));
            current.part = Part::Last;
        }
        pages.push(current);
        pages
    }
}

/// What is known of types, as this crate has it.
pub(super) fn grade(grade: memory::Grade) -> Grade {
    match grade {
        memory::Grade::Stripped => Grade::Stripped,
        memory::Grade::Symbols => Grade::Symbols,
        memory::Grade::Lines => Grade::Lines,
        memory::Grade::Twin => Grade::Twin,
        memory::Grade::Full => Grade::Full,
    }
}

fn workers(look: &memory::Look) -> Vec<WorkerStats> {
    let of_runtime = |(at, runtime): (usize, &memory::Runtime)| {
        let id = whole::runtime_id(at);
        runtime.workers.iter().map(|worker| whole::worker(id, worker, look)).collect::<Vec<_>>()
    };
    look.runtimes.iter().enumerate().flat_map(of_runtime).collect()
}
