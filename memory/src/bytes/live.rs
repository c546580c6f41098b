//! A process that runs. It is read by `process_vm_readv`, or by `/proc/PID/mem` where a filter forbids the call; it is not stopped,
//! not attached to, and no page is made present in it.
//!
//! Of a page that is not present: one that its file has is read from the file, one that was never touched is zeros, as the process
//! itself would see them; one that was swapped out, or is shared with others, is not read.

use super::{
    Bytes, Error, KernelThread, Region, Scene, Socket, Wanted, Watched,
    files::{self, Files},
    maps,
    pages::{Page, Pages},
    proc::{self, Seen},
    rights, sockets,
};
use crate::ProcessState;
use nix::{
    errno::Errno,
    sys::uio::{RemoteIoVec, process_vm_readv},
    time::ClockId,
    unistd::Pid,
};
use rustc_hash::FxHashMap;
use std::{
    fs::{self, File},
    io::IoSliceMut,
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Bytes and pieces of one call.
const CALL_BYTES: usize = 1 << 20;
const CALL_PIECES: usize = 512;

/// A runtime that was begun may be overlooked for so long: there may be thousands of descriptors to go through.
const EPOLLS_KEPT: Duration = Duration::from_secs(3);
/// How often a look begins again where the process executes another program meanwhile.
const EXECS: usize = 8;

/// A process that runs.
#[derive(Debug)]
pub struct Live {
    pid: u32,
    /// The thread whose memory is read: the process's first, unless that has ended before the others.
    via: AtomicU32,
    /// When it began, in ticks: another process may get its id.
    started: u64,
    page: u64,
    /// By how many nanoseconds its monotonic clock is ahead.
    clock: i128,
    way: Way,
    calls: AtomicU64,
    bytes: AtomicU64,
    pages: Mutex<Pages>,
    kept: Mutex<Kept>,
    files: Files,
}

/// How memory is read.
#[derive(Debug)]
enum Way {
    /// By the call that copies many pieces.
    Call,
    /// As a file.
    File(File),
}

/// What the look before saw.
#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    regions: Arc<[Region]>,
    threads: FxHashMap<u32, Seen>,
    /// Which descriptors are those of epoll, and when that was looked for.
    epolls: Option<(Instant, Vec<i32>)>,
    buffer: Vec<u8>,
}

impl Live {
    /// Opens a process to be read.
    ///
    /// # Errors
    ///
    /// Where there is none, it has ended, or it may not be read: then which of the reasons it is, and what to type.
    pub fn open(pid: u32) -> Result<Self, Error> {
        let stat = proc::text(&format!("/proc/{pid}/stat")).as_deref().and_then(proc::stat);
        let stat = stat.ok_or_else(|| gone(pid))?;
        let offsets = proc::text(&format!("/proc/{pid}/timens_offsets")).unwrap_or_default();
        let own = proc::text("/proc/self/timens_offsets").unwrap_or_default();
        let page = proc::page();
        let live = Self {
            pid,
            via: AtomicU32::new(pid),
            started: stat.started,
            page,
            clock: proc::monotonic_offset(&offsets) - proc::monotonic_offset(&own),
            way: Way::Call,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            pages: Mutex::new(Pages::new(None, page)),
            kept: Mutex::default(),
            files: Files::default(),
        };
        if matches!(stat.state, 'Z' | 'X') {
            live.look_for_another();
        }
        // The same question that a read of memory asks of the kernel, and no memory is read for it.
        let memory = File::open(live.path("mem")).map_err(|_| rights::refused(pid))?;
        let live = Self { way: live.choose(memory)?, ..live };
        live.regions()?;
        live.renew_pages();
        Ok(live)
    }

    /// The call may be forbidden where the file is not: older containers filter it.
    fn choose(&self, memory: File) -> Result<Way, Error> {
        // Nothing is at this address, hence nothing is made present; whoever may read is told so.
        let mut byte = [0];
        let remote = [RemoteIoVec { base: 0, len: 1 }];
        match process_vm_readv(self.target(), &mut [IoSliceMut::new(&mut byte)], &remote) {
            Ok(_) | Err(Errno::EFAULT) => Ok(Way::Call),
            Err(Errno::ESRCH) => Err(gone(self.pid)),
            Err(_) => Ok(Way::File(memory)),
        }
    }

    /// Of a process whose first thread has ended, another one leads to the memory.
    fn look_for_another(&self) {
        let lives = |id: &u32| {
            let stat = proc::text(&format!("/proc/{0}/task/{id}/stat", self.pid));
            stat.as_deref().and_then(proc::stat).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
        };
        if let Some(id) = proc::thread_ids(self.pid).unwrap_or_default().into_iter().find(lives) {
            self.via.store(id, Ordering::Relaxed);
        }
    }

    fn target(&self) -> Pid {
        Pid::from_raw(self.via.load(Ordering::Relaxed).cast_signed())
    }

    /// Its folder in `/proc`. That of a process whose first thread has ended is empty: then it is another thread's.
    fn folder(&self) -> String {
        match self.via.load(Ordering::Relaxed) {
            via if via == self.pid => format!("/proc/{via}"),
            via => format!("/proc/{}/task/{via}", self.pid),
        }
    }

    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.folder())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is mapped; the same list as before, if nothing has changed.
    fn regions(&self) -> Result<Arc<[Region]>, Error> {
        let mut kept = self.kept();
        let Kept { text, regions, buffer, .. } = &mut *kept;
        let mut read = || proc::read_into(&self.path("maps"), buffer).is_ok_and(|bytes| !bytes.is_empty());
        if !read() {
            self.look_for_another();
            if !read() {
                return Err(rights::refused(self.pid));
            }
        }
        if text != buffer {
            *regions = maps::parse(buffer).into();
            std::mem::swap(text, buffer);
        }
        Ok(Arc::clone(regions))
    }

    /// What the process executes, and what it has mapped for that: never the one of a program and the other of the next.
    fn program(&self) -> Result<(String, Arc<[Region]>), Error> {
        let mut executable = self.executable();
        for _ in 0..EXECS {
            let regions = self.regions()?;
            let now = self.executable();
            if now == executable {
                return Ok((executable, regions));
            }
            executable = now;
        }
        Err(Error::Gone(format!("process {} executes one program after the other; try again", self.pid)))
    }

    fn executable(&self) -> String {
        let path = fs::read_link(self.path("exe")).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned()
    }

    fn renew_pages(&self) {
        self.pages().renew(File::open(self.path("pagemap")).ok());
    }

    /// Reads pieces whose pages are present.
    fn fetch(&self, wanted: &mut [&mut Wanted<'_>]) {
        match &self.way {
            Way::Call => self.fetch_by_call(wanted),
            Way::File(file) => {
                for piece in wanted {
                    self.calls.fetch_add(1, Ordering::Relaxed);
                    piece.read = file.read_exact_at(piece.into, piece.at).is_ok();
                    self.bytes.fetch_add(piece.into.len() as u64, Ordering::Relaxed);
                }
            }
        }
    }

    fn fetch_by_call(&self, mut wanted: &mut [&mut Wanted<'_>]) {
        while !wanted.is_empty() {
            let mut size = 0;
            let fits = |piece: &&&mut Wanted<'_>| {
                size += piece.into.len();
                size <= CALL_BYTES
            };
            let count = wanted.iter().take(CALL_PIECES).take_while(fits).count();
            if count == 0 {
                if let [large, ..] = wanted {
                    large.read = self.fetch_large(large.at, large.into);
                }
                wanted = wanted.get_mut(1..).unwrap_or_default();
                continue;
            }
            let (now, _) = wanted.split_at_mut(count);
            let remote: Vec<RemoteIoVec> = now.iter().map(|piece| remote(piece.at, piece.into.len())).collect();
            let mut local: Vec<IoSliceMut<'_>> = now.iter_mut().map(|piece| IoSliceMut::new(piece.into)).collect();
            self.calls.fetch_add(1, Ordering::Relaxed);
            let mut copied = process_vm_readv(self.target(), &mut local, &remote).unwrap_or(0);
            self.bytes.fetch_add(copied as u64, Ordering::Relaxed);
            // A transfer ends at the first piece that cannot be read whole. The next one begins after it.
            let mut done = 0;
            for piece in &mut *now {
                done += 1;
                piece.read = piece.into.len() <= copied;
                if !piece.read {
                    break;
                }
                copied -= piece.into.len();
            }
            wanted = wanted.get_mut(done..).unwrap_or_default();
        }
    }

    fn fetch_large(&self, at: u64, into: &mut [u8]) -> bool {
        let mut at = at;
        into.chunks_mut(CALL_BYTES).all(|chunk| {
            let remote = [remote(at, chunk.len())];
            self.calls.fetch_add(1, Ordering::Relaxed);
            let copied = process_vm_readv(self.target(), &mut [IoSliceMut::new(chunk)], &remote).unwrap_or(0);
            self.bytes.fetch_add(copied as u64, Ordering::Relaxed);
            at = at.wrapping_add(chunk.len() as u64);
            copied == chunk.len()
        })
    }

    /// Reads a piece some of whose pages are not present: pages in the same state together.
    fn gather(&self, at: u64, into: &mut [u8]) -> bool {
        let (mut at, mut rest) = (at, into);
        while !rest.is_empty() {
            let (state, len) = self.alike(at, rest.len());
            let (piece, _) = rest.split_at_mut(len);
            let filled = match state {
                Page::Present => {
                    let mut wanted = Wanted { at, into: piece, read: false };
                    self.fetch(&mut [&mut wanted]);
                    wanted.read.then_some(len)
                }
                Page::Swapped => None,
                Page::Untouched => self.untouched(at, piece),
            };
            let next =
                filled.filter(|filled| *filled > 0).and_then(|filled| Some((filled, at.checked_add(filled as u64)?)));
            let Some((filled, next)) = next else { return false };
            (at, rest) = (next, rest.get_mut(filled..).unwrap_or_default());
        }
        true
    }

    /// How the page of this address is, and how many bytes from there on are on pages like it.
    fn alike(&self, at: u64, most: usize) -> (Page, usize) {
        let mut pages = self.pages();
        let state = pages.page(at);
        let to_page = |at: u64| usize::try_from(self.page - at % self.page).unwrap_or(usize::MAX);
        let mut len = to_page(at).min(most);
        while len < most && at.checked_add(len as u64).is_some_and(|next| pages.page(next) == state) {
            len = len.saturating_add(to_page(at.wrapping_add(len as u64))).min(most);
        }
        (state, len)
    }

    /// Fills in what the process would see on pages that it never touched, as far as their mapping goes, and says how far.
    fn untouched(&self, at: u64, into: &mut [u8]) -> Option<usize> {
        let regions = Arc::clone(&self.kept().regions);
        let region = maps::find(&regions, at).filter(|region| region.may.read() && !region.may.shared())?;
        let len = usize::try_from(region.range.end - at).ok()?.min(into.len());
        let into = into.get_mut(..len)?;
        if region.inode == 0 {
            let plain = region.path.is_empty()
                || ["[heap]", "[stack", "[anon"].iter().any(|name| region.path.starts_with(name));
            into.fill(0);
            return plain.then_some(len);
        }
        let offset = region.offset.checked_add(at - region.range.start)?;
        let file = self.files.open(&self.folder(), region)?;
        files::fill(&file, offset, into, self.page).then_some(len)
    }
}

fn remote(at: u64, len: usize) -> RemoteIoVec {
    RemoteIoVec { base: usize::try_from(at).unwrap_or(0), len }
}

pub(crate) fn gone(pid: u32) -> Error {
    Error::Gone(format!("there is no process {pid}, or it has ended"))
}

impl Bytes for Live {
    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        let mut wanted = [Wanted { at, into, read: false }];
        self.read_many(&mut wanted);
        wanted[0].read
    }

    fn read_many(&self, wanted: &mut [Wanted<'_>]) {
        let mut there: Vec<&mut Wanted<'_>> = Vec::with_capacity(wanted.len());
        let mut others: Vec<&mut Wanted<'_>> = Vec::new();
        {
            let mut pages = self.pages();
            for piece in wanted {
                piece.read = false;
                match piece.at.checked_add(piece.into.len() as u64) {
                    Some(end) if pages.all(piece.at..end) => there.push(piece),
                    Some(_) => others.push(piece),
                    None => {}
                }
            }
            self.calls.fetch_add(pages.take_calls(), Ordering::Relaxed);
        }
        self.fetch(&mut there);
        for piece in others {
            piece.read = self.gather(piece.at, piece.into);
        }
    }

    fn scene(&self) -> Result<Scene, Error> {
        let pid = self.pid;
        let leader = proc::text(&format!("/proc/{pid}/stat")).as_deref().and_then(proc::stat);
        let leader = leader.filter(|stat| stat.started == self.started).ok_or_else(|| gone(pid))?;
        let ids = proc::thread_ids(pid).map_err(|_| gone(pid))?;
        let (executable, regions) = self.program()?;
        self.renew_pages();
        let mut kept = self.kept();
        let Kept { threads: seen, buffer, .. } = &mut *kept;
        let mut now: FxHashMap<u32, Seen> = FxHashMap::default();
        let mut threads = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(thread) = proc::thread(pid, id, seen.remove(&id), buffer) {
                threads.push(thread.thread.clone());
                now.insert(id, thread);
            }
        }
        *seen = now;
        let auxv = proc::read_into(&self.path("auxv"), buffer).map(proc::auxv).unwrap_or_default();
        drop(kept);
        let clock = proc::shifted(proc::clock(ClockId::CLOCK_MONOTONIC), self.clock);
        let age = proc::clock(ClockId::CLOCK_BOOTTIME).saturating_sub(proc::of_ticks(self.started, proc::ticks()));
        Ok(Scene {
            pid,
            name: name(&leader.name, &executable),
            executable,
            started: Some(clock.saturating_sub(age)),
            now: clock,
            state: self.state(leader.state, &threads),
            regions,
            threads,
            auxv,
        })
    }

    fn watched(&self) -> Vec<Watched> {
        let folder = self.folder();
        let known = self.kept().epolls.clone();
        let known = known.filter(|(at, epolls)| {
            at.elapsed() < EPOLLS_KEPT && epolls.iter().all(|epoll| proc::is_epoll(&folder, *epoll))
        });
        let epolls = known.unwrap_or_else(|| (Instant::now(), proc::epolls(&folder)));
        let watched = proc::watched(&folder, &epolls.1);
        self.kept().epolls = Some(epolls);
        watched
    }

    fn sockets(&self, descriptors: &[i32]) -> Vec<(i32, Socket)> {
        sockets::of(&self.folder(), descriptors)
    }

    fn present(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let regions = Arc::clone(&self.kept().regions);
        let mut runs: Vec<Range<u64>> = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let region = maps::find(&regions, at);
            // What a file has can be read there, wherever else it is.
            let of_file = region.filter(|region| region.inode != 0 && !region.may.shared() && region.may.read());
            let end = region.map_or(range.end, |region| region.range.end.min(range.end));
            if of_file.is_some_and(|region| self.files.open(&self.folder(), region).is_some()) {
                runs.push(at..end);
            } else {
                runs.extend(self.pages().runs(at..end));
            }
            at = end;
        }
        self.calls.fetch_add(self.pages().take_calls(), Ordering::Relaxed);
        runs
    }

    fn blind(&self) -> Option<String> {
        let told = self.pages().told();
        (!told).then(|| {
            format!(
                "/proc/{}/pagemap cannot be read: which pages are present is not told, and memory is not searched",
                self.pid
            )
        })
    }

    fn file(&self, region: &Region) -> Result<PathBuf, String> {
        files::path(&self.folder(), region, self)
    }

    fn still(&self, thread: &KernelThread) -> bool {
        let kept = self.kept();
        kept.threads.get(&thread.id).is_some_and(|seen| seen.thread == *thread && seen.is_still(self.pid))
    }

    fn cost(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

impl Live {
    /// Bytes of it that are swapped out.
    pub(crate) fn swapped(&self) -> u64 {
        let status = proc::text(&self.path("status")).unwrap_or_default();
        let kib = proc::status(&status, "VmSwap").and_then(|value| value.split_ascii_whitespace().next()?.parse().ok());
        kib.unwrap_or(0_u64).saturating_mul(1024)
    }

    /// What the process does as a whole.
    fn state(&self, leader: char, threads: &[KernelThread]) -> ProcessState {
        let status = proc::text(&format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let traced = proc::status(&status, "TracerPid").is_some_and(|tracer| tracer != "0");
        if traced || leader == 't' {
            ProcessState::Traced
        } else if leader == 'T' || (!threads.is_empty() && threads.iter().all(|thread| thread.state == 'T')) {
            ProcessState::Stopped
        } else if proc::frozen(&proc::text(&format!("/proc/{}/cgroup", self.pid)).unwrap_or_default()) {
            ProcessState::Frozen
        } else {
            ProcessState::Running
        }
    }
}

/// The kernel cuts names at 15 bytes; the executable's is whole.
pub(crate) fn name(short: &str, executable: &str) -> String {
    let file = executable.rsplit('/').next().unwrap_or_default();
    if short.len() == 15 && file.starts_with(short) { file.to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests;
