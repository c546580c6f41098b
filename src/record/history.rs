//! The last minutes of a session that goes on: the segments that a file has, in memory. They are made on a thread of their own, from the events as they came
//! and from clones of the session, which share its rows.

use super::{
    Error, Header, Out, Recorder, Recording, Writer,
    file::Place,
    marks::Marks,
    message::{Mark, SegmentHead, SegmentTail},
    nanos,
    outlines::Outlines,
    segment::Extent,
};
use crate::{
    session::{Outlining, Session},
    update::{Event, Part},
};
use std::{
    collections::VecDeque,
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it lasts.
    pub lasts: Duration,
    /// How many bytes all of it takes. The oldest goes first, a segment at a time.
    pub bytes: usize,
}

/// Events that wait for the thread. Whoever has so many more has a gap in the past, and loses nothing else.
const WAITING: usize = 1_024;

/// What takes so many times as much in memory as all of the past may is not written down: it would not fit.
const TOO_LARGE: usize = 4;

/// A state is to leave room for its events, and for another segment: it takes no more than this part of what there is.
const SHARE: usize = 4;

/// Outlines have this part of what there is: what is left of instants that do not fit.
const OUTLINED: usize = 8;

/// What is said of that.
const TOO_LARGE_FOR_ALL: &str = "the target is too large for all of its past: findings, what they name, and sums by spawn location are kept; --max-memory gives it more room";

/// How long it takes until a session that did not fit is tried again, if it is smaller then.
const AGAIN: Duration = Duration::from_secs(60);

/// The past of a session, as whoever feeds that session has it.
pub struct History {
    to: SyncSender<Said>,
    began: Instant,
    marks: Marks,
    /// Whether pages of an update are still to come.
    is_within: bool,
    /// Whether events were missed.
    has_missed: bool,
    /// The thread wants the session, to begin a segment with.
    wants_state: Arc<AtomicBool>,
    /// A session that takes more in memory than this is not given to it.
    most: Arc<AtomicUsize>,
    /// When the next outline is due, and how far they are from one another, in nanoseconds.
    outline_at: Duration,
    outlined_every: Arc<AtomicU64>,
}

/// What the thread is told.
pub(super) enum Said {
    Event(Box<Noted>),
    Marks(Vec<Mark>),
    /// Somebody wants to look at it.
    Look(SyncSender<Kept>),
    /// It is to be a file.
    Save(PathBuf, tokio::sync::oneshot::Sender<Result<u64, Error>>),
}

/// An event, and the session before it where that was wanted.
pub(super) struct Noted {
    at: Duration,
    wall: u64,
    event: Event,
    state: Option<Session>,
    outline: Option<Outlining>,
    /// Whether events are missing before it.
    has_missed: bool,
    /// Whether the session was seen to fit.
    fits: bool,
}

/// What is kept, for somebody who looks at it.
pub(super) struct Kept {
    pub(super) recording: Recording,
    /// Why there is not more of it.
    pub(super) why: Option<String>,
}

impl History {
    /// Begins to keep the past of a session that `target` names.
    pub fn new(target: &str, began: Instant, limits: Limits) -> Self {
        let (to, from) = sync_channel(WAITING);
        let wants_state = Arc::new(AtomicBool::new(true));
        let most = Arc::new(AtomicUsize::new(limits.bytes.saturating_mul(TOO_LARGE)));
        let outlines = Outlines::new(limits.lasts, limits.bytes / OUTLINED);
        let outlined_every = Arc::new(AtomicU64::new(nanos(outlines.every())));
        let outline_at = outlines.every();
        let keeper = Keeper {
            header: Header::new(target, super::wall()),
            recorder: Recorder::new(),
            whole: VecDeque::new(),
            open: None,
            outlines,
            limits: Limits { bytes: limits.bytes - limits.bytes / OUTLINED, ..limits },
            outlined_every: Arc::clone(&outlined_every),
            wants_state: Arc::clone(&wants_state),
            most: Arc::clone(&most),
            is_asked: true,
            has_missed: false,
            too_large: None,
        };
        let spawned = thread::Builder::new().name("holdup-history".into()).spawn(move || keeper.run(&from));
        if let Err(error) = spawned {
            tracing::warn!(%error, "no past is kept");
        }
        Self {
            to,
            began,
            marks: Marks::default(),
            is_within: false,
            has_missed: false,
            wants_state,
            most,
            outline_at,
            outlined_every,
        }
    }

    /// When the past began.
    pub fn began(&self) -> Instant {
        self.began
    }

    pub(super) fn sender(&self) -> SyncSender<Said> {
        self.to.clone()
    }

    /// Notes an event that `before` has yet to take in.
    pub fn hear(&mut self, at: Instant, event: &Event, before: &Session) {
        // What variables hold is not recorded.
        if matches!(event, Event::Progress { .. } | Event::Values(_)) {
            return;
        }
        let fits = before.model().bytes() <= self.most.load(Relaxed);
        // What comes before the first complete update is in the state after it.
        let is_complete = !self.is_within && before.model().now().is_some();
        let may_begin = is_complete && fits;
        let state = (may_begin && self.wants_state.swap(false, Relaxed)).then(|| {
            let mut state = before.clone();
            state.forget_values();
            state
        });
        if let Event::Update(update) = event {
            self.is_within = update.part == Part::More;
        }
        let has_missed = std::mem::take(&mut self.has_missed);
        let at = at.saturating_duration_since(self.began);
        let outline = (is_complete && at >= self.outline_at).then(|| {
            self.outline_at = at + Duration::from_nanos(self.outlined_every.load(Relaxed));
            before.outline()
        });
        let noted = Noted { at, wall: super::wall(), event: event.clone(), state, outline, has_missed, fits };
        if self.to.try_send(Said::Event(Box::new(noted))).is_err() {
            self.has_missed = true;
            self.wants_state.store(true, Relaxed);
        }
    }

    /// The session has taken the event in.
    pub fn applied(&mut self, at: Instant, session: &Session) {
        let marks = self.marks.since(at.saturating_duration_since(self.began), session);
        if !marks.is_empty() {
            // Without room for it there is a gap anyway.
            let _ = self.to.try_send(Said::Marks(marks));
        }
    }

    /// Writes it to a file, whose size is told.
    pub fn save(&self, path: &Path) -> tokio::sync::oneshot::Receiver<Result<u64, Error>> {
        let (tell, told) = tokio::sync::oneshot::channel();
        // Where it cannot be asked, nobody tells.
        let _ = self.to.try_send(Said::Save(path.to_owned(), tell));
        told
    }
}

/// A segment in memory.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) head: SegmentHead,
    pub(super) bytes: Arc<[u8]>,
    pub(super) tail: SegmentTail,
}

/// Makes segments, and keeps them for as long as there is room.
struct Keeper {
    header: Header,
    recorder: Recorder,
    whole: VecDeque<Segment>,
    open: Option<(SegmentHead, Vec<u8>)>,
    outlines: Outlines,
    outlined_every: Arc<AtomicU64>,
    /// What segments may take.
    limits: Limits,
    wants_state: Arc<AtomicBool>,
    most: Arc<AtomicUsize>,
    /// Whether a state was asked for that has not come: events from before it may still be waiting, and are no reason to ask again.
    is_asked: bool,
    /// Whether events are missing after the latest segment.
    has_missed: bool,
    /// The session did not fit, then.
    too_large: Option<Duration>,
}

impl Keeper {
    fn run(mut self, from: &Receiver<Said>) {
        for said in from {
            match said {
                Said::Event(noted) => {
                    if let Err(error) = self.note(*noted) {
                        tracing::warn!(%error, "no past is kept any more");
                        return;
                    }
                }
                Said::Marks(marks) => {
                    self.outlines.mark(&marks);
                    if self.open.is_some() {
                        self.recorder.mark(marks);
                    }
                }
                Said::Look(to) => {
                    if self.flush().is_ok() {
                        // Whoever asked may have gone.
                        let _ = to.send(self.look());
                    }
                }
                Said::Save(path, tell) => {
                    let _ = tell.send(self.flush().and_then(|()| self.save(&path)));
                }
            }
        }
    }

    fn note(&mut self, noted: Noted) -> Result<(), Error> {
        let Noted { at, wall, event, state, outline, has_missed, fits } = noted;
        if let Some(outline) = outline {
            self.outlines.add(at, wall, outline)?;
            self.outlined_every.store(nanos(self.outlines.every()), Relaxed);
        }
        self.has_missed |= has_missed;
        if state.is_some() || has_missed {
            let out = self.recorder.end()?;
            self.put(out);
        }
        // Who missed events asks for a state by itself.
        self.is_asked |= has_missed;
        if let Some(state) = state {
            self.is_asked = false;
            self.begin(at, wall, &state)?;
        }
        if self.recorder.is_open() {
            self.recorder.add(at, wall, event)?;
            let out = self.recorder.take(at)?;
            self.put(out);
            self.fit(at)?;
        } else {
            self.has_missed = true;
            if !fits {
                self.too_large = Some(at);
            }
        }
        let may_try = self.too_large.is_some_and(|then| at.saturating_sub(then) >= AGAIN);
        if self.recorder.is_full() || may_try {
            self.too_large = None;
            self.want_state();
        }
        Ok(())
    }

    fn want_state(&mut self) {
        if !std::mem::replace(&mut self.is_asked, true) {
            self.wants_state.store(true, Relaxed);
        }
    }

    /// Begins a segment, if the session is small enough for one.
    fn begin(&mut self, at: Duration, wall: u64, state: &Session) -> Result<(), Error> {
        if std::mem::take(&mut self.has_missed) {
            self.recorder.skip();
        }
        self.recorder.begin(at, wall, state)?;
        let out = self.recorder.out();
        self.put(out);
        if self.open.as_ref().is_some_and(|(_, bytes)| bytes.len() > self.limits.bytes / SHARE) {
            // What it would give is not kept. To try with another one that is as large would give no more, and its feeder waits for each.
            self.recorder.end()?;
            self.open = None;
            self.too_large = Some(at);
            self.most.fetch_min(state.model().bytes() / 4 * 3, Relaxed);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.recorder.flush()?;
        let out = self.recorder.out();
        self.put(out);
        Ok(())
    }

    fn put(&mut self, out: Vec<Out>) {
        for out in out {
            match out {
                Out::Begin(head) => self.open = Some((head, Vec::new())),
                Out::Bytes(more) => {
                    if let Some((_, bytes)) = &mut self.open {
                        bytes.extend(more);
                    }
                }
                Out::End(tail) => {
                    if let Some((head, bytes)) = self.open.take() {
                        self.whole.push_back(Segment { head, bytes: bytes.into(), tail });
                    }
                }
            }
        }
    }

    /// Lets go of the oldest, until it fits.
    fn fit(&mut self, at: Duration) -> Result<(), Error> {
        let from = super::nanos(at.saturating_sub(self.limits.lasts));
        // What the one after it begins with is all that one needs.
        while self.whole.len() > 1 && self.whole.get(1).is_some_and(|next| next.head.at <= from) {
            self.whole.pop_front();
        }
        while !self.whole.is_empty() && self.bytes() > self.limits.bytes {
            self.whole.pop_front();
        }
        // One that is left may have no end: no state comes that would end it, or its update goes on for ever.
        if self.bytes() > self.limits.bytes {
            self.recorder.end()?;
            (self.open, self.has_missed, self.too_large) = (None, true, Some(at));
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |(_, bytes)| bytes.len());
        open + self.whole.iter().map(|segment| segment.bytes.len()).sum::<usize>()
    }

    fn look(&self) -> Kept {
        let open = self.open.iter().map(|(head, bytes)| Segment {
            head: head.clone(),
            bytes: bytes.as_slice().into(),
            tail: self.recorder.tail().clone(),
        });
        let all = self.outlines.beside(self.whole.iter().cloned().chain(open).collect());
        let is_open = |head: &SegmentHead| self.open.as_ref().is_some_and(|(open, _)| open == head);
        let places = all.into_iter().map(|Segment { head, bytes, tail }| {
            let extent = if is_open(&head) { Extent::Open } else { Extent::Whole };
            Place::in_memory(bytes, extent, head, tail)
        });
        let recording = Recording::of(self.header.clone(), places.collect());
        Kept { recording, why: self.too_large.map(|_| TOO_LARGE_FOR_ALL.into()) }
    }

    /// All of it as a file that nobody but its owner may read.
    fn save(&mut self, path: &Path) -> Result<u64, Error> {
        // The segment that is open ends here, and the next event begins another.
        let out = self.recorder.end()?;
        self.put(out);
        self.want_state();
        let all = self.outlines.beside(self.whole.iter().cloned().collect());
        if all.is_empty() {
            return Err(Error::NothingKept);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut writer = Writer::new(options.open(path)?, &self.header)?;
        for Segment { head, bytes, tail } in all {
            writer.put(Out::Begin(head))?;
            writer.put(Out::Bytes(bytes.to_vec()))?;
            writer.put(Out::End(tail))?;
        }
        let written = writer.finish()?.metadata()?.len();
        Ok(written)
    }
}
