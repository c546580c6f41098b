//! Tokio's callsites: which spans and events are the runtime's own, and what each of them means. They are told apart by name
//! and target once, when tokio registers them; from then on by address.

use crate::collect::{Detail, has_ended, tested};
use parking_lot::Mutex;
use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};
use tracing_core::{Interest, Metadata};

/// What a callsite of tokio's means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// A span: a task, or a blocking job.
    Spawn = 1,
    /// A span: a resource.
    Resource = 2,
    /// A span: an operation on a resource.
    Op = 3,
    /// An event: something is done to a waker; which, the first event of the callsite tells.
    Waker = 4,
    WakerClone = 5,
    WakerDrop = 6,
    Wake = 7,
    WakeByRef = 8,
    /// An event: an operation was polled; whether it was ready, the first event of the callsite tells.
    PollOp = 9,
    PollReady = 14,
    PollPending = 15,
    /// An event: a resource's attribute changes.
    ResourceState = 10,
    /// The same, and it tells that a lock is acquired or released.
    LockState = 11,
    /// An event: an operation's attribute changes.
    OpState = 12,
    /// Of no interest, at this detail or at all.
    Ignored = 13,
}

impl Site {
    fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            1 => Self::Spawn,
            2 => Self::Resource,
            3 => Self::Op,
            4 => Self::Waker,
            5 => Self::WakerClone,
            6 => Self::WakerDrop,
            7 => Self::Wake,
            8 => Self::WakeByRef,
            9 => Self::PollOp,
            10 => Self::ResourceState,
            11 => Self::LockState,
            12 => Self::OpState,
            13 => Self::Ignored,
            14 => Self::PollReady,
            15 => Self::PollPending,
            _ => return None,
        })
    }
}

/// Attributes by which a lock tells its state.
pub(crate) const LOCK_ATTRIBUTES: [&str; 3] = ["locked", "write_locked", "current_readers"];

struct Row {
    metadata: AtomicUsize,
    site: AtomicU32,
}

/// Tokio 1.54 has about ninety.
const ROWS: usize = 512;
static TABLE: [Row; ROWS] = [const { Row { metadata: AtomicUsize::new(0), site: AtomicU32::new(0) } }; ROWS];
static REGISTERING: Mutex<()> = Mutex::new(());

/// What was registered so far, a bit for each kind.
static REGISTERED: AtomicU32 = AtomicU32::new(0);

/// Whether tokio has told of such a thing, or is about to.
pub(super) fn is_registered(site: Site) -> bool {
    REGISTERED.load(Ordering::Relaxed) & (1 << site as u32) != 0
}

/// A file of tokio's, as the compiler was given it.
static SOURCE: OnceLock<&str> = OnceLock::new();

/// The version of tokio, once it has registered a callsite, where its sources lie in a folder that says it.
pub(crate) fn tokio_version() -> Option<&'static str> {
    version_in(SOURCE.get()?)
}

/// The folder of tokio's sources, as the compiler was given it, once tokio has registered a callsite.
pub(crate) fn tokio_folder() -> Option<&'static str> {
    let source = SOURCE.get()?;
    let end = ["/src/", "\\src\\"].iter().find_map(|folder| Some(source.rfind(folder)? + folder.len()))?;
    Some(&source[..end])
}

fn version_in(file: &str) -> Option<&str> {
    let mut folders = file.split(['/', '\\']);
    folders
        .find_map(|folder| folder.strip_prefix("tokio-").filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
}

/// The row of a callsite, or the one where it belongs; `None` when the table is full.
#[inline]
fn row(address: usize) -> Option<&'static Row> {
    let start = (address >> 4).wrapping_mul(0x9E37_79B9) >> 7;
    (0..ROWS).map(|step| &TABLE[start.wrapping_add(step) % ROWS]).find(|row| {
        let there = row.metadata.load(Ordering::Acquire);
        there == address || there == 0
    })
}

/// What a callsite means; `None` when it is not tokio's. Where another thread is registering it just now, this one is not made
/// to wait, and yet nothing that the callsite tells is missed.
#[inline]
pub(crate) fn find(metadata: &Metadata<'_>, detail: Detail) -> Option<Site> {
    let address = std::ptr::from_ref(metadata).addr();
    match row(address) {
        Some(row) if row.metadata.load(Ordering::Acquire) == address => {
            Site::from_raw(row.site.load(Ordering::Relaxed))
        }
        _ => classify(metadata, detail),
    }
}

/// Notes what a callsite has turned out to mean.
pub(crate) fn learn(metadata: &Metadata<'_>, site: Site) {
    let address = std::ptr::from_ref(metadata).addr();
    if let Some(row) = row(address).filter(|row| row.metadata.load(Ordering::Acquire) == address) {
        row.site.store(site as u32, Ordering::Relaxed);
    }
}

/// Registers a callsite: `None` when it is not tokio's.
pub(crate) fn register(metadata: &'static Metadata<'static>, detail: Detail) -> Option<Interest> {
    let site = classify(metadata, detail);
    if detail != Detail::Off && !has_ended() {
        tested::look(metadata, site);
    }
    let site = site?;
    if has_ended() {
        return Some(Interest::never());
    }
    REGISTERED.fetch_or(1 << site as u32, Ordering::Relaxed);
    let _ = SOURCE.set(metadata.file().unwrap_or_default());
    let _one_at_a_time = REGISTERING.lock();
    let address = std::ptr::from_ref(metadata).addr();
    let Some(row) = row(address) else { return Some(Interest::never()) };
    if row.metadata.load(Ordering::Relaxed) == 0 {
        row.site.store(site as u32, Ordering::Relaxed);
        row.metadata.store(address, Ordering::Release);
    }
    Some(if site == Site::Ignored { Interest::never() } else { Interest::always() })
}

/// Has every callsite ask once more whether anybody is interested in it.
///
/// A thread that meets a callsite while the subscriber is being installed may have asked before, when nobody was, and write the
/// answer down after everybody else was told otherwise: `tracing` keeps no order between the two. The callsite would be dead
/// for as long as the process lives, and with it perhaps every task.
pub(crate) fn ask_again() {
    tracing_core::callsite::rebuild_interest_cache();
}

fn classify(metadata: &Metadata<'_>, detail: Detail) -> Option<Site> {
    if detail == Detail::Off {
        return None;
    }
    let module = metadata.module_path().filter(|module| module.starts_with("tokio::"))?;
    let lock = ["tokio::sync::mutex", "tokio::sync::rwlock"].iter().any(|lock| module.starts_with(lock));
    // The operations on locks, and not those on the semaphores inside of them.
    let lock_op = module == "tokio::util::trace";
    let all = detail == Detail::Full;
    let (site, wanted) = match (metadata.name(), metadata.target()) {
        ("runtime.spawn", _) => (Site::Spawn, true),
        ("runtime.resource", _) => (Site::Resource, all || lock),
        ("runtime.resource.async_op", _) => (Site::Op, all || lock_op),
        // Says nothing that its operation does not say.
        ("runtime.resource.async_op.poll", _) => (Site::Ignored, false),
        (_, "tokio::task::waker") => (Site::Waker, all),
        (_, "runtime::resource::poll_op") => (Site::PollOp, all || lock_op),
        (_, "runtime::resource::state_update") => {
            let tells = lock && metadata.fields().iter().any(|field| LOCK_ATTRIBUTES.contains(&field.name()));
            (if tells { Site::LockState } else { Site::ResourceState }, all || lock)
        }
        (_, "runtime::resource::async_op::state_update") => (Site::OpState, all),
        _ => return None,
    };
    Some(if wanted { site } else { Site::Ignored })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_core::{Callsite, Kind, Level, field::FieldSet, identify_callsite};

    struct Unregistered;

    impl Callsite for Unregistered {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            &CLONE
        }
    }

    const fn event(target: &'static str, module: &'static str) -> Metadata<'static> {
        let fields = FieldSet::new(&["op"], identify_callsite!(&Unregistered));
        Metadata::new("event", target, Level::TRACE, None, None, Some(module), fields, Kind::EVENT)
    }

    static CLONE: Metadata<'static> = event("tokio::task::waker", "tokio::runtime::task::waker");
    static THEIRS: Metadata<'static> = event("orders", "orders::queue");

    #[test]
    fn what_another_thread_is_registering_is_known_already() {
        assert_eq!(find(&CLONE, Detail::Full), Some(Site::Waker));
        assert_eq!(find(&CLONE, Detail::Lean), Some(Site::Ignored));
        assert_eq!(find(&THEIRS, Detail::Full), None);
    }

    #[test]
    fn the_version_is_read_off_the_folder() {
        let version = version_in("/home/me/.cargo/registry/src/index-1a2b/tokio-1.54.1/src/util/trace.rs");
        assert_eq!(version, Some("1.54.1"));
        assert_eq!(version_in("C:\\vendor\\tokio-1.60.0-rc.1\\src\\lib.rs"), Some("1.60.0-rc.1"));
        assert_eq!(version_in("/src/tokio/tokio-util/src/lib.rs"), None);
    }
}
