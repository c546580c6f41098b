//! Locks in schedules that nobody thought of. First one step at a time, each compared with what tokio returned to the test
//! itself; then on several threads at once, where whoever holds a guard checks that it is the one that is told.

use super::*;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, mpsc, oneshot};

/// A guard, whatever of.
enum Guard {
    Mutex(OwnedMutexGuard<u32>),
    Read(OwnedRwLockReadGuard<u32>),
    Write(OwnedRwLockWriteGuard<u32>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Mutex,
    Read,
    Write,
}

impl Ask {
    fn access(self) -> Access {
        if self == Self::Read { Access::Shared } else { Access::Exclusive }
    }

    /// The lock that is asked for.
    fn lock(self) -> usize {
        usize::from(self != Self::Mutex)
    }
}

#[derive(Clone)]
struct Locks {
    mutex: Arc<Mutex<u32>>,
    rw: Arc<RwLock<u32>>,
}

type Asking = Pin<Box<dyn Future<Output = Guard> + Send>>;

impl Locks {
    fn ask(&self, ask: Ask) -> Asking {
        let locks = self.clone();
        Box::pin(async move {
            match ask {
                Ask::Mutex => Guard::Mutex(locks.mutex.lock_owned().await),
                Ask::Read => Guard::Read(locks.rw.read_owned().await),
                Ask::Write => Guard::Write(locks.rw.write_owned().await),
            }
        })
    }

    fn attempt(&self, ask: Ask) -> Option<Guard> {
        match ask {
            Ask::Mutex => Arc::clone(&self.mutex).try_lock_owned().ok().map(Guard::Mutex),
            Ask::Read => Arc::clone(&self.rw).try_read_owned().ok().map(Guard::Read),
            Ask::Write => Arc::clone(&self.rw).try_write_owned().ok().map(Guard::Write),
        }
    }
}

/// What a task is told to do.
enum Step {
    Ask(Ask),
    Attempt(Ask),
    /// Poll what it asked for at this place once more.
    Poll(usize),
    Cancel(usize),
    /// Drop the guard, which may be another's.
    Drop(Guard),
    Downgrade(OwnedRwLockWriteGuard<u32>),
}

/// What came of it.
enum Came {
    Asked(usize),
    Got(Guard),
    Nothing,
}

/// A task that does what it is told, and waits for nothing by itself.
async fn obey(locks: Locks, mut steps: mpsc::UnboundedReceiver<(Step, oneshot::Sender<(u64, Came)>)>) {
    let mut asked: Vec<Option<Asking>> = Vec::new();
    while let Some((step, answer)) = steps.recv().await {
        let came = match step {
            Step::Ask(ask) => {
                let mut asking = locks.ask(ask);
                if let Some(guard) = once(asking.as_mut()).await {
                    Came::Got(guard)
                } else {
                    asked.push(Some(asking));
                    Came::Asked(asked.len() - 1)
                }
            }
            Step::Attempt(ask) => locks.attempt(ask).map_or(Came::Nothing, Came::Got),
            Step::Poll(at) => match asked[at].as_mut() {
                Some(asking) => match once(asking.as_mut()).await {
                    Some(guard) => {
                        asked[at] = None;
                        Came::Got(guard)
                    }
                    None => Came::Nothing,
                },
                None => Came::Nothing,
            },
            Step::Cancel(at) => {
                asked[at] = None;
                Came::Nothing
            }
            Step::Drop(guard) => {
                match guard {
                    Guard::Mutex(guard) => drop(guard),
                    Guard::Read(guard) => drop(guard),
                    Guard::Write(guard) => drop(guard),
                }
                Came::Nothing
            }
            Step::Downgrade(guard) => Came::Got(Guard::Read(guard.downgrade())),
        };
        assert!(answer.send((me(), came)).is_ok(), "the test listens");
    }
}

/// Polls once.
async fn once(mut asking: Pin<&mut (dyn Future<Output = Guard> + Send)>) -> Option<Guard> {
    std::future::poll_fn(|context: &mut Context<'_>| match asking.as_mut().poll(context) {
        Poll::Ready(guard) => Poll::Ready(Some(guard)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// xorshift: the schedules are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

/// What must be true.
#[derive(Default)]
struct Truth {
    /// Guards, each with the task that acquired it; in the order of acquisition.
    held: Vec<(u64, Ask, Guard)>,
    /// Who waits: the place in its task's list, the task's place and id, and what for; in the order of asking.
    waiting: VecDeque<(usize, usize, u64, Ask)>,
    acquisitions: [u64; 2],
    contended: [u64; 2],
}

impl Truth {
    fn check(&self, ids: [u64; 2], doing: &str) {
        for (at, id) in ids.into_iter().enumerate() {
            let lock = lock(id);
            let mut told: Vec<_> = lock.holders.iter().map(|holder| (holder.owner.clone(), holder.access)).collect();
            let of_this = self.held.iter().filter(|(_, ask, _)| ask.lock() == at);
            let mut held: Vec<_> = of_this.map(|(task, ask, _)| (Owner::Task(*task), ask.access())).collect();
            let key = |(owner, access): &(Owner, Access)| (format!("{owner:?}"), *access);
            told.sort_by_key(key);
            held.sort_by_key(key);
            assert_eq!(told, held, "holders after {doing}");
            let told: Vec<_> = lock.waiters.iter().map(|waiter| (waiter.task, waiter.access)).collect();
            let of_this = self.waiting.iter().filter(|(_, _, _, ask)| ask.lock() == at);
            let waiting: Vec<_> = of_this.map(|(_, _, task, ask)| (*task, ask.access())).collect();
            assert_eq!(told, waiting, "waiters after {doing}");
            assert_eq!(
                (lock.acquisitions, lock.contended),
                (self.acquisitions[at], self.contended[at]),
                "after {doing}"
            );
        }
    }

    fn got(&mut self, task: u64, guard: Guard) {
        let ask = match &guard {
            Guard::Mutex(_) => Ask::Mutex,
            Guard::Read(_) => Ask::Read,
            Guard::Write(_) => Ask::Write,
        };
        self.acquisitions[ask.lock()] += 1;
        self.held.push((task, ask, guard));
    }
}

const TASKS: usize = 5;

async fn schedule(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let locks = Locks { mutex: Arc::new(Mutex::new(0)), rw: Arc::new(RwLock::new(0)) };
    let ids = [id_of(&locks.mutex), id_of_rw(&locks.rw)];
    let mut truth = Truth { acquisitions: [1, 1], ..Truth::default() };
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (tell, told) = mpsc::unbounded_channel();
            (tell, tokio::spawn(obey(locks.clone(), told)))
        })
        .collect();
    for step in 0..40 {
        let task = dice.below(TASKS);
        let what = dice.below(10);
        let ask = [Ask::Mutex, Ask::Read, Ask::Read, Ask::Write][dice.below(4)];
        let waiting = (!truth.waiting.is_empty()).then(|| dice.below(truth.waiting.len().max(1)));
        let held = (!truth.held.is_empty()).then(|| dice.below(truth.held.len().max(1)));
        // Who does it, what, and what is known of it.
        let (who, order, waited) = match (what, waiting, held) {
            (0..3, _, _) => (task, Step::Ask(ask), None),
            (3, _, _) => (task, Step::Attempt(ask), None),
            (4..6, Some(at), _) => (truth.waiting[at].1, Step::Poll(truth.waiting[at].0), Some(at)),
            (6, Some(at), _) => (truth.waiting[at].1, Step::Cancel(truth.waiting[at].0), Some(at)),
            (7, _, Some(at)) if truth.held[at].1 == Ask::Write => match truth.held.remove(at) {
                // The guard's handle stays the same, and so must whoever downgrades it be told as its holder.
                (_, _, Guard::Write(guard)) => (task, Step::Downgrade(guard), None),
                _ => continue,
            },
            (_, _, Some(at)) => (task, Step::Drop(truth.held.remove(at).2), None),
            _ => continue,
        };
        let doing = format!("step {step} of seed {seed}: {what} by {who}");
        let cancelled = matches!(order, Step::Cancel(_));
        let asked = if let Step::Ask(ask) = order { Some(ask) } else { None };
        let (answer, answered) = oneshot::channel();
        assert!(tasks[who].0.send((order, answer)).is_ok(), "the task listens");
        let (id, came) = answered.await.expect("it answers");
        match came {
            Came::Got(guard) => {
                if let Some((_, _, _, ask)) = waited.and_then(|at| truth.waiting.remove(at)) {
                    truth.contended[ask.lock()] += 1;
                }
                truth.got(id, guard);
            }
            Came::Asked(at) => truth.waiting.push_back((at, who, id, asked.expect("it was asked for"))),
            Came::Nothing if cancelled => drop(waited.and_then(|at| truth.waiting.remove(at))),
            Came::Nothing => {}
        }
        truth.check(ids, &doing);
    }
    drop(truth);
    for (tell, task) in tasks {
        drop(tell);
        task.await.expect("it ends");
    }
    assert_eq!((holders(ids[0]), waiters(ids[0])), (vec![], vec![]));
    assert_eq!((holders(ids[1]), waiters(ids[1])), (vec![], vec![]));
}

#[test]
fn two_thousand_schedules_step_by_step() {
    current_thread().block_on(async {
        for seed in 0..2000 {
            schedule(seed).await;
        }
    });
}

#[test]
fn whoever_holds_a_guard_is_the_one_that_is_told() {
    let runtime = multi_thread(4);
    let locks = Locks { mutex: Arc::new(Mutex::new(0)), rw: Arc::new(RwLock::new(0)) };
    let ids = [id_of(&locks.mutex), id_of_rw(&locks.rw)];
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16).map(|seed| tokio::spawn(hammer(locks.clone(), ids, Dice(seed * 77 + 1)))).collect();
        for task in tasks {
            task.await.expect("no assertion failed");
        }
    });
    for id in ids {
        assert_eq!((holders(id), waiters(id)), (vec![], vec![]));
        let lock = lock(id);
        assert_eq!(lock.hold_times.iter().sum::<u64>(), lock.acquisitions);
    }
}

async fn hammer(locks: Locks, ids: [u64; 2], mut dice: Dice) {
    for _ in 0..2000 {
        let ask = [Ask::Mutex, Ask::Read, Ask::Write][dice.below(3)];
        let guard = match dice.below(4) {
            0 => locks.attempt(ask),
            _ => Some(locks.ask(ask).await),
        };
        let Some(guard) = guard else { continue };
        for _ in 0..dice.below(3) {
            let told = holders(ids[ask.lock()]);
            match ask.access() {
                Access::Exclusive => assert_eq!(told, alone(me())),
                Access::Shared => {
                    assert!(told.contains(&(Owner::Task(me()), Access::Shared)), "{told:?}");
                    assert!(told.iter().all(|(_, access)| *access == Access::Shared), "{told:?}");
                }
            }
            tokio::task::yield_now().await;
        }
        match guard {
            Guard::Mutex(guard) => drop(guard),
            Guard::Read(guard) => drop(guard),
            Guard::Write(guard) => drop(guard),
        }
    }
}
