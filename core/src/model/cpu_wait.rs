//! How much of their time workers wait for a processor. A task that is ready and is not polled waits for a worker, and its worker may
//! wait for a processor: the runtime is to blame for the one, and the machine for the other.

use super::{Model, Runtime};
use crate::update::{Fact, RuntimeId, TaskId};
use std::time::Duration;

/// Over how many seconds.
const LATE: u64 = 10;

/// Polls that have just ended are judged by what was so in these last seconds.
const PRESENT: u64 = 1;

/// Less than this is how things are.
const SHORT: f64 = 0.1;

/// Before workers have been watched for this long nothing is said.
const LEAST: Duration = Duration::from_secs(1);

/// Of the time of late in which the workers of a runtime had something to do, the share in which they waited for a processor: from 0
/// to 1.
///
/// It is between two bounds. Of a worker that is woken and waits for a processor tokio does not know that it is awake yet, and the
/// kernel does not tell in which of the two such waits its thread was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuWait {
    /// At least this share.
    pub least: f64,
    /// At most this share.
    pub most: f64,
}

impl Model {
    /// Of the workers that poll a task; `None` where that is not known, or not yet.
    pub fn cpu_wait_of(&self, task: TaskId) -> Option<CpuWait> {
        let only = || match self.agent().runtimes() {
            [runtime] => Some(runtime.stats.id),
            _ => None,
        };
        self.cpu_wait(self.agent().facts(task).runtime.or_else(only)?)
    }

    /// Of the workers of a runtime; `None` where that is not known, or not yet.
    pub fn cpu_wait(&self, runtime: RuntimeId) -> Option<CpuWait> {
        self.cpu_wait_over(LATE, runtime)
    }

    /// The share of its polls' time in which a task's thread waited for a processor, as far as its workers' tells; 0 where that is not
    /// known. What is not the poll's doing is not to be counted as that.
    pub(super) fn off_processor(&self, task: TaskId) -> f64 {
        let short = &self.agent().short;
        if short.is_empty() {
            return 0.0;
        }
        let runtime = self.agent().facts(task).runtime;
        short.iter().find(|(id, _)| Some(*id) == runtime).map_or(0.0, |(_, share)| *share)
    }

    /// Notes whose workers wait for a processor now.
    pub(super) fn note_shortage(&mut self) {
        let share = |runtime: &Runtime| Some((runtime.stats.id, self.cpu_wait_over(PRESENT, runtime.stats.id)?.least));
        let short = self.agent().runtimes().iter().filter_map(share).filter(|(_, share)| *share >= SHORT).collect();
        self.agent.short = short;
    }

    fn cpu_wait_over(&self, seconds: u64, runtime: RuntimeId) -> Option<CpuWait> {
        let counts = self.knows().has(Fact::WorkerCounts);
        let (mut waited, mut most_awake, mut least_awake) = (0.0, 0.0, 0.0);
        for worker in self.agent().workers().iter().filter(|worker| worker.stats.id.runtime == runtime) {
            let lane = worker.cpu_wait.as_ref().filter(|lane| lane.watched() >= LEAST)?;
            let wait = lane.recent(seconds);
            let busy = if counts { worker.lane.recent(seconds) } else { 0.0 };
            waited += wait;
            most_awake += if counts { (busy + wait).min(1.0) } else { 1.0 };
            least_awake += busy.max(wait);
        }
        let share = |awake: f64| (waited / awake).min(1.0);
        // Who neither ran nor waited had nothing to do.
        (least_awake > 0.0).then(|| CpuWait { least: share(most_awake), most: share(least_awake) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Retention,
        update::{Knows, RuntimeStats, Stamp, TaskFacts, Thread, Update, WorkerId, WorkerStats},
    };

    const MAIN: RuntimeId = RuntimeId(1);

    fn worker(index: u32, tid: u32, busy: u64, waited: Option<u64>) -> WorkerStats {
        WorkerStats {
            id: WorkerId { runtime: MAIN, index },
            thread: Some(Thread { tid, name: String::new() }),
            busy: Duration::from_millis(busy),
            cpu_wait: waited.map(Duration::from_millis),
            ..WorkerStats::default()
        }
    }

    /// After updates at these milliseconds, each with these workers.
    fn told(knows: Knows, told: &[(u64, &[WorkerStats])]) -> Model {
        let mut model = Model::told_by(knows, Retention::default());
        for (millis, workers) in told {
            model.apply(Update {
                now: Some(Stamp::from_nanos(1_000_000_000_000 + millis * 1_000_000)),
                runtimes: Some(vec![RuntimeStats { id: MAIN, ..RuntimeStats::default() }]),
                workers: Some(workers.to_vec()),
                ..Update::default()
            });
        }
        model
    }

    fn percent(model: &Model) -> Option<(u32, u32)> {
        let of = |share: f64| (share * 100.0).round() as u32;
        model.cpu_wait(MAIN).map(|wait| (of(wait.least), of(wait.most)))
    }

    fn agent() -> Knows {
        Knows::agent(&[])
    }

    #[test]
    fn of_a_worker_that_is_always_busy_it_is_the_share_of_the_time() {
        let told = told(agent(), &[(0, &[worker(0, 7, 0, Some(500))]), (2_000, &[worker(0, 7, 2_000, Some(2_100))])]);
        assert_eq!(percent(&told), Some((80, 80)));
        // Of a task whose runtime is not told, where there is one alone.
        assert_eq!(told.cpu_wait_of(TaskId(3)), told.cpu_wait(MAIN));
    }

    #[test]
    fn idle_workers_do_not_hide_that_one_has_to_wait() {
        let first = [worker(0, 7, 0, Some(0)), worker(1, 8, 0, Some(0)), worker(2, 9, 0, Some(0))];
        let then = [worker(0, 7, 2_000, Some(1_600)), worker(1, 8, 0, Some(0)), worker(2, 9, 0, Some(0))];
        assert_eq!(percent(&told(agent(), &[(0, &first), (2_000, &then)])), Some((80, 80)));
    }

    #[test]
    fn of_one_that_sleeps_in_between_there_are_bounds() {
        // It was awake for a quarter of the time, or for half of it: whether it waited when it was woken is not told.
        let told = told(agent(), &[(0, &[worker(0, 7, 0, Some(0))]), (2_000, &[worker(0, 7, 500, Some(500))])]);
        assert_eq!(percent(&told), Some((50, 100)));
    }

    #[test]
    fn nothing_is_said_of_what_is_not_told_or_was_not_watched_or_had_nothing_to_do() {
        let first: &[WorkerStats] = &[worker(0, 7, 0, Some(0))];
        assert_eq!(percent(&told(agent(), &[(0, first), (900, &[worker(0, 7, 900, Some(800))])])), None, "too early");
        assert_eq!(percent(&told(agent(), &[(0, first), (2_000, first)])), None, "it slept");
        let silent: &[WorkerStats] = &[worker(0, 7, 0, None)];
        assert_eq!(percent(&told(agent(), &[(0, silent), (2_000, &[worker(0, 7, 2_000, None)])])), None);
        let told = told(agent(), &[(0, first), (2_000, &[worker(0, 7, 2_000, Some(1_000))])]);
        assert_eq!(told.cpu_wait(RuntimeId(2)), None);
    }

    #[test]
    fn what_another_thread_waited_is_not_this_worker_s() {
        let told = told(
            agent(),
            &[
                (0, &[worker(0, 7, 0, Some(0))]),
                (1_000, &[worker(0, 7, 1_000, Some(100))]),
                (2_000, &[worker(0, 8, 2_000, Some(900_000))]),
                (3_000, &[worker(0, 8, 3_000, Some(900_200))]),
                (4_000, &[worker(0, 7, 4_000, Some(100))]),
                (5_000, &[worker(0, 7, 5_000, Some(200))]),
            ],
        );
        // A tenth, nothing, a fifth, nothing, a tenth of five seconds.
        assert_eq!(percent(&told), Some((8, 8)));
    }

    #[test]
    fn where_it_is_not_told_how_busy_workers_are_the_bounds_are_wide() {
        let told = told(
            Knows::memory(crate::update::look::Grade::Full),
            &[(0, &[worker(0, 7, 0, Some(0))]), (2_000, &[worker(0, 7, 0, Some(600))])],
        );
        assert_eq!(percent(&told), Some((30, 100)));
    }

    #[test]
    fn a_task_is_its_own_runtime_s() {
        let mut model =
            told(agent(), &[(0, &[worker(0, 7, 0, Some(0))]), (2_000, &[worker(0, 7, 2_000, Some(1_000))])]);
        let runtime = |id| RuntimeStats { id: RuntimeId(id), ..RuntimeStats::default() };
        model.apply(Update {
            now: Some(Stamp::from_nanos(1_002_100_000_000)),
            new_tasks: vec![crate::update::NewTask::new(TaskId(3)), crate::update::NewTask::new(TaskId(4))],
            runtimes: Some(vec![runtime(1), runtime(2)]),
            ..Update::default()
        });
        model.apply(Update {
            now: Some(Stamp::from_nanos(1_002_200_000_000)),
            task_facts: vec![(TaskId(3), TaskFacts { parent: None, runtime: Some(MAIN) })],
            ..Update::default()
        });
        assert_eq!(model.cpu_wait_of(TaskId(3)), model.cpu_wait(MAIN));
        assert_eq!(model.cpu_wait_of(TaskId(4)), None, "which of the two is not told");
    }
}
