//! Stalls of each kind, on threads that say that they poll: cause, function and line.

mod round;

use crate::{
    capture::tests::turn,
    clock,
    collect::threads,
    stalls::{
        Role, Settings, Stacks,
        cause::Cause,
        record::{Stall, Stalls},
        round::Rounds,
        watchdog::Watchdog,
    },
};
use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle, ThreadId},
    time::{Duration, Instant},
};

/// The task that the stalled thread polls.
const TASK: u64 = 42;

/// A watchdog, and the one thread that it takes for a worker.
struct Scene {
    stalls: Arc<Stalls>,
    /// What the watchdog is told of the thread.
    role: Arc<Mutex<(Option<ThreadId>, Role)>>,
    /// Where rounds are asked for.
    rounds: Rounds,
    _watchdog: Watchdog,
    _turn: MutexGuard<'static, ()>,
}

const WORKER: Role = Role::Worker { runtime: 5, index: 3, queued: 7 };

impl Scene {
    fn new(stacks: Stacks) -> Self {
        Self::with(Settings { stacks, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let turn = turn();
        let stalls = Arc::new(Stalls::default());
        let role = Arc::new(Mutex::new((None, WORKER)));
        let told = Arc::clone(&role);
        let roles = Box::new(move |thread| match *told.lock().unwrap() {
            (Some(worker), role) if worker == thread => role,
            _ => Role::Other,
        });
        let (rounds, orders) = Rounds::new();
        let watchdog = Watchdog::start(settings, roles, &stalls, orders, &Arc::default()).unwrap();
        Self { stalls, role, rounds, _watchdog: watchdog, _turn: turn }
    }

    /// Starts a worker that polls one task, which does this.
    fn poll(&self, poll: impl FnOnce(&AtomicU32) + Send + 'static) -> (JoinHandle<()>, Arc<AtomicU32>) {
        let line = Arc::new(AtomicU32::new(0));
        let (role, theirs) = (Arc::clone(&self.role), Arc::clone(&line));
        let worker = thread::Builder::new().name("worker-3".into()).spawn(move || {
            let thread = threads::register();
            role.lock().unwrap().0 = Some(thread.id);
            thread.set_polling(TASK, clock::now());
            poll(&theirs);
            thread.set_polling(0, clock::now());
        });
        (worker.unwrap(), line)
    }

    /// Waits until the newest stall is like this.
    fn wait(&self, like: impl Fn(&Stall) -> bool) -> Stall {
        let begun = Instant::now();
        loop {
            let newest = self.stalls.since(0).1.pop();
            if let Some(stall) = newest.clone().filter(|stall| like(stall)) {
                assert_eq!((stall.runtime, stall.worker, stall.task, stall.queued), (5, 3, TASK, 7));
                assert_eq!(&*stall.thread, "worker-3");
                return stall;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it never came: {newest:#?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for one of these causes and the stack, and checks that this function is on it, on this line or the next.
    fn expect(&self, causes: &[Cause], function: &str, line: &AtomicU32) -> Stall {
        let place = |stall: &Stall| {
            let frames = &stall.stack.as_ref()?.frames;
            let named = |name: &str| name.strip_prefix("stalling::").is_some_and(|name| name.starts_with(function));
            frames.iter().find(|frame| named(&frame.function)).map(|frame| (frame.file.clone(), frame.line))
        };
        let stall =
            self.wait(|stall| stall.cause.is_some_and(|cause| causes.contains(&cause)) && place(stall).is_some());
        let (file, found) = place(&stall).unwrap();
        let line = line.load(Ordering::Acquire);
        assert!(
            file.ends_with("stalling/src/lib.rs") && (line..=line + 1).contains(&found),
            "{file}:{found}, not {line}"
        );
        assert!(stall.ended_at.is_none());
        stall
    }

    fn over(&self, id: u64) -> Stall {
        self.wait(|stall| stall.id == id && stall.ended_at.is_some())
    }
}

/// Waits until a function is on its line.
fn begins(line: &AtomicU32) {
    while line.load(Ordering::Acquire) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_worker_that_sleeps() {
    let scene = Scene::new(Stacks::All);
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let begun = clock::now();
    let (worker, line) = scene.poll(move |line| {
        while !theirs.load(Ordering::Relaxed) {
            stalling::sleeps(line, Duration::from_millis(300));
        }
    });
    let stall = scene.expect(&[Cause::Sleep], "sleeps", &line);
    assert_eq!(stall.system_call, "clock_nanosleep");
    let stopped = clock::now();
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    let over = scene.over(stall.id);
    assert!(over.since >= begun && over.ended_at.unwrap() >= stopped);
    assert!(over.on_cpu < over.ended_at.unwrap().since(over.since) / 2);
}

#[test]
fn a_worker_that_computes() {
    let scene = Scene::new(Stacks::All);
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let (worker, line) = scene.poll(move |line| {
        stalling::computes(line, &theirs);
    });
    // On a machine that is busy with other things, it may be starved as well.
    let stall = scene.expect(&[Cause::Running, Cause::Starved], "computes", &line);
    assert_eq!(stall.system_call, "");
    let later = scene.wait(|stall| stall.on_cpu > Duration::from_millis(50));
    assert_eq!(later.id, stall.id);
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    scene.over(stall.id);
}

#[test]
fn a_worker_that_waits_for_a_lock() {
    let scene = Scene::new(Stacks::All);
    let lock = Arc::new(Mutex::new(0));
    let theirs = Arc::clone(&lock);
    let guard = lock.lock().unwrap();
    let (worker, line) = scene.poll(move |line| {
        stalling::locks(line, &theirs);
    });
    let stall = scene.expect(&[Cause::Lock], "locks", &line);
    assert_eq!(stall.system_call, "futex");
    drop(guard);
    worker.join().unwrap();
    scene.over(stall.id);
}

#[test]
fn a_worker_that_reads() {
    let scene = Scene::new(Stacks::All);
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let (worker, line) = scene.poll(move |line| {
        stalling::reads(line, &mut theirs);
    });
    let stall = scene.expect(&[Cause::InSystemCall], "reads", &line);
    assert!(["read", "recvfrom"].contains(&&*stall.system_call), "{stall:?}");
    ours.write_all(b"x").unwrap();
    worker.join().unwrap();
    scene.over(stall.id);
}

#[test]
fn a_worker_that_gets_no_cpu() {
    let scene = Scene::new(Stacks::All);
    let stop = Arc::new(AtomicBool::new(false));
    let (theirs, hogs) = (Arc::clone(&stop), Arc::clone(&stop));
    // The hog has the CPU first, and is worth about seventy times as much to the scheduler.
    let (tell, told) = mpsc::channel();
    let hog = thread::spawn(move || {
        share_one_cpu(0);
        tell.send(()).unwrap();
        while !hogs.load(Ordering::Relaxed) {}
    });
    told.recv().unwrap();
    let (worker, line) = scene.poll(move |line| {
        share_one_cpu(19);
        stalling::computes(line, &theirs);
    });
    let stall = scene.wait(|stall| stall.cause == Some(Cause::Starved));
    let stall = scene.wait(|seen| seen.id == stall.id && seen.stack.is_some());
    // It runs so seldom that its stack may be one that could not be had in time; then it says so.
    let stack = stall.stack.as_ref().unwrap();
    let named = stack.frames.iter().find(|frame| &*frame.function == "stalling::computes");
    let line = line.load(Ordering::Acquire);
    match named {
        Some(frame) => assert!((line..=line + 1).contains(&frame.line), "{frame:?}"),
        None => assert!(!stack.limitation.is_empty(), "{stack:?}"),
    }
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    hog.join().unwrap();
    scene.over(stall.id);
}

/// Leaves the calling thread the first CPU that it may use, and this niceness.
#[expect(unsafe_code, reason = "the standard library knows neither affinity nor niceness")]
fn share_one_cpu(nice: i32) {
    // SAFETY: all zeroes is a valid set, the calls change the calling thread alone, and a number is checked by the kernel.
    unsafe {
        let mut may: libc::cpu_set_t = std::mem::zeroed();
        let size = size_of::<libc::cpu_set_t>();
        assert_eq!(libc::sched_getaffinity(0, size, &raw mut may), 0);
        let first = (0..libc::CPU_SETSIZE as usize).find(|cpu| libc::CPU_ISSET(*cpu, &may)).unwrap();
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(first, &mut one);
        assert_eq!(libc::sched_setaffinity(0, size, &raw const one), 0);
        assert_eq!(libc::setpriority(libc::PRIO_PROCESS, libc::gettid() as u32, nice), 0);
    }
}

#[test]
fn a_thread_that_is_no_worker_stalls_nothing() {
    let scene = Scene::new(Stacks::All);
    scene.role.lock().unwrap().1 = Role::Other;
    let (worker, _) = scene.poll(|line| stalling::sleeps(line, Duration::from_millis(600)));
    worker.join().unwrap();
    assert_eq!(scene.stalls.since(0).1, []);
}

#[test]
fn a_worker_that_is_handed_over_stalls_no_longer() {
    let scene = Scene::new(Stacks::All);
    let (open, gate) = mpsc::channel::<()>();
    let (worker, _) = scene.poll(move |_| {
        let _ = gate.recv();
    });
    let first = scene.wait(|stall| stall.ended_at.is_none());
    // As block_in_place does it, in the middle of a poll.
    let handed_over = clock::now();
    scene.role.lock().unwrap().1 = Role::Other;
    assert!(scene.over(first.id).ended_at.unwrap() >= handed_over);
    // Back again, it stalls from then on.
    let back = clock::now();
    scene.role.lock().unwrap().1 = WORKER;
    let second = scene.wait(|stall| stall.ended_at.is_none());
    assert!(second.id > first.id && second.since >= back);
    drop(open);
    worker.join().unwrap();
    scene.over(second.id);
}

#[test]
fn stacks_can_be_switched_off() {
    let scene = Scene::new(Stacks::Off);
    let (worker, _) = scene.poll(|line| stalling::sleeps(line, Duration::from_millis(400)));
    let stall = scene.wait(|stall| stall.stack.is_some());
    let stack = stall.stack.unwrap();
    assert_eq!((stack.frames.len(), &*stack.limitation), (0, "stacks are switched off"));
    assert_eq!(stall.cause, Some(Cause::Sleep), "the cause is known all the same");
    worker.join().unwrap();
}

#[test]
fn interrupting_can_be_switched_off() {
    let scene = Scene::new(Stacks::Asleep);
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let (worker, _) = scene.poll(move |line| {
        stalling::computes(line, &theirs);
    });
    let stack = scene.wait(|stall| stall.stack.is_some()).stack.unwrap();
    assert_eq!(&*stack.limitation, "the thread runs, and interrupting threads is switched off");
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
}
