//! What `/proc` tells of a process and of each of its threads. Nothing here reads memory.

use super::{KernelThread, Registers, Watched};
use nix::time::{ClockId, clock_gettime};
use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    time::Duration,
};

/// More threads than these are not told.
const MOST_THREADS: usize = 65_536;
/// A file of `/proc` longer than this is cut off.
const MOST_BYTES: u64 = 256 << 20;

/// Reads a small file into what is there already, so that hundreds of them cost no memory anew.
pub(crate) fn read_into<'a>(path: &str, into: &'a mut Vec<u8>) -> std::io::Result<&'a [u8]> {
    into.clear();
    File::open(path)?.take(MOST_BYTES).read_to_end(into)?;
    Ok(into)
}

/// A file as text, whatever its bytes are.
pub(crate) fn text(path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    read_into(path, &mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What `stat` says of a process or thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) state: char,
    /// Ticks on processors, as the user and as the kernel.
    pub(crate) ticks: u64,
    /// Ticks since the machine began, when it started.
    pub(crate) started: u64,
}

/// The name may hold anything, parentheses and spaces too.
pub(crate) fn stat(text: &str) -> Option<Stat> {
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let name = text.get(open + 1..close)?.to_owned();
    let mut fields = text.get(close + 1..)?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let fields: Vec<&str> = fields.collect();
    // Counted from the state, which is the third.
    let number = |field: usize| fields.get(field - 4).and_then(|field| field.parse::<u64>().ok());
    Some(Stat { name, state, ticks: number(14)?.saturating_add(number(15)?), started: number(22)? })
}

/// The value of a line of `status`.
pub(crate) fn status<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// What `syscall` says: the call that a thread is in, what that was given first, and its registers, unless it runs.
pub(crate) fn syscall(text: &str) -> (Option<u64>, Option<u64>, Option<Registers>) {
    let mut words = text.split_ascii_whitespace();
    let hex = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let number = words.next().and_then(|word| word.parse().ok());
    let argument = words.next().and_then(hex).filter(|_| number.is_some());
    let mut words = text.split_ascii_whitespace().rev();
    let mut word = || hex(words.next()?);
    match (word(), word()) {
        (Some(pc), Some(sp)) if pc != 0 && sp != 0 => {
            (number, argument, Some(Registers { pc, sp, ..Registers::default() }))
        }
        _ => (number, argument, None),
    }
}

/// How many ticks a second has.
pub(crate) fn ticks() -> u64 {
    let ticks = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    ticks.and_then(|ticks| u64::try_from(ticks).ok()).filter(|ticks| *ticks > 0).unwrap_or(100)
}

/// Ticks as a time.
pub(crate) fn of_ticks(count: u64, per_second: u64) -> Duration {
    let per_second = per_second.max(1);
    let rest = count % per_second;
    Duration::from_secs(count / per_second) + Duration::from_nanos(rest.saturating_mul(1_000_000_000) / per_second)
}

/// The size of a page.
pub(crate) fn page() -> u64 {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    page.and_then(|page| u64::try_from(page).ok()).filter(|page| page.is_power_of_two()).unwrap_or(4096)
}

/// One of this machine's clocks, now.
pub(crate) fn clock(id: ClockId) -> Duration {
    clock_gettime(id).map(Duration::from).unwrap_or_default()
}

/// The processor time of this thread.
pub(crate) fn processor_time() -> Duration {
    clock(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// By how many nanoseconds the monotonic clock of a process is ahead of the machine's: it may have a namespace of its own.
pub(crate) fn monotonic_offset(timens_offsets: &str) -> i128 {
    let line = timens_offsets.lines().find_map(|line| line.trim_start().strip_prefix("monotonic"));
    let mut numbers = line.unwrap_or_default().split_ascii_whitespace().map(|word| word.parse::<i64>().unwrap_or(0));
    let mut next = || i128::from(numbers.next().unwrap_or(0));
    next() * 1_000_000_000 + next()
}

/// A time that is moved by so many nanoseconds, at least 0.
pub(crate) fn shifted(time: Duration, by: i128) -> Duration {
    let nanos = i128::try_from(time.as_nanos()).unwrap_or(i128::MAX).saturating_add(by).max(0);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The ids of a process's threads, in order.
pub(crate) fn thread_ids(pid: u32) -> std::io::Result<Vec<u32>> {
    let mut ids: Vec<u32> = fs::read_dir(format!("/proc/{pid}/task"))?
        .take(MOST_THREADS)
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// A thread as it was seen, to be taken again if it has not run since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) thread: KernelThread,
    /// What `schedstat` said: processor time, and how often it got a processor.
    schedule: Vec<u8>,
}

impl Seen {
    /// Whether the thread has not run since, as far as the kernel counts that.
    pub(crate) fn is_still(&self, pid: u32) -> bool {
        let mut now = Vec::new();
        let read = read_into(&format!("/proc/{pid}/task/{}/schedstat", self.thread.id), &mut now);
        read.map_or(self.schedule.is_empty(), |now| now == self.schedule)
    }
}

/// Looks at a thread, `None` if it is gone. One that sleeps as it did has not changed: one file tells, and the others need not be
/// read.
pub(crate) fn thread(pid: u32, id: u32, known: Option<Seen>, buffer: &mut Vec<u8>) -> Option<Seen> {
    let at = |file: &str| format!("/proc/{pid}/task/{id}/{file}");
    let schedule = read_into(&at("schedstat"), buffer).map(<[u8]>::to_vec).unwrap_or_default();
    // Kernels that do not count show zeros.
    let counts = !schedule.is_empty() && schedule.trim_ascii() != b"0 0 0";
    if let Some(known) = known
        && counts
        && known.schedule == schedule
        && known.thread.registers.is_some()
    {
        return Some(known);
    }
    let mut read = |file: &str| {
        read_into(&at(file), buffer).ok().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    };
    let stat = stat(&read("stat"))?;
    let (syscall, argument, registers) = if stat.state == 'R' { (None, None, None) } else { syscall(&read("syscall")) };
    let waits_in = if registers.is_some() { function(&read("wchan")) } else { String::new() };
    let status_text = read("status");
    let number = |name| status(&status_text, name).and_then(|value| value.parse::<u64>().ok());
    let inner = status(&status_text, "NSpid").and_then(|ids| ids.split_ascii_whitespace().last()?.parse().ok());
    let cpu = counts.then(|| nanoseconds(&schedule, 0)).flatten();
    let waited = counts.then(|| nanoseconds(&schedule, 1)).flatten();
    let thread = KernelThread {
        id,
        inner_id: inner.unwrap_or(id),
        name: stat.name,
        state: stat.state,
        waits_in,
        syscall,
        argument,
        registers,
        cpu: cpu.or_else(|| Some(of_ticks(stat.ticks, ticks()))),
        waited,
        switches: number("voluntary_ctxt_switches").zip(number("nonvoluntary_ctxt_switches")),
    };
    // One that woke up meanwhile is a mixture of two moments: its registers are not believed.
    let after = read_into(&at("schedstat"), buffer).map(<[u8]>::to_vec).unwrap_or_default();
    let moved = counts && after != schedule;
    let thread = if moved { KernelThread { registers: None, syscall: None, argument: None, ..thread } } else { thread };
    Some(Seen { thread, schedule })
}

/// One of the times that `schedstat` begins with: on a processor, and waiting for one.
fn nanoseconds(schedule: &[u8], which: usize) -> Option<Duration> {
    let text = std::str::from_utf8(schedule).ok()?;
    Some(Duration::from_nanos(text.split_ascii_whitespace().nth(which)?.parse().ok()?))
}

/// The kernel shows 0 for a thread that does not sleep, and where it keeps its functions to itself.
fn function(wchan: &str) -> String {
    if wchan.trim() == "0" { String::new() } else { wchan.trim().into() }
}

/// The epoll descriptors of a process, whose folder in `/proc` this is.
pub(crate) fn epolls(folder: &str) -> Vec<i32> {
    let descriptors = fs::read_dir(format!("{folder}/fd")).into_iter().flatten().flatten();
    let numbers = descriptors.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut epolls: Vec<i32> = numbers.filter(|descriptor| is_epoll(folder, *descriptor)).collect();
    epolls.sort_unstable();
    epolls
}

/// Whether a descriptor is one of epoll.
pub(crate) fn is_epoll(folder: &str, descriptor: i32) -> bool {
    let link = fs::read_link(format!("{folder}/fd/{descriptor}"));
    link.is_ok_and(|to| to == Path::new("anon_inode:[eventpoll]"))
}

/// What epoll descriptors of a process watch.
pub(crate) fn watched(folder: &str, epolls: &[i32]) -> Vec<Watched> {
    let mut found = Vec::new();
    for epoll in epolls {
        if let Some(text) = text(&format!("{folder}/fdinfo/{epoll}")) {
            found.extend(epoll_entries(*epoll, &text));
        }
    }
    found.sort_unstable_by_key(|entry| (entry.epoll, entry.fd));
    found
}

/// The lines `tfd: 9 events: 80000019 data: 7f5e20000d40 …`: the data is hexadecimal.
pub(crate) fn epoll_entries(epoll: i32, text: &str) -> impl Iterator<Item = Watched> {
    text.lines().filter_map(move |line| {
        let mut words = line.split_ascii_whitespace();
        (words.next()? == "tfd:").then_some(())?;
        let fd = words.next()?.parse().ok()?;
        let data = words.skip_while(|word| *word != "data:").nth(1)?;
        Some(Watched { epoll, fd, data: u64::from_str_radix(data, 16).ok()? })
    })
}

/// The pairs of the auxiliary vector.
pub(crate) fn auxv(bytes: &[u8]) -> Vec<(u64, u64)> {
    let word = |piece: &[u8]| piece.try_into().map(u64::from_le_bytes).unwrap_or_default();
    let pairs = bytes.chunks_exact(16).map(|pair| (word(&pair[..8]), word(&pair[8..])));
    pairs.take_while(|(key, _)| *key != 0).take(128).collect()
}

/// Whether the control group of a process is frozen, in either version of control groups.
pub(crate) fn frozen(cgroup: &str) -> bool {
    cgroup.lines().any(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        match (parts.next(), parts.next()) {
            (Some(""), Some(path)) if path != "/" => ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].iter().any(|root| {
                text(&format!("{root}{path}/cgroup.events"))
                    .is_some_and(|text| text.lines().any(|line| line == "frozen 1"))
            }),
            (Some("freezer"), Some(path)) if path != "/" => {
                text(&format!("/sys/fs/cgroup/freezer{path}/freezer.state")).is_some_and(|text| text.trim() == "FROZEN")
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "12 (a) R (b) S 1 2 3 4 5 6 7 8 9 10 30 12 13 14 15 16 17 18 999 20";
        let stat = stat(text).unwrap();
        assert_eq!((&*stat.name, stat.state, stat.ticks, stat.started), ("a) R (b", 'S', 42, 999));
        assert_eq!(super::stat("12 (x"), None);
        assert_eq!(super::stat("12 )x( S"), None);
    }

    #[test]
    fn registers_are_told_unless_it_runs() {
        let (number, argument, registers) = syscall("202 0x7f 0x80 0x0 0x0 0x0 0x0 0x7ffd 0x7fab\n");
        assert_eq!(
            (number, argument, registers.map(|registers| (registers.sp, registers.pc))),
            (Some(202), Some(0x7f), Some((0x7ffd, 0x7fab)))
        );
        assert_eq!(syscall("running\n"), (None, None, None));
        let (number, argument, registers) = syscall("-1 0x1 0x2\n");
        assert!(number.is_none() && argument.is_none() && registers.is_some());
        assert_eq!(syscall(""), (None, None, None));
    }

    #[test]
    fn epoll_entries_are_hexadecimal() {
        let text = "pos:\t0\nflags:\t02\ntfd:        5 events:       19 data:                0  pos:0 ino:2060 sdev:f\n\
            tfd: 9 events: 8000201d data: 7f5e20000d40  pos:0\ntfd: x\n";
        let found: Vec<Watched> = epoll_entries(3, text).collect();
        assert_eq!(found, [Watched { epoll: 3, fd: 5, data: 0 }, Watched { epoll: 3, fd: 9, data: 0x7f5e_2000_0d40 }]);
    }

    #[test]
    fn clocks_of_another_namespace_are_moved() {
        assert_eq!(monotonic_offset("monotonic           5         7\nboottime 0 0\n"), 5_000_000_007);
        assert_eq!(monotonic_offset(""), 0);
        assert_eq!(shifted(Duration::from_secs(2), -1_000_000_000), Duration::from_secs(1));
        assert_eq!(shifted(Duration::from_secs(2), -9_000_000_000), Duration::ZERO);
        assert_eq!(of_ticks(250, 100), Duration::from_millis(2500));
    }
}
