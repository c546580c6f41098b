//! All targets: each has a task that takes in what its source tells, for as long as it is on the list.

use super::{
    collector::{Attempt, Collector, Hears},
    words::of_target,
};
#[cfg(feature = "otlp")]
use super::{otlp::Outbox, whose::Whose};
use crate::{
    diagnose::Settings,
    model::Retention,
    record::wall,
    source::{self, Attachment, ListedTarget, Target},
    update::{Connection, Event},
};
use holdup_metrics::{Format, Ledger, Metric, Page, Target as Told};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::{JoinHandle, spawn},
    time::sleep,
};

/// Where a source gave up it is asked anew after this long: another process may have the name by then, or another service the port.
const AGAIN: Duration = Duration::from_secs(5);

/// How each target is watched.
#[derive(Debug, Clone)]
pub struct Watching {
    /// How its link behaves.
    pub source: source::Options,
    /// Which lints run.
    pub settings: Settings,
    /// What is kept of what is over.
    pub retention: Retention,
}

/// One target, and its task, which ends with this.
struct Kept {
    listed: ListedTarget,
    collector: Arc<Mutex<Collector>>,
    task: JoinHandle<()>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Kept {
    fn begin(listed: ListedTarget, watching: &Watching, hears: Option<Hears>) -> Self {
        let collector = Arc::new(Mutex::new(Collector::new(&watching.settings, watching.retention, hears)));
        let task = spawn(watch(listed.target.clone(), watching.source.clone(), Arc::clone(&collector)));
        Self { listed, collector, task }
    }
}

/// Whoever fails while it is held leaves what is consistent enough for numbers.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes in what a target tells, for good.
async fn watch(target: Target, options: source::Options, collector: Arc<Mutex<Collector>>) {
    loop {
        let mut attachment = Attachment::new(source::open(target.clone(), options.clone()));
        loop {
            let wants = lock(&collector).wants();
            let Some(event) = attachment.next(wants).await else { break };
            let gave_up = matches!(event, Event::Connection(Connection::GaveUp { .. }));
            lock(&collector).take(event, wall());
            if gave_up {
                break;
            }
        }
        drop(attachment);
        sleep(AGAIN).await;
    }
}

/// All targets, and what is told of them.
pub(super) struct Keeping {
    watching: Watching,
    kept: Mutex<Vec<Kept>>,
    own: Mutex<Ledger>,
    list_errors: AtomicU64,
    ready: AtomicBool,
    /// Since when, since 1970.
    #[cfg(feature = "otlp")]
    pub(super) began: u64,
    /// Where records of findings go, and what came of them; `None` where nobody is told.
    #[cfg(feature = "otlp")]
    pub(super) otlp: Option<Arc<Outbox>>,
}

/// What a target tells, and who it is.
#[cfg(feature = "otlp")]
pub(super) struct Tells {
    pub(super) target: String,
    /// Those of the list.
    pub(super) labels: Vec<(String, String)>,
    pub(super) whose: Option<Whose>,
    pub(super) page: Page,
}

impl Keeping {
    pub(super) fn new(watching: Watching) -> Self {
        let (own, list_errors, ready) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(false));
        Self {
            watching,
            kept: Mutex::default(),
            own,
            list_errors,
            ready,
            #[cfg(feature = "otlp")]
            began: wall(),
            #[cfg(feature = "otlp")]
            otlp: None,
        }
    }

    /// Has the targets be these. Those that were among them before go on, with the labels that they have now.
    pub(super) fn set(&self, listed: Vec<ListedTarget>) {
        let mut kept = lock(&self.kept);
        let mut before = std::mem::take(&mut *kept);
        *kept = listed
            .into_iter()
            .map(|listed| {
                if let Some(at) = before.iter().position(|kept| kept.listed.target == listed.target) {
                    let mut kept = before.swap_remove(at);
                    kept.listed = listed;
                    return kept;
                }
                let hears = self.hears(&listed.target);
                Kept::begin(listed, &self.watching, hears)
            })
            .collect();
    }

    /// Who is told what becomes of the findings of a target.
    #[cfg(feature = "otlp")]
    fn hears(&self, target: &Target) -> Option<Hears> {
        let (otlp, target) = (self.otlp.clone()?, target.to_string());
        Some(Box::new(move |heard| otlp.add(&target, heard)))
    }

    #[cfg(not(feature = "otlp"))]
    #[allow(clippy::unused_self, reason = "with OTLP there is one")]
    fn hears(&self, _: &Target) -> Option<Hears> {
        None
    }

    /// All targets, and what they tell now.
    #[cfg(feature = "otlp")]
    pub(super) fn told(&self) -> Vec<Tells> {
        let told = |kept: &Kept| {
            let ListedTarget { target, labels } = &kept.listed;
            let mut collector = lock(&kept.collector);
            let whose = collector.whose().cloned();
            Tells { target: target.to_string(), labels: labels.clone(), whose, page: collector.page() }
        };
        lock(&self.kept).iter().map(told).collect()
    }

    /// The labels that the list has for a target.
    #[cfg(feature = "otlp")]
    pub(super) fn labels(&self, target: &str) -> Vec<(String, String)> {
        let kept = lock(&self.kept);
        let kept = kept.iter().find(|kept| kept.listed.target.to_string() == target);
        kept.map(|kept| kept.listed.labels.clone()).unwrap_or_default()
    }

    /// What this program tells of itself.
    #[cfg(feature = "otlp")]
    pub(super) fn own(&self) -> Page {
        self.own_page(&mut lock(&self.own))
    }

    /// A list of targets could not be used.
    pub(super) fn note_list_error(&self) {
        self.list_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the first attempt at every target has ended, one way or another. Once that is so it stays so.
    pub(super) fn is_ready(&self) -> bool {
        let tried = |kept: &Kept| lock(&kept.collector).attempt() == Attempt::Ended;
        let is_ready = self.ready.load(Ordering::Relaxed) || lock(&self.kept).iter().all(tried);
        self.ready.fetch_or(is_ready, Ordering::Relaxed) || is_ready
    }

    /// All that is told now. One of those who ask is answered at a time: all pages together may be large.
    pub(super) fn text(&self, format: Format) -> String {
        let mut own = lock(&self.own);
        let mut told = vec![Told { labels: Vec::new(), page: self.own_page(&mut own) }];
        for kept in &*lock(&self.kept) {
            let ListedTarget { target, labels } = &kept.listed;
            let labels = of_target(&target.to_string(), labels);
            told.push(Told { labels, page: lock(&kept.collector).page() });
        }
        format.write(told)
    }

    fn own_page(&self, ledger: &mut Ledger) -> Page {
        let mut sheet = ledger.sheet();
        sheet.set(Metric::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        sheet.set(Metric::TargetListErrors, &[], self.list_errors.load(Ordering::Relaxed) as f64);
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &self.otlp {
            let count = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
            sheet.set(Metric::OtlpErrors, &[], count(&otlp.errors));
            sheet.set(Metric::OtlpDropped, &["points"], count(&otlp.dropped_points));
            sheet.set(Metric::OtlpDropped, &["records"], count(&otlp.dropped_records));
        }
        sheet.finish()
    }
}
