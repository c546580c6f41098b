//! Reading what is collected. Everything here may be called from any thread at any time, and makes no thread of the service
//! wait, but for the copying of one lock's state; [`Changes`] has one reader.

use crate::{
    clock::{self, Nanos},
    collect::{
        self, op, resource,
        task::{slot, woken_by},
        thread_state,
    },
    read::{lock, spans, task},
    slots::{
        arena::Arena,
        barrier, budget,
        delivery::{End, Now},
        free_list::{self, Kept, Watchers},
        histogram,
        id::{self, Kind, Ours},
        lifetime::Reading,
    },
    view::{Change, Histograms, LockView, Losses, OpView, ResourceView, SpansView, TaskView},
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

/// Every task that lives, and those that ended and are still kept.
pub(crate) fn tasks(each: &mut dyn FnMut(TaskView)) {
    let is_kept = retention();
    let views = slot::TASKS.iter().filter_map(|(index, slot)| task::view(index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every resource that lives, and those that ended and are still kept.
pub(crate) fn resources(each: &mut dyn FnMut(ResourceView)) {
    let is_kept = retention();
    let views = resource::RESOURCES.iter().filter_map(|(index, slot)| resource::view(index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every operation that lives, and those that had to wait, have ended, and are still kept.
pub(crate) fn ops(each: &mut dyn FnMut(OpView)) {
    let is_kept = retention();
    let views = op::OPS.iter().filter_map(|(index, slot)| op::view(index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every lock that lives.
pub(crate) fn locks(each: &mut dyn FnMut(LockView)) {
    let locks = resource::RESOURCES.iter().filter_map(|(index, slot)| lock::view(index, slot));
    locks.filter(|lock| lock.dropped.is_none()).for_each(each);
}

/// The service's own spans around every task that lives and was polled inside of some.
pub(crate) fn spans(each: &mut dyn FnMut(SpansView)) {
    let alive = slot::TASKS.iter().filter(|(_, slot)| slot.lifetime.look().is_some_and(Reading::is_alive));
    alive.filter_map(|(index, slot)| spans::context(index, slot, spans::Contexts::All)).for_each(each);
}

/// One task; `None` when it was never, or is no longer kept.
pub(crate) fn task(id: u64) -> Option<TaskView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Task)?;
    task::view(span.index, slot::TASKS.get(span.index)?).filter(|view| view.id == id)
}

/// One resource.
pub(crate) fn resource(id: u64) -> Option<ResourceView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Resource)?;
    resource::view(span.index, resource::RESOURCES.get(span.index)?).filter(|view| view.id == id)
}

/// One operation.
pub(crate) fn op(id: u64) -> Option<OpView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Op)?;
    op::view(span.index, op::OPS.get(span.index)?).filter(|view| view.id == id)
}

/// One lock, by its resource's id.
pub(crate) fn lock(resource: u64) -> Option<LockView> {
    let span = id::decode(resource).filter(|span| span.kind == Kind::Resource)?;
    lock::view(span.index, resource::RESOURCES.get(span.index)?).filter(|view| view.resource == resource)
}

/// Keeps from now on who wakes a task, since somebody looks at it.
pub(crate) fn keep_wakers(task: u64) {
    if let Some(slot) = id::decode(task).filter(|span| span.kind == Kind::Task).and_then(slot::slot) {
        woken_by::keep(task, slot, clock::now());
    }
}

/// The histograms of one task.
pub(crate) fn histograms(task: u64) -> Option<Histograms> {
    task::histograms(id::decode(task).filter(|span| span.kind == Kind::Task)?)
}

/// For how long what has ended is told to those who come later, in nanoseconds.
static RETENTION: AtomicU64 = AtomicU64::new(u64::MAX);

/// Whether what ended then is still told to those who come now.
fn retention() -> impl Fn(Option<Nanos>) -> bool {
    let (now, retention) = (clock::now(), Duration::from_nanos(RETENTION.load(Ordering::Relaxed)));
    move |dropped| dropped.is_none_or(|dropped| now.since(dropped) <= retention)
}

/// Bounds what is kept of all that lives, in bytes: five eighths of this for tasks, resources, operations and what is counted of them, and one eighth for
/// the service's own spans. The rest is for whoever tells of it.
pub(crate) fn bound(memory: usize) {
    budget::set(memory / 8 * 5);
    collect::spans::bound(memory / 8);
}

/// Bounds what is kept of what has ended, by time, and in bytes while somebody is yet to read it; at least a few hundred
/// kilobytes are kept.
pub(crate) fn keep(retention: Duration, bytes: usize) {
    RETENTION.store(u64::try_from(retention.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    // Tasks are what somebody who comes late asks about.
    free_list::TASKS.keep(bytes / 4 * 3, size_of::<slot::Slot>());
    free_list::RESOURCES.keep(bytes / 8, size_of::<resource::Slot>());
    free_list::OPS.keep(bytes / 8, size_of::<op::Slot>());
}

/// What could not be kept.
pub(crate) fn losses() -> Losses {
    Losses {
        finished_tasks: free_list::TASKS.lost(),
        finished_resources: free_list::RESOURCES.lost(),
        finished_ops: free_list::OPS.lost(),
        unseen: free_list::TASKS.refused() + free_list::RESOURCES.refused() + free_list::OPS.refused(),
        spans: collect::spans::unkept(),
        deep_spans: thread_state::too_deep(),
    }
}

/// What has changed since it was asked for last. There is one in the process: what it has told, it does not tell again.
///
/// Ask once in each interval while somebody watches. A client that joins gets the whole state by [`tasks`] and its like
/// *after* the last round of changes: nothing is then missed, and what is told twice is the same.
#[derive(Debug)]
pub(crate) struct Changes {
    tasks: Vec<u32>,
    resources: Vec<u32>,
    ops: Vec<u32>,
}

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Changes {
    /// The one of this process; `None` when it is taken.
    pub(crate) fn take() -> Option<Self> {
        let free = !TAKEN.swap(true, Ordering::AcqRel);
        free.then(|| Self { tasks: Vec::new(), resources: Vec::new(), ops: Vec::new() })
    }

    /// Begins a round: what was written before this call is told in this round, to whoever asks before the next one begins.
    pub(crate) fn begin(&mut self) {
        for touched in [&mut self.tasks, &mut self.resources, &mut self.ops] {
            touched.clear();
        }
        slot::TASKS.take_touched(&mut self.tasks);
        resource::RESOURCES.take_touched(&mut self.resources);
        op::OPS.take_touched(&mut self.ops);
        barrier::heavy();
        histogram::make_ahead();
    }

    /// Tasks that changed before the round began.
    pub(crate) fn tasks(&mut self, each: &mut dyn FnMut(Change<TaskView>)) {
        task::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.tasks, &slot::TASKS, Kind::Task, each, |index, slot| {
            task::view(index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Resources that changed before the round began.
    pub(crate) fn resources(&mut self, each: &mut dyn FnMut(Change<ResourceView>)) {
        resource::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.resources, &resource::RESOURCES, Kind::Resource, each, |index, slot| {
            resource::view(index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Operations that changed before the round began.
    pub(crate) fn ops(&mut self, each: &mut dyn FnMut(Change<OpView>)) {
        op::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.ops, &op::OPS, Kind::Op, each, |index, slot| {
            op::view(index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Locks that changed before the round began, those that are gone included. A lock that is gone is also told as gone
    /// among the resources.
    pub(crate) fn locks(&mut self, each: &mut dyn FnMut(Change<LockView>)) {
        let slots = self.resources.iter().filter_map(|index| Some((*index, resource::RESOURCES.get(*index)?)));
        slots.filter_map(|(index, slot)| lock::view(index, slot)).map(Change::Now).for_each(each);
    }

    /// Tasks whose place in the service's own spans changed before the round began; no spans when it left them.
    pub(crate) fn spans(&mut self, each: &mut dyn FnMut(SpansView)) {
        let slots = self.tasks.iter().filter_map(|index| Some((*index, slot::TASKS.get(*index)?)));
        slots.filter_map(|(index, slot)| spans::context(index, slot, spans::Contexts::Changed)).for_each(each);
    }

    /// Whether somebody watches: while nobody does, what ends unread is no loss.
    #[expect(clippy::unused_self, reason = "only the one reader may say so")]
    pub(crate) fn set_watchers(&mut self, watchers: Watchers) {
        set_watchers(watchers);
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        set_watchers(Watchers::None);
        TAKEN.store(false, Ordering::Release);
    }
}

fn set_watchers(watchers: Watchers) {
    for list in [&free_list::TASKS, &free_list::RESOURCES, &free_list::OPS] {
        list.set_watchers(watchers);
    }
}

/// Tells what changed of one kind. A slot keeps what was told of it last, so that whoever was told to live and was overwritten
/// since is not taken to live for ever.
pub(crate) fn tell<T: Kept + 'static, V>(
    touched: &[u32],
    arena: &'static Arena<T>,
    kind: Kind,
    each: &mut dyn FnMut(Change<V>),
    read: impl Fn(u32, &'static T) -> Option<(u64, bool, V)>,
) {
    for index in touched.iter().copied() {
        let Some(slot) = arena.get(index) else { continue };
        // Again when it was given up meanwhile.
        let news = loop {
            let seen = slot.delivery().look();
            let Some((id, ended, view)) = read(index, slot) else { break None };
            let Some(span) = id::decode(id) else { break None };
            let end = if ended { End::Ended } else { End::Lives };
            if let Some(news) = slot.delivery().tell(seen, span.stamp, end) {
                break Some((news, view));
            }
        };
        let Some((news, view)) = news else { continue };
        if let Some(stamp) = news.gone {
            each(Change::Gone(id::encode(Ours { kind, index, stamp })));
        }
        if news.now == Now::Tell {
            each(Change::Now(view));
        }
    }
}
