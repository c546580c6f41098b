//! How far a program has come.

use crate::program::{Phase, Program, Reached};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::SeqCst},
};

/// Of all programs.
#[derive(Default)]
pub struct Progress {
    moves: AtomicU64,
    /// Short jobs that are under way.
    short: AtomicU64,
}

impl Progress {
    pub fn so_far(&self) -> u64 {
        self.moves.load(SeqCst)
    }

    pub fn is_idle(&self) -> bool {
        self.short.load(SeqCst) == 0
    }
}

/// A short job that is under way.
pub struct Short(Arc<Progress>);

impl Drop for Short {
    fn drop(&mut self) {
        self.0.short.fetch_sub(1, SeqCst);
    }
}

pub struct Log {
    progress: Arc<Progress>,
    steps: Vec<(AtomicU64, AtomicU64)>,
    tasks: Vec<AtomicU64>,
}

impl Log {
    pub fn new(program: &Program, progress: &Arc<Progress>) -> Self {
        Self {
            progress: Arc::clone(progress),
            steps: (0..program.steps).map(|_| Default::default()).collect(),
            tasks: program.tasks.iter().map(|_| AtomicU64::default()).collect(),
        }
    }

    pub fn reaches(&self, step: usize, phase: Phase) {
        let now = self.progress.moves.fetch_add(1, SeqCst);
        self.steps[step].0.store(phase.number(), SeqCst);
        self.steps[step].1.store(now, SeqCst);
    }

    pub fn spawned(&self, task: usize, id: tokio::task::Id) {
        self.tasks[task].store(id.to_string().parse().expect("a number"), SeqCst);
    }

    pub fn short(&self) -> Short {
        self.progress.short.fetch_add(1, SeqCst);
        Short(Arc::clone(&self.progress))
    }

    pub fn reached(&self) -> Reached {
        Reached {
            tasks: self.tasks.iter().map(|task| task.load(SeqCst)).collect(),
            steps: self.steps.iter().map(|(phase, at)| (phase.load(SeqCst), at.load(SeqCst))).collect(),
        }
    }
}
