//! The truth: what each task awaits and what it has, written down by the task itself before it does.
//!
//! A line on stdin is answered with the truth, one JSON object a line, and `{"end":N}` after the last; the end of stdin ends the
//! process, so that none is left behind by whoever started it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::{BufRead, Write as _},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// Who does something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Task(u64),
    /// A thread: in `block_on`, or in a job that blocks.
    Thread(u32),
    /// Nobody's frame: in a map, forgotten.
    Nobody,
}

/// What is waited for, or held.
#[derive(Clone)]
pub struct What {
    kind: &'static str,
    /// Words near which the thing is: of itself, or of what it points to.
    near: Vec<u64>,
    /// How far from these words it may be.
    within: u64,
    number: u64,
    other: &'static str,
}

struct Entry {
    function: &'static str,
    file: &'static str,
    line: u32,
    waits: Vec<What>,
    /// Started, kept, and not polled any more.
    held: bool,
}

struct Holding {
    who: Who,
    what: What,
    local: &'static str,
}

#[derive(Default)]
struct Table {
    frames: BTreeMap<(Who, u64), Entry>,
    /// Each way through the functions that a task has ever slept at the end of, where that is kept.
    paths: BTreeSet<String>,
    holds: BTreeMap<u64, Holding>,
    facts: BTreeMap<String, String>,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(1);
static PATHS: AtomicBool = AtomicBool::new(false);

fn with<R>(what: impl FnOnce(&mut Table) -> R) -> R {
    let mut table: MutexGuard<'_, Option<Table>> = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    what(table.get_or_insert_with(Table::default))
}

pub fn me() -> Who {
    match tokio::task::try_id() {
        Some(id) => Who::Task(number(id)),
        None => Who::Thread(thread()),
    }
}

pub fn thread() -> u32 {
    // SAFETY: it has no arguments and cannot fail.
    unsafe { libc::gettid() as u32 }
}

pub fn number(id: tokio::task::Id) -> u64 {
    id.to_string().parse().unwrap_or(0)
}

/// One async function that runs: it says before each `.await` what comes.
pub struct At {
    who: Who,
    id: u64,
    function: &'static str,
    file: &'static str,
}

impl At {
    pub fn new(function: &'static str, file: &'static str) -> Self {
        Self { who: Who::Nobody, id: 0, function, file }
    }

    pub fn wait(&mut self, line: u32, waits: Vec<What>) {
        let entry = Entry { function: self.function, file: self.file, line, waits, held: false };
        with(|table| {
            table.frames.remove(&(self.who, self.id));
            // In the order in which they sleep: a frame comes before those that it awaits.
            (self.who, self.id) = (me(), NEXT.fetch_add(1, Relaxed));
            table.frames.insert((self.who, self.id), entry);
            if PATHS.load(Relaxed) {
                let frames = table.frames.range((self.who, 0)..=(self.who, u64::MAX));
                let path: Vec<String> = frames.map(|(_, frame)| format!("{}:{}", frame.function, frame.line)).collect();
                table.paths.insert(path.join(" "));
            }
        });
    }
}

impl Drop for At {
    fn drop(&mut self) {
        with(|table| table.frames.remove(&(self.who, self.id)));
    }
}

/// Keeps each path from now on. For tasks that await one thing at a time.
pub fn keep_paths() {
    PATHS.store(true, Relaxed);
}

/// Every frame of this task that was written down since then is kept, and not polled any more.
pub fn mark() -> u64 {
    NEXT.load(Relaxed)
}

pub fn held_since(mark: u64) {
    let me = me();
    with(|table| {
        for (_, entry) in table.frames.range_mut((me, mark)..=(me, u64::MAX)) {
            entry.held = true;
        }
    });
}

/// While it lives, this task or thread has it.
pub struct Hold(u64);

pub fn hold(what: What, local: &'static str) -> Hold {
    hold_as(me(), what, local)
}

pub fn hold_as(who: Who, what: What, local: &'static str) -> Hold {
    let id = NEXT.fetch_add(1, Relaxed);
    with(|table| table.holds.insert(id, Holding { who, what, local }));
    Hold(id)
}

impl Drop for Hold {
    fn drop(&mut self) {
        with(|table| table.holds.remove(&self.0));
    }
}

/// A fact that is no wait: `name` is unique.
pub fn fact(name: impl Into<String>, value: impl Into<String>) {
    with(|table| table.facts.insert(name.into(), value.into()));
}

/// Name of the function that this stands in.
#[macro_export]
macro_rules! here {
    () => {{
        fn here() {}
        fn name<T>(_: T) -> &'static str {
            std::any::type_name::<T>()
        }
        name(here).trim_end_matches("::here")
    }};
}

/// Stands at the start of an async function.
#[macro_export]
macro_rules! frame {
    () => {
        $crate::truth::At::new($crate::here!(), file!())
    };
}

/// Stands on the line before the one with the `.await`.
#[macro_export]
macro_rules! wait {
    ($at:ident $(, $what:expr)*) => {
        $at.wait(line!() + 1, vec![$($what),*])
    };
}

/// Something at this address.
pub fn of<T>(kind: &'static str, thing: &T) -> What {
    What { kind, near: vec![std::ptr::from_ref(thing) as u64], within: size_of::<T>() as u64, number: 1, other: "" }
}

/// Something that the words of this lead to: an end of a channel.
pub fn through<T>(kind: &'static str, end: &T) -> What {
    let words = size_of::<T>() / 8;
    let from = std::ptr::from_ref(end).cast::<u64>();
    // SAFETY: these are the bytes of `end`; padding is read as what happens to stand there.
    let near = (0..words).map(|word| unsafe { from.add(word).read_volatile() }).filter(|word| *word > 0xFFFF).collect();
    What { kind, near, within: 1024, number: 1, other: "" }
}

impl What {
    /// So many permits.
    pub fn times(mut self, number: u64) -> Self {
        self.number = number;
        self
    }
}

pub fn timer(due: tokio::time::Instant) -> What {
    let due = now() + due.saturating_duration_since(tokio::time::Instant::now());
    What { kind: "timer", near: Vec::new(), within: 0, number: due.as_millis() as u64, other: "" }
}

pub fn task(id: tokio::task::Id) -> What {
    What { kind: "join", near: Vec::new(), within: 0, number: number(id), other: "" }
}

pub fn any_task(count: usize) -> What {
    What { kind: "join-any", near: Vec::new(), within: 0, number: count as u64, other: "" }
}

pub fn local_set() -> What {
    What { kind: "local-set", near: Vec::new(), within: 0, number: 0, other: "" }
}

pub fn io(socket: &impl AsRawFd, interest: &'static str) -> What {
    What { kind: "io", near: Vec::new(), within: 0, number: socket.as_raw_fd() as u64, other: interest }
}

/// Something with an end that nobody outside can know.
pub fn opaque() -> What {
    What { kind: "opaque", near: Vec::new(), within: 0, number: 0, other: "" }
}

pub fn now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is there to be written to.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Who {
    fn json(self) -> String {
        match self {
            Self::Task(number) => format!("\"task\":{number}"),
            Self::Thread(thread) => format!("\"thread\":{thread}"),
            Self::Nobody => "\"nobody\":true".into(),
        }
    }
}

impl What {
    fn json(&self) -> String {
        let Self { kind, near, within, number, other } = self;
        format!(r#"{{"kind":"{kind}","near":{near:?},"within":{within},"number":{number},"other":"{other}"}}"#)
    }
}

fn print() {
    let mut text = String::new();
    let lines = with(|table| {
        for ((who, id), Entry { function, file, line, waits, held }) in &table.frames {
            let waits: Vec<String> = waits.iter().map(What::json).collect();
            let _ = writeln!(
                text,
                r#"{{"frame":{id},{},"function":"{function}","file":"{file}","line":{line},"held":{held},"waits":[{}]}}"#,
                who.json(),
                waits.join(",")
            );
        }
        for (id, Holding { who, what, local }) in &table.holds {
            let _ = writeln!(text, r#"{{"hold":{id},{},"local":"{local}","what":{}}}"#, who.json(), what.json());
        }
        for (name, value) in &table.facts {
            let _ = writeln!(text, r#"{{"fact":"{name}","value":"{value}"}}"#);
        }
        for path in &table.paths {
            let _ = writeln!(text, r#"{{"path":"{path}"}}"#);
        }
        text.lines().count()
    });
    let _ = writeln!(text, r#"{{"end":{lines}}}"#);
    say(&text);
}

/// Says something on stdout, whole.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Says that all stands as it will.
pub fn ready() {
    say(&format!("ready {}\n", std::process::id()));
}

/// Answers, on a thread of its own; `other` takes what is not a question for the truth.
pub fn answer(other: Arc<dyn Fn(&str) + Send + Sync>) {
    let answers = std::thread::Builder::new().name("truth".into()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("truth" | "") => print(),
                Ok(line) => other(line),
                Err(_) => break,
            }
        }
        // SAFETY: no destructor is wanted: it must end, whatever its tasks are in.
        unsafe { libc::_exit(0) }
    });
    assert!(answers.is_ok(), "a thread");
}
