//! Rounds that somebody asks for: each worker as it is, one round at a time, beside stalls and instead of none.

use super::*;
use crate::stalls::{
    round::{Doing, NoRound, Order, Orders, Rounds, WorkerStack},
    watch::Watch,
};
use tokio::sync::oneshot::error::TryRecvError;

/// Far above what a round takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a round is asked for again where something of it was not there in time.
const TRIES: usize = 20;

impl Scene {
    /// What a round found of the one worker.
    fn round(&self) -> WorkerStack {
        let told = self.rounds.ask().expect("there is a watchdog");
        told.blocking_recv().expect("it is told").expect("there is a round");
        let found = self.rounds.latest().borrow().to_vec();
        let [row] = &found[..] else { panic!("one worker: {found:#?}") };
        assert_eq!((row.runtime, row.worker, &*row.thread), (5, 3, "worker-3"));
        row.clone()
    }

    /// The first round that found it like this.
    fn round_like(&self, like: impl Fn(&WorkerStack) -> bool) -> WorkerStack {
        let rounds = (0..TRIES).map(|_| self.round());
        let mut last = None;
        for row in rounds {
            if like(&row) {
                return row;
            }
            last = Some(row);
        }
        panic!("it never came: {last:#?}");
    }
}

/// The line of this function on a stack.
fn line_of(row: &WorkerStack, function: &str) -> Option<u32> {
    let stack = row.stack.as_ref()?;
    stack.frames.iter().find(|frame| &*frame.function == function).map(|frame| frame.line)
}

#[test]
fn a_worker_that_computes_is_seen_in_its_function_and_nothing_is_made_of_it() {
    let scene = Scene::with(Settings { threshold: Duration::from_secs(3600), stacks: Stacks::All });
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let (worker, line) = scene.poll(move |line| {
        stalling::computes(line, &theirs);
    });
    begins(&line);
    let row = scene.round_like(|row| line_of(row, "stalling::computes").is_some());
    assert_eq!((row.doing, row.task), (Doing::Runs, TASK));
    let (line, found) = (line.load(Ordering::Acquire), line_of(&row, "stalling::computes").unwrap());
    assert!((line..=line + 1).contains(&found), "{found}, not {line}");
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    assert_eq!(scene.stalls.since(0).1, [], "it accuses nobody");
}

#[test]
fn a_worker_that_sleeps_in_a_poll_is_looked_at_and_one_that_is_parked_is_left_alone() {
    let scene = Scene::with(Settings { threshold: Duration::from_secs(3600), stacks: Stacks::Asleep });
    let (open, gate) = mpsc::channel::<()>();
    let (wake, parks) = mpsc::channel::<()>();
    let role = Arc::clone(&scene.role);
    let (begun, begins) = mpsc::channel();
    let worker = thread::Builder::new().name("worker-3".into()).spawn(move || {
        let thread = threads::register();
        role.lock().unwrap().0 = Some(thread.id);
        thread.set_polling(TASK, clock::now());
        begun.send(()).unwrap();
        let _ = gate.recv();
        thread.set_polling(0, clock::now());
        let _ = parks.recv();
    });
    begins.recv().unwrap();
    let row = scene.round_like(|row| row.doing == Doing::Sleeps && row.task == TASK);
    let stack = row.stack.expect("it is looked at");
    assert!(stack.frames.len() > 3 && stack.limitation.is_empty(), "{stack:#?}");
    drop(open);
    let row = scene.round_like(|row| row.doing == Doing::Parked);
    assert_eq!((row.task, row.stack), (0, None));
    drop(wake);
    worker.unwrap().join().unwrap();
}

#[test]
fn one_that_may_not_be_interrupted_says_so() {
    let scene = Scene::with(Settings { threshold: Duration::from_secs(3600), stacks: Stacks::Asleep });
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let (worker, line) = scene.poll(move |line| {
        stalling::computes(line, &theirs);
    });
    begins(&line);
    let row = scene.round_like(|row| row.doing == Doing::Runs);
    assert_eq!(&*row.stack.unwrap().limitation, "the thread runs, and interrupting threads is switched off");
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
}

#[test]
fn where_nothing_can_be_captured_that_is_said() {
    let ask = |scene: &Scene| scene.rounds.ask().unwrap().blocking_recv().unwrap();
    let scene = Scene::new(Stacks::Off);
    assert_eq!(ask(&scene), Err(NoRound::Off));
    drop(scene);
    let scene = Scene::new(Stacks::All);
    assert_eq!(ask(&scene), Err(NoRound::NoWorkers));
    let rounds = scene.rounds.clone();
    drop(scene);
    assert!(matches!(rounds.ask(), Err(NoRound::NoWatchdog)));
    assert!(rounds.latest().borrow().is_empty());
}

/// A watch that is told by hand when to look.
struct ByHand {
    watch: Watch,
    rounds: Rounds,
    orders: Orders,
    stalls: Arc<Stalls>,
    _turn: MutexGuard<'static, ()>,
}

impl ByHand {
    fn new(worker: ThreadId, threshold: Duration) -> Self {
        let turn = turn();
        let stalls = Arc::new(Stalls::default());
        let (rounds, orders) = Rounds::new();
        let roles = Box::new(move |thread| if thread == worker { WORKER } else { Role::Other });
        let settings = Settings { threshold, stacks: Stacks::All };
        let watch = Watch::new(settings, roles, Arc::clone(&stalls), orders.latest.clone(), Arc::default());
        Self { watch, rounds, orders, stalls, _turn: turn }
    }

    fn look(&mut self) {
        self.watch.look(&threads::all(), clock::now());
    }

    /// Asks, and has the order taken.
    fn ask(&mut self) -> tokio::sync::oneshot::Receiver<Result<(), NoRound>> {
        let told = self.rounds.ask().unwrap();
        let Ok(Order::Round(outcome)) = self.orders.taken.try_recv() else { panic!("it was ordered") };
        self.watch.begin_round(outcome, &threads::all(), clock::now());
        told
    }

    /// Looks until this is so.
    fn until(&mut self, mut holds: impl FnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "it never came");
            thread::sleep(Duration::from_millis(1));
            self.look();
        }
    }
}

/// A thread that computes in a poll until this is dropped.
struct Computes {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl Computes {
    fn new() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, told) = mpsc::channel();
        let theirs = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let thread = threads::register();
            thread.set_polling(TASK, clock::now());
            tell.send(thread.id).unwrap();
            stalling::computes(&AtomicU32::new(0), &theirs);
            thread.set_polling(0, clock::now());
        });
        let id = told.recv().unwrap();
        Self { stop, thread: Some(thread), id }
    }
}

impl Drop for Computes {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn there_is_one_round_at_a_time() {
    let worker = Computes::new();
    let mut by_hand = ByHand::new(worker.id, Duration::from_secs(3600));
    let mut first = by_hand.ask();
    assert_eq!(by_hand.ask().try_recv(), Ok(Err(NoRound::UnderWay)));
    by_hand.look();
    assert_eq!(by_hand.ask().try_recv(), Ok(Err(NoRound::UnderWay)));
    assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
    by_hand.until(|by_hand| !by_hand.rounds.latest().borrow().is_empty());
    assert_eq!(first.try_recv(), Ok(Ok(())));
    assert_eq!(by_hand.ask().try_recv(), Err(TryRecvError::Empty), "the next one may begin");
}

#[test]
fn a_round_that_is_asked_for_while_a_stall_is_captured_waits_for_its_turn_and_both_have_the_stack() {
    let worker = Computes::new();
    let mut by_hand = ByHand::new(worker.id, Duration::from_millis(1));
    by_hand.until(|by_hand| by_hand.watch.is_waiting());
    let mut told = by_hand.ask();
    // The stall's capture was begun before.
    by_hand.until(|by_hand| by_hand.stalls.since(0).1.iter().any(|stall| stall.stack.is_some()));
    by_hand.until(|_| told.try_recv() == Ok(Ok(())));
    let found = by_hand.rounds.latest().borrow().to_vec();
    assert!(found.len() == 1 && line_of(&found[0], "stalling::computes").is_some(), "{found:#?}");
    let stalls = by_hand.stalls.since(0).1;
    let stack = stalls[0].stack.as_ref().unwrap();
    assert!(stack.frames.iter().any(|frame| &*frame.function == "stalling::computes"), "{stack:#?}");
}

#[test]
fn a_round_that_is_under_way_when_the_watchdog_ends_is_none() {
    let worker = Computes::new();
    let mut by_hand = ByHand::new(worker.id, Duration::from_secs(3600));
    let mut told = by_hand.ask();
    by_hand.look();
    let ByHand { watch, rounds, .. } = by_hand;
    drop(watch);
    assert_eq!(told.try_recv(), Err(TryRecvError::Closed));
    assert!(rounds.latest().borrow().is_empty());
}
