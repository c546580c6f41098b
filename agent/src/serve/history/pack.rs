//! The thread that packs, and writes files.

use super::{
    file::Files,
    keep::{Ask, Of},
    window::{Fill, Window},
};
use crate::{
    collect::thread_state::hide,
    missing::Part,
    serve::holdup::report::{self, Description, Hears},
};
use prost::Message as _;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Pages that may wait to be packed.
const PAGES: usize = 8;

/// What a file begins with: the magic number of a skippable frame.
const HEADER: u32 = 0x184D_2A54;

/// What that frame begins with.
const WHAT: &[u8] = b"holdup past 1\n";

/// What the thread does.
pub(super) enum Pack {
    /// A segment begins.
    Begin,
    /// A page of it, after its length.
    Page(Vec<u8>, Of),
    Asked(Ask),
}

/// The thread, as who reads sees it.
#[derive(Debug)]
pub(super) struct Packer {
    to: mpsc::Sender<Pack>,
    /// Segments that were begun.
    begun: u64,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How far the segment is that was packed last, and which one that is: it may be an older one than whoever reads is at.
    fill: AtomicU64,
    /// How long it has packed, in nanoseconds.
    spent: AtomicU64,
}

/// Starts it.
pub(super) fn start(most: usize, folder: Option<PathBuf>, description: Description) -> io::Result<Packer> {
    let (to, from) = mpsc::channel(PAGES);
    let shared = Arc::<Shared>::default();
    let files = folder.map(|folder| Files::new(folder, &description.process.name, most));
    let packing = Packing {
        window: Window::new(most),
        begun: 0,
        most,
        files,
        description,
        shared: Arc::clone(&shared),
        is_said: false,
    };
    thread::Builder::new().name("holdup-history".to_owned()).spawn(move || {
        hide();
        lowest_priority();
        packing.run(from);
    })?;
    Ok(Packer { to, begun: 0, shared })
}

/// What else there is to do comes first. Where the system says no, it is as others are.
#[cfg(target_os = "linux")]
fn lowest_priority() {
    // Of this thread alone, as Linux has it.
    let _ = rustix::process::setpriority_process(None, 19);
}

#[cfg(not(target_os = "linux"))]
fn lowest_priority() {}

impl Packer {
    /// Begins another segment. `None` where the thread has ended.
    pub(super) async fn begin(&mut self) -> Option<()> {
        self.begun += 1;
        self.send(Pack::Begin).await
    }

    /// `None` where the thread has ended.
    pub(super) async fn send(&self, pack: Pack) -> Option<()> {
        self.to.send(pack).await.ok()
    }

    pub(super) async fn reserve(&self) -> Option<mpsc::Permit<'_, Pack>> {
        self.to.reserve().await.ok()
    }

    /// Whether the segment that was begun last is so far.
    pub(super) fn is(&self, fill: Fill) -> bool {
        self.shared.fill.load(Ordering::Acquire) == packed(self.begun, fill)
    }

    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.shared.spent.load(Ordering::Relaxed))
    }
}

/// How far a segment is, as a number.
fn packed(segment: u64, fill: Fill) -> u64 {
    (segment << 8) | fill as u64
}

struct Packing {
    window: Window,
    begun: u64,
    most: usize,
    files: Option<Files>,
    description: Description,
    shared: Arc<Shared>,
    /// Whether clients are told that no past is kept.
    is_said: bool,
}

impl Packing {
    fn run(mut self, mut from: mpsc::Receiver<Pack>) {
        while let Some(pack) = from.blocking_recv() {
            let began = Instant::now();
            match pack {
                Pack::Begin => {
                    self.begun += 1;
                    self.window.begin();
                }
                Pack::Page(page, of) => self.window.page(&page, of),
                // Whoever asked may have left.
                Pack::Asked(Ask::Fetch(answer)) => drop(answer.send(self.all())),
                Pack::Asked(Ask::Write(kind)) => self.write(kind),
            }
            self.note();
            let spent = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.shared.spent.fetch_add(spent, Ordering::Relaxed);
        }
    }

    /// Tells how far the segment is.
    fn note(&mut self) {
        let fill = self.window.fill();
        self.shared.fill.store(packed(self.begun, fill), Ordering::Release);
        if fill == Fill::TooLarge && !self.is_said {
            let said = format!(
                "no past is kept: a single state takes more than a third of the {} MiB of HOLDUP_HISTORY; that is tried again each minute",
                self.most >> 20
            );
            self.description.missing.note(Part::History, &said);
            self.is_said = true;
        } else if self.is_said && self.window.has_state() {
            self.description.missing.found(Part::History);
            self.is_said = false;
        }
    }

    /// All of it, as a file has it.
    fn all(&mut self) -> io::Result<Vec<Arc<[u8]>>> {
        let described = report::description(&self.description, Hears::Tasks);
        let content = [WHAT, &described.encode_to_vec()].concat();
        let length = u32::try_from(content.len()).map_err(io::Error::other)?;
        let header = [&HEADER.to_le_bytes()[..], &length.to_le_bytes(), &content].concat();
        let mut all = vec![Arc::from(header)];
        all.extend(self.window.all()?);
        Ok(all)
    }

    /// Writes it, where it is time for that. What cannot be written is told, and not tried again before the next alarm.
    fn write(&mut self, kind: &'static str) {
        if self.files.as_mut().is_none_or(|files| !files.is_time(kind)) {
            return;
        }
        let all = self.all();
        let Some(files) = &mut self.files else { return };
        match all.and_then(|all| files.write(kind, &all)) {
            Ok(()) => self.description.missing.found(Part::HistoryFile),
            Err(error) => {
                let (folder, failed) = (files.folder(), files.failed());
                self.description.missing.note(
                    Part::HistoryFile,
                    &format_args!("{failed} times the past could not be written to {}: {error}", folder.display()),
                );
            }
        }
    }
}
