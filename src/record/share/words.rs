//! What is kept as it is: words that Tokio, Rust and the kernel say of every program, and that say nothing of the one that was recorded. Whatever is not
//! among them is replaced.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// What Tokio's instrumentation, an agent and a look at memory call things: kinds, types, targets, operations, names of fields, units.
const TOKIO: &[&str] = &[
    // Descriptions.
    "runtime.spawn",
    "runtime.resource",
    "runtime.resource.async_op",
    "runtime.resource.async_op.poll",
    "runtime::resource",
    "runtime::resource::poll_op",
    "runtime::resource::state_update",
    "runtime::resource::async_op",
    "runtime::resource::async_op::state_update",
    "tokio",
    "tokio::task",
    "tokio::task::blocking",
    "tokio::task::waker",
    "tokio::sync",
    "tokio::sync::barrier",
    "tokio::sync::batch_semaphore",
    "tokio::sync::mpsc",
    "tokio::sync::mutex",
    "tokio::sync::oneshot",
    "tokio::sync::rwlock",
    "tokio::sync::semaphore",
    "tokio::time::interval",
    "tokio::time::sleep",
    "tokio::util::trace",
    // Kinds and types.
    "task",
    "local",
    "blocking",
    "block_on",
    "worker",
    "thread",
    "Sync",
    "timer",
    "Mutex",
    "RwLock",
    "Semaphore",
    "Barrier",
    "Notify",
    "OnceCell",
    "Sleep",
    "Interval",
    "Sender|Receiver",
    "a lock or semaphore",
    "room in an mpsc channel",
    "mpsc channel",
    "oneshot channel",
    "watch channel",
    "broadcast channel",
    "std Mutex",
    "std RwLock",
    // Operations.
    "Acquire::new",
    "Barrier::wait",
    "Interval::tick",
    "Mutex::lock",
    "Mutex::lock_owned",
    "Receiver::await",
    "Receiver::recv",
    "RwLock::read",
    "RwLock::read_owned",
    "RwLock::write",
    "RwLock::write_owned",
    "Semaphore::acquire",
    "Semaphore::acquire_many",
    "Semaphore::acquire_many_owned",
    "Semaphore::acquire_owned",
    "Sender::closed",
    "Sleep::new_timeout",
    "Sleep::reset",
    "poll_acquire",
    "poll_elapsed",
    "poll_recv",
    "poll_tick",
    // Names of fields beside those whose values are kept.
    "concrete_type",
    "duration",
    "fn",
    "loc.col",
    "loc.file",
    "loc.line",
    "op_name",
    "source",
    "task.name",
    // Units.
    "B",
    "ms",
    "ns",
    "s",
    "us",
    // Threads of every Tokio runtime.
    "tokio-runtime-w",
    "tokio-runtime-worker",
    "tokio-rt-worker",
];

/// What an agent can tell, in which detail, and what is known of types.
const ABILITIES: &str = "\
    absent captures driver-turns full history lean lines locks losses panics permits runtimes scheduled spans spawn-times \
    stacks stalls stripped symbols task-facts tasks twin wakers workers";

/// Fields of Tokio's whose values are kept where they are flags or numbers: how a lock, a semaphore or a channel stands.
const COUNTED: &str = "\
    arrived current_readers free held inherits_child_attrs is_internal is_ready kind locked max_readers messages \
    original_size.bytes permits permits_obtained permits_requested receivers room rx_dropped senders size size.bytes \
    task.id tx_dropped value_received value_sent waiting write_locked";

/// What an agent says that it could not keep or tell.
pub(super) const LOSSES: &[&str] = &[
    "deep-spans",
    "events",
    "finished-ops",
    "finished-resources",
    "finished-tasks",
    "runtimes",
    "spans",
    "unseen",
    "unsent-locks",
    "unsent-ops",
    "unsent-panics",
    "unsent-resources",
    "unsent-stalls",
    "unsent-tasks",
];

/// System calls, functions of the kernel in which threads sleep, and both in words.
const KERNEL: &[&str] = &[
    "a call that was interrupted",
    "a signal",
    "accept",
    "accept4",
    "bind",
    "brk",
    "clock_nanosleep",
    "clone",
    "clone3",
    "close",
    "connect",
    "do_epoll_wait",
    "do_select",
    "do_sys_poll",
    "do_wait",
    "ep_poll",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "execve",
    "fcntl",
    "fdatasync",
    "flock",
    "fsync",
    "futex",
    "futex_do_wait",
    "futex_wait",
    "futex_wait_queue",
    "futex_wait_queue_me",
    "getdents64",
    "getrandom",
    "hrtimer_nanosleep",
    "inet_csk_accept",
    "io_schedule",
    "io_uring",
    "io_uring_enter",
    "ioctl",
    "kill",
    "lock of a file",
    "lseek",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "msync",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pipe_read",
    "pipe_write",
    "poll",
    "ppoll",
    "pread64",
    "pselect6",
    "pwrite64",
    "read",
    "read of a file",
    "read of a folder",
    "readv",
    "receive",
    "recvfrom",
    "recvmsg",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sched_yield",
    "select",
    "send",
    "sendfile",
    "sendmsg",
    "sendto",
    "sk_wait_data",
    "sleep",
    "splice",
    "stat",
    "statx",
    "sync",
    "syncfs",
    "the disk",
    "the disk or a page",
    "the end of a process",
    "unix_stream_read_generic",
    "wait4",
    "wait_woken",
    "waitid",
    "write",
    "write of a file",
    "writev",
    "yield",
];

/// Published crates whose names and paths are kept, as their packages are called: the standard library's, Tokio's, and what async services are made of.
const PUBLISHED: &str = "\
    actix-rt actix-web alloc anyhow async-channel async-stream async-trait axum axum-core backtrace bb8 bytes \
    console-subscriber core crossbeam-channel dashmap deadpool event-listener flume futures \
    futures-channel futures-core futures-executor futures-io futures-lite futures-sink futures-task futures-util h2 \
    h3 hickory-resolver holdup-agent http http-body http-body-util httparse hyper hyper-rustls hyper-tls hyper-util \
    lapin mio moka native-tls once_cell openssl parking_lot parking_lot_core pin-project-lite prost quinn \
    quinn-proto quinn-udp rdkafka redis reqwest rustls scoped-tls sea-orm serde serde_json slab socket2 sqlx \
    sqlx-core sqlx-mysql sqlx-postgres sqlx-sqlite std thiserror tokio tokio-native-tls tokio-postgres tokio-rustls \
    tokio-stream tokio-tungstenite tokio-util tonic tower tower-http tower-layer tower-service tracing tracing-core \
    tracing-futures tracing-log tracing-subscriber tungstenite warp zbus";

/// Words of Rust, and names of the standard library and of Tokio that stand without their paths in names for people.
const RUST: &str = "\
    Acquire Arc BTreeMap BTreeSet Barrier BlockingTask Box Broadcast BufferUnordered Buffered Cell Changed Drop \
    Duration Either Err Error Fill Flush Fn FnMut FnOnce Fuse Future FuturesOrdered FuturesUnordered HashMap HashSet \
    Instant Instrumented Interval IntoFuture Iterator Join JoinAll JoinHandle JoinSet Lines LocalSet Map \
    MappedMutexGuard MaybeDone Mutex MutexGuard None Notified Notify Ok OnceCell Option Output OwnedMutexGuard \
    OwnedPermit OwnedRwLockReadGuard OwnedRwLockWriteGuard OwnedSemaphorePermit Pending Permit PhantomData Pin Poll \
    PollFn Rc Read ReadExact ReadLine ReadToEnd ReadUntil Readiness Ready Receiver Recv RefCell Result RunUntil \
    RwLock RwLockReadGuard RwLockWriteGuard Select Self Semaphore SemaphorePermit Send Sender Shutdown Sleep Some \
    Split Stream String Sync TcpListener TcpStream Timeout TryFuture TryJoinAll UdpSocket UnboundedReceiver \
    UnboundedSender UnixListener UnixStream Unordered Vec Watch Weak Write WriteAll acquire as async async_block \
    async_block_env async_closure async_closure_env async_fn async_fn_env block block_on bool branch call call_mut \
    call_once changed char closure closure_env const constant crate drop dyn extern f32 f64 fmt fn for i128 i16 i32 \
    i64 i8 impl into_future isize join lock main mut new next not notified of poll poll_fn poll_next read recv ref \
    run select send shim sleep spawn started static str tick timeout try_join u128 u16 u32 u64 u8 unsafe usize \
    vtable wait write";

/// Files and folders that most packages have.
const USUAL: &[&str] = &["src", "lib.rs", "main.rs", "mod.rs"];

/// What a file's name may end with, which is kept.
const ENDINGS: &[&str] = &["rs", "c", "cc", "cpp", "h", "hpp", "S", "s"];

/// Libraries of every system.
const LIBRARIES: &str = "\
    ld-linux-aarch64.so ld-linux-x86-64.so ld-musl-x86_64.so libc.musl-x86_64.so libc.so libcrypto.so libdl.so \
    libgcc_s.so libm.so libpthread.so librt.so libssl.so libstdc++.so libz.so linux-vdso.so";

/// What the diagnosis looks for inside of names: a name that has it is told by it, and by nothing else of it.
pub(super) const TELLING: &[&str] = &["poll", "block_on", "LocalSet", "RunUntil", "PollFn"];

/// The words of a list.
fn words(list: &'static str) -> FxHashSet<&'static str> {
    list.split_whitespace().collect()
}

pub(super) fn is_of_tokio(text: &str) -> bool {
    TOKIO.contains(&text) || is_counted(text)
}

/// Whether a field's value is kept where it is a flag or a number.
pub(super) fn is_counted(field: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| words(COUNTED));
    WORDS.contains(field)
}

pub(super) fn is_ability(text: &str) -> bool {
    ABILITIES.split_whitespace().any(|ability| ability == text)
}

/// Whether a field's value is a name.
pub(super) fn is_name(field: &str) -> bool {
    matches!(field, "task.name" | "fn")
}

pub(super) fn is_of_kernel(text: &str) -> bool {
    KERNEL.contains(&text)
}

/// Whether a package is published, by its name.
pub(super) fn is_published(package: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| words(PUBLISHED));
    WORDS.contains(package)
}

/// The same by the name that its code has.
pub(super) fn is_published_crate(name: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<String>> =
        LazyLock::new(|| words(PUBLISHED).iter().map(|package| package.replace('-', "_")).collect());
    WORDS.contains(name)
}

pub(super) fn is_of_rust(word: &str) -> bool {
    static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| words(RUST));
    WORDS.contains(word)
}

pub(super) fn is_usual(part: &str) -> bool {
    USUAL.contains(&part)
}

pub(super) fn is_ending(ending: &str) -> bool {
    ENDINGS.contains(&ending)
}

/// Whether a file is a library of every system, whatever its version.
pub(super) fn is_library(module: &str) -> bool {
    let known = LIBRARIES.split_whitespace().find_map(|library| module.strip_prefix(library));
    known.is_some_and(|version| version.chars().all(|letter| letter == '.' || letter.is_ascii_digit()))
}
