//! What hinders an agent without anybody meaning it: a profiler of the service's own, a filter of system calls, a control group that
//! gives the service a tenth of a processor.

#![allow(unsafe_code, reason = "signals, timers and filters of system calls have no safe interface")]

use crate::{
    clients::{Clients, block_on, next, until},
    process::{Roles, Service, say, until_stdin_ends, until_told},
};
use holdup_agent::Agent;
use holdup_proto::v1::{Report, Stall, stall::Cause};
use std::{
    ffi::c_int,
    fs, io, mem,
    path::PathBuf,
    ptr,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

pub(crate) const ROLES: Roles = &[
    ("hindered-profiled", profiled),
    ("hindered-no-signal", no_signal),
    ("hindered-crowded", crowded),
    ("hindered-eperm", || forbidden(libc::EPERM)),
    ("hindered-enosys", || forbidden(libc::ENOSYS)),
    ("hindered-throttled", throttled),
];

fn agent() -> Agent {
    let agent = holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into()).init();
    say(agent.address().expect("it listens"));
    agent
}

fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Keeps its worker, computing, until the process ends.
fn compute(runtime: &Runtime) {
    static NEVER: AtomicBool = AtomicBool::new(false);
    let named = tokio::task::Builder::new().name("computes");
    let computes = async { stalling::computes(&AtomicU32::new(0), &NEVER) };
    named.spawn_on(computes, runtime.handle()).expect("a runtime");
}

/// Samples of each of a profiler's signals.
static SAMPLES: [AtomicU64; 65] = [const { AtomicU64::new(0) }; 65];

/// What a profiler's handler does, but for the stack.
extern "C" fn sample(signal: c_int) {
    SAMPLES[signal as usize].fetch_add(1, Ordering::Relaxed);
}

fn sampled(signal: c_int) -> u64 {
    SAMPLES[signal as usize].load(Ordering::Relaxed)
}

fn handler_of(signal: c_int) -> libc::sighandler_t {
    // SAFETY: all zeroes is a valid value, and nothing is changed.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        assert_eq!(libc::sigaction(signal, ptr::null(), &raw mut action), 0);
        action.sa_sigaction
    }
}

fn ours() -> libc::sighandler_t {
    sample as *const () as libc::sighandler_t
}

/// Has samples taken at a signal, as profilers do: on the stack that is interrupted.
fn handle(signal: c_int) {
    handle_on(signal, libc::SA_RESTART);
}

fn handle_on(signal: c_int, flags: c_int) {
    // SAFETY: the handler adds to a number, and does nothing else.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = ours();
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &raw const action, ptr::null_mut()), 0);
    }
}

/// Sends the process a signal for each two milliseconds that it runs, as profilers do that have a timer of their own.
fn sample_at(signal: c_int) {
    let every = libc::timespec { tv_sec: 0, tv_nsec: 2_000_000 };
    let again = libc::itimerspec { it_interval: every, it_value: every };
    // SAFETY: all zeroes is a valid value of both, and the kernel checks the rest.
    unsafe {
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = signal;
        let mut timer: libc::timer_t = mem::zeroed();
        assert_eq!(libc::timer_create(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut event, &raw mut timer), 0);
        assert_eq!(libc::timer_settime(timer, 0, &raw const again, ptr::null_mut()), 0);
    }
}

/// A profiler by `SIGPROF`, one that has a timer and a signal, and one that takes the very signal that the agent has.
fn profiled() {
    handle(libc::SIGPROF);
    let every = libc::timeval { tv_sec: 0, tv_usec: 2_000 };
    let times = [every; 2];
    // SAFETY: an interval and the first time, as the kernel reads them.
    assert_eq!(unsafe { libc::syscall(libc::SYS_setitimer, 2, times.as_ptr(), ptr::null_mut::<libc::timeval>()) }, 0);
    let own = libc::SIGRTMIN() + 5;
    handle(own);
    sample_at(own);
    let agent = agent();
    let is_agents = |signal: &c_int| ![libc::SIG_DFL, ours()].contains(&handler_of(*signal));
    let agents = (libc::SIGRTMIN()..=libc::SIGRTMAX()).find(is_agents).expect("the agent has a signal");
    handle(agents);
    sample_at(agents);
    let runtime = two_workers();
    compute(&runtime);
    until_told();
    let all = [libc::SIGPROF, own, agents];
    let before = all.map(sampled);
    while all.iter().zip(before).any(|(signal, before)| sampled(*signal) < before + 20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    say(format_args!("handlers stay: {}", all.iter().all(|signal| handler_of(*signal) == ours())));
    say(format_args!("missing: {:?}", agent.missing()));
    until_stdin_ends();
    runtime.shutdown_background();
}

/// No signal is left for the agent.
fn no_signal() {
    (libc::SIGRTMIN()..=libc::SIGRTMAX()).for_each(handle);
    let agent = agent();
    say(format_args!("missing: {:?}", agent.missing()));
    let runtime = two_workers();
    compute(&runtime);
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A profiler on the stack for signals, which comes when the agent is there.
fn crowded() {
    let agent = agent();
    say(format_args!("missing: {:?}", agent.missing()));
    handle_on(libc::SIGPROF, libc::SA_RESTART | libc::SA_ONSTACK);
    let runtime = two_workers();
    compute(&runtime);
    until_told();
    say(format_args!("missing: {:?}", agent.missing()));
    until_stdin_ends();
    runtime.shutdown_background();
}

/// The system calls that the agent makes in the service for what it sees, beyond what the standard library and tokio make.
const WANTED: [libc::c_long; 8] = [
    libc::SYS_timer_create,
    libc::SYS_timer_settime,
    libc::SYS_timer_delete,
    libc::SYS_process_vm_readv,
    libc::SYS_membarrier,
    libc::SYS_tgkill,
    libc::SYS_ptrace,
    libc::SYS_perf_event_open,
];

/// Has the kernel answer those with an error, and the question for processor time too, on this thread and all that it starts.
fn forbid(error: c_int) {
    let line = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |offset| line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let skip_unless = |k: u32, lines| line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, lines, k);
    let answer = |k| line(libc::BPF_RET | libc::BPF_K, 0, 0, k);
    let refuse = answer(libc::SECCOMP_RET_ERRNO | error as u32);
    let mut program = vec![load(0)];
    for call in WANTED {
        program.extend([skip_unless(call as u32, 1), refuse]);
    }
    // Clocks of a processor's time: the process's, the thread's, and those of threads, whose numbers are negative.
    program.extend([skip_unless(libc::SYS_clock_gettime as u32, 7), load(16)]);
    program.extend([skip_unless(2, 1), refuse, skip_unless(3, 1), refuse]);
    program.extend([line(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, 1 << 31), refuse]);
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    // The jump above skips to what allows.
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the kernel reads the filter, and checks it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter), 0);
        // It is in force.
        assert_eq!(libc::syscall(libc::SYS_membarrier, 0, 0, 0), -1);
        assert_eq!(io::Error::last_os_error().raw_os_error(), Some(error));
    }
}

/// The service goes on, and two of its workers stall, one of which sleeps.
fn forbidden(error: c_int) {
    forbid(error);
    let agent = agent();
    say(format_args!("missing: {:?}", agent.missing()));
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().expect("a runtime");
    compute(&runtime);
    let named = tokio::task::Builder::new().name("sleeps");
    let sleeps = async { stalling::sleeps(&AtomicU32::new(0), Duration::from_secs(3600)) };
    named.spawn_on(sleeps, runtime.handle()).expect("a runtime");
    until_told();
    let goes_on = runtime.block_on(async { tokio::spawn(async { 3 }).await.expect("it does not panic") });
    say(format_args!("goes on: {goes_on}"));
    until_stdin_ends();
    runtime.shutdown_background();
}

/// Tasks that compute a little, again and again: together more than a tenth of a processor, none of them for long.
fn throttled() {
    until_told();
    let _agent = agent();
    let runtime = two_workers();
    for _ in 0..4 {
        runtime.spawn(async {
            loop {
                let begun = std::time::Instant::now();
                let mut number = 1_u64;
                for _ in 0..500_000 {
                    number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005));
                }
                tokio::time::sleep(begun.elapsed().min(Duration::from_millis(5))).await;
            }
        });
    }
    until_stdin_ends();
    runtime.shutdown_background();
}

/// A control group that has a tenth of a processor, or what is seen of one from inside: a process that is stopped for nine tenths of the time.
enum Throttle {
    Group(PathBuf),
    Stopped,
}

const PERIOD: Duration = Duration::from_millis(100);

impl Throttle {
    /// Puts a process into one of its own, where this user may make one.
    fn of(service: &Service) -> Self {
        let process = service.id();
        let named = format!("holdup-test-{process}");
        let put = |group: PathBuf, limits: &[(&str, &str)]| {
            fs::create_dir(&group).ok()?;
            // Where no controller is mounted there is no such file.
            let mut set =
                |(file, limit): &(&str, &str)| group.join(file).exists() && fs::write(group.join(file), limit).is_ok();
            if limits.iter().all(&mut set) && fs::write(group.join("cgroup.procs"), process.to_string()).is_ok() {
                return Some(Self::Group(group));
            }
            let _ = fs::remove_dir(&group);
            None
        };
        let root = PathBuf::from("/sys/fs/cgroup");
        let second = put(root.join(&named), &[("cpu.max", "10000 100000")]);
        let first = [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "10000")];
        second.or_else(|| put(root.join("cpu").join(&named), &first)).unwrap_or(Self::Stopped)
    }

    /// Lets it run for a while, as it is let.
    async fn run(&self, service: &Service, lasting: Duration) {
        match self {
            Self::Group(_) => tokio::time::sleep(lasting).await,
            Self::Stopped => {
                for _ in 0..lasting.as_millis() / PERIOD.as_millis() {
                    service.signal("STOP");
                    tokio::time::sleep(PERIOD * 9 / 10).await;
                    service.signal("CONT");
                    tokio::time::sleep(PERIOD / 10).await;
                }
            }
        }
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        if let Self::Group(group) = self {
            // One that has processes stays.
            let left = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            let parent = group.with_file_name("cgroup.procs");
            left.lines().for_each(|process| drop(fs::write(&parent, process)));
            let _ = fs::remove_dir(group);
        }
    }
}

/// The stalls of tasks, each as it was told last, once this holds of them.
async fn stalls(address: std::net::SocketAddr, hold: impl Fn(&[Stall]) -> bool) -> Vec<Stall> {
    let mut known: Vec<Stall> = Vec::new();
    let mut reports = Clients::connect(address).await.reports().await;
    until(&mut reports, |report| {
        for stall in &report.stalls {
            known.retain(|before| before.id != stall.id);
            known.push(stall.clone());
        }
        hold(&known)
    })
    .await;
    known
}

fn stack_says(stall: &Stall, what: &str) -> bool {
    stall.stack.as_ref().is_some_and(|stack| stack.limitation.contains(what))
}

fn is_named(stall: &Stall, function: &str) -> bool {
    stall.stack.iter().flat_map(|stack| &stack.frames).any(|frame| frame.function.contains(function))
}

#[test]
fn a_profiler_and_the_agent_have_their_samples_each_on_the_signal_that_is_its_own() {
    let mut service = Service::start("hindered-profiled", &[]);
    let address = service.address();
    block_on(stalls(address, |stalls| stalls.iter().any(|stall| is_named(stall, "computes"))));
    service.tell();
    assert_eq!(service.hear(), "handlers stay: true");
    assert_eq!(service.hear(), "missing: []", "another signal was free");
}

#[test]
fn where_the_service_has_every_signal_stalls_are_told_without_the_stack_and_why() {
    let mut service = Service::start("hindered-no-signal", &[]);
    let address = service.address();
    let why = "the service uses every real-time signal itself";
    let missing = service.hear();
    assert!(missing.contains(why), "{missing}");
    let told = block_on(stalls(address, |stalls| stalls.iter().any(|stall| stack_says(stall, why))));
    assert_eq!(told[0].cause(), Cause::Running);
    let described = block_on(async { Clients::connect(address).await.describe().await });
    assert!(described.limitations.iter().any(|it| it.contains(why)), "{:?}", described.limitations);
}

#[test]
fn the_agent_gives_way_to_a_profiler_that_leaves_no_room_on_the_stack_for_signals_and_says_so() {
    let mut service = Service::start("hindered-crowded", &[]);
    let address = service.address();
    assert_eq!(service.hear(), "missing: []");
    let why = "on the stack for signals (SA_ONSTACK)";
    block_on(stalls(address, |stalls| stalls.iter().any(|stall| stack_says(stall, why))));
    service.tell();
    let missing = service.hear();
    assert!(missing.contains(why), "{missing}");
}

#[test]
fn under_a_filter_of_system_calls_stalls_are_found_and_what_is_missing_is_said() {
    for (role, error) in [("hindered-eperm", libc::EPERM), ("hindered-enosys", libc::ENOSYS)] {
        let error = io::Error::from_raw_os_error(error).to_string();
        let mut service = Service::start(role, &[]);
        let address = service.address();
        let timer = format!("(timer_create: {error})");
        let missing = service.hear();
        assert!(missing.contains(&timer), "{role}: {missing}");
        let memory = format!("(process_vm_readv: {error})");
        let both = |stalls: &[Stall]| [&timer, &memory].iter().all(|why| stalls.iter().any(|it| stack_says(it, why)));
        let told = block_on(stalls(address, both));
        let cause = |cause| told.iter().any(|stall| stall.cause() == cause);
        assert!(cause(Cause::Running) && cause(Cause::Sleep), "{role}: {told:#?}");
        service.tell();
        assert_eq!(service.hear(), "goes on: 3");
        let said = block_on(async { Clients::connect(address).await.describe().await.limitations });
        for why in [timer.as_str(), memory.as_str(), "(clock_gettime)"] {
            assert!(said.iter().any(|it| it.contains(why)), "{role}, {why}: {said:#?}");
        }
    }
}

#[test]
fn a_service_that_has_a_tenth_of_a_processor_stands_still_and_nobody_stalls() {
    let mut service = Service::start("hindered-throttled", &[]);
    let throttle = Throttle::of(&service);
    service.tell();
    let address = service.address();
    let is_group = matches!(throttle, Throttle::Group(_));
    block_on(async {
        let mut reports = Clients::connect(address).await.reports().await;
        let mut all: Vec<Report> = Vec::new();
        let read = async {
            loop {
                all.push(next(&mut reports).await);
            }
        };
        tokio::select! {
            () = read => {}
            () = throttle.run(&service, Duration::from_secs(6)) => {}
        }
        assert!(all.iter().any(|report| !report.tasks.is_empty()));
        // Where others want the processors too, the kernel may run the agent and not a worker: that is told as what it is, and of no task's doing.
        let blamed: Vec<_> =
            all.iter().flat_map(|report| &report.stalls).filter(|stall| stall.cause() != Cause::Starved).collect();
        assert!(blamed.is_empty(), "{blamed:#?}");
        let stood = all.iter().any(|report| !report.standstills.is_empty());
        // What stops a process for less than a fifth of a second is not counted by anybody, and makes no stall.
        assert!(stood || !is_group, "nothing is said of it");
    });
    drop(service);
}
