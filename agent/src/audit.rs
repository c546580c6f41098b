//! Who looked, who was turned away, and who acted: each is an event of the service's own log, with the target `holdup::audit`. Where clients
//! can come is another, with the target `holdup`.
//!
//! They are written on a thread of their own, since a log may block: what does not fit into its queue meanwhile, and what comes too fast, is
//! counted, and the next event has the number. Who is turned away, which anybody can be as often as they like, takes neither room nor time from the rest.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

/// Events that wait for the log, of each sort.
const QUEUE: usize = 256;

/// So many at once,
const BURST: u32 = 100;
/// and one more after each of these: a log that is read by people, and paid for by size.
const EVERY: Duration = Duration::from_millis(200);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody began to watch.
    Attach,
    /// Somebody was turned away.
    Refusal,
    /// Somebody did something.
    Act,
    /// Something that clients are let in by cannot be used.
    Warning,
    /// Clients can come.
    Listening,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Refusal => "refusal",
            Self::Act => "act",
            Self::Warning => "warning",
            Self::Listening => "listening",
        }
    }

    /// What strangers can make as many of as they like is of one sort, and all else of the other.
    fn sort(self) -> usize {
        usize::from(self != Self::Refusal)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// Where it came from: an address, or a user and a process. Empty for what came from nobody.
    pub(crate) peer: String,
    /// Who that is, as far as it was shown: which token, which certificate's name. Never a token itself.
    pub(crate) who: String,
    /// What was asked for, what is wrong, or where clients can come.
    pub(crate) what: String,
}

/// Where events are told; nowhere, by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Option<Arc<Queue>>);

#[derive(Debug)]
struct Queue {
    events: Sender<Event>,
    /// How many wait, refusals and others.
    waiting: Arc<[AtomicUsize; 2]>,
    /// Events that were told to nobody since the last one that was.
    unsaid: Arc<AtomicU64>,
}

impl Audit {
    /// Starts the thread. It ends when nobody can tell it anything any more; nobody waits for it, since its log may block.
    pub(crate) fn start() -> io::Result<Self> {
        let (events, told) = channel();
        let (unsaid, waiting) = (Arc::new(AtomicU64::new(0)), Arc::<[AtomicUsize; 2]>::default());
        let (theirs, taken) = (Arc::clone(&unsaid), Arc::clone(&waiting));
        let told = std::iter::from_fn(move || {
            let event: Event = told.recv().ok()?;
            taken[event.kind.sort()].fetch_sub(1, Ordering::Relaxed);
            Some(event)
        });
        // It is not hidden: what it logs is the service's to see.
        std::thread::Builder::new().name("holdup-audit".into()).spawn(move || write(told, &theirs, log))?;
        Ok(Self(Some(Arc::new(Queue { events, waiting, unsaid }))))
    }

    /// Tells nobody.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self(None)
    }

    /// Tells an event, if there is room for it. Nobody waits.
    pub(crate) fn tell(&self, event: Event) {
        let Some(queue) = &self.0 else { return };
        let waiting = &queue.waiting[event.kind.sort()];
        let has_room = waiting.fetch_add(1, Ordering::Relaxed) < QUEUE;
        if !has_room || queue.events.send(event).is_err() {
            waiting.fetch_sub(1, Ordering::Relaxed);
            queue.unsaid.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells of something that cannot be used.
    pub(crate) fn warn(&self, what: String) {
        self.tell(Event { kind: Kind::Warning, peer: String::new(), who: String::new(), what });
    }

    /// Tells where clients can come, as they are given it.
    pub(crate) fn listens(&self, target: String) {
        self.tell(Event { kind: Kind::Listening, peer: String::new(), who: String::new(), what: target });
    }
}

/// How much more may be written of one sort.
struct Left {
    events: u32,
    as_of: Instant,
}

impl Left {
    fn new() -> Self {
        Self { events: BURST, as_of: Instant::now() }
    }

    /// Takes one, if there is one.
    fn take(&mut self) -> bool {
        let more = u32::try_from(self.as_of.elapsed().as_nanos() / EVERY.as_nanos()).unwrap_or(u32::MAX);
        self.as_of += EVERY * more;
        self.events = self.events.saturating_add(more).min(BURST);
        let is_one = self.events > 0;
        self.events -= u32::from(is_one);
        is_one
    }
}

/// Writes what is told, as far as the log is to be burdened with it.
fn write(told: impl Iterator<Item = Event>, unsaid: &AtomicU64, log: impl Fn(&Event, u64)) {
    let mut left = [Left::new(), Left::new()];
    for event in told {
        if !left[event.kind.sort()].take() {
            unsaid.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let before = unsaid.swap(0, Ordering::Relaxed);
        // A log that panics has printed what it panicked with; the next event may fare better.
        let _ = catch_unwind(AssertUnwindSafe(|| log(&event, before)));
    }
}

fn log(event: &Event, unsaid: u64) {
    let Event { kind, peer, who, what } = event;
    let (kind, peer, who, what) = (kind.word(), peer.as_str(), who.as_str(), what.as_str());
    match event.kind {
        Kind::Attach | Kind::Act => tracing::info!(target: "holdup::audit", kind, peer, who, what, unsaid),
        Kind::Refusal | Kind::Warning => tracing::warn!(target: "holdup::audit", kind, peer, who, what, unsaid),
        Kind::Listening => {
            tracing::info!(target: "holdup", kind, address = what, "to watch this service: holdup {what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn event(number: usize) -> Event {
        Event { kind: Kind::Refusal, peer: String::new(), who: String::new(), what: number.to_string() }
    }

    #[test]
    fn what_comes_too_fast_is_counted_and_not_written() {
        let told = (0..500).map(event);
        let (unsaid, written) = (AtomicU64::new(3), RefCell::new(Vec::new()));
        write(told, &unsaid, |event, unsaid| written.borrow_mut().push((event.what.clone(), unsaid)));
        let written = written.into_inner();
        assert!((100..500).contains(&written.len()), "{}", written.len());
        assert_eq!(written[0], ("0".to_owned(), 3), "what was left out before is told with it");
        let told: u64 = written.iter().map(|(_, unsaid)| unsaid).sum();
        assert_eq!(told + unsaid.into_inner() + written.len() as u64, 503, "each is written or counted");
    }

    #[test]
    fn who_is_turned_away_hides_nobody_who_is_not() {
        let act = Event { kind: Kind::Act, ..event(0) };
        let told = (0..500).map(event).chain([act.clone()]);
        let written = RefCell::new(Vec::new());
        write(told, &AtomicU64::new(0), |event, _| written.borrow_mut().push(event.clone()));
        assert_eq!(written.into_inner().last(), Some(&act));
        // Nor while the log takes nothing.
        let (events, told) = channel();
        let queue = Queue { events, waiting: Arc::default(), unsaid: Arc::default() };
        let audit = Audit(Some(Arc::new(queue)));
        (0..1_000).map(event).chain([act.clone()]).for_each(|event| audit.tell(event));
        drop(audit);
        let waiting: Vec<Event> = told.iter().collect();
        assert_eq!((waiting.len(), waiting.last()), (QUEUE + 1, Some(&act)));
    }

    #[test]
    fn a_log_that_panics_is_written_to_again() {
        let written = RefCell::new(0);
        write((0..3).map(event), &AtomicU64::new(0), |event, _| {
            *written.borrow_mut() += 1;
            assert_ne!(event.what, "1", "the second one panics");
        });
        assert_eq!(written.into_inner(), 3);
    }
}
