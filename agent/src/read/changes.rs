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
        budget,
        delivery::{End, Now},
        doublings,
        free_list::{self, Watchers},
        histogram,
        id::{self, Kind, Ours},
        round::{Round, Touched},
        stages,
    },
    view::{Change, Histograms, LockView, Losses, OpView, ResourceView, SpansView, TaskView},
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

/// Every task that lives, and those that ended and are still kept.
pub(crate) fn tasks(each: &mut dyn FnMut(TaskView)) {
    let (round, is_kept) = (Round::of_all(), retention());
    let views = slot::TASKS.iter(&round).filter_map(|(index, slot)| task::view(&round, index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every resource that lives, and those that ended and are still kept.
pub(crate) fn resources(each: &mut dyn FnMut(ResourceView)) {
    let (round, is_kept) = (Round::of_all(), retention());
    let views = resource::RESOURCES.iter(&round).filter_map(|(index, slot)| resource::view(&round, index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every operation that lives, and those that had to wait, have ended, and are still kept.
pub(crate) fn ops(each: &mut dyn FnMut(OpView)) {
    let (round, is_kept) = (Round::of_all(), retention());
    let views = op::OPS.iter(&round).filter_map(|(index, slot)| op::view(&round, index, slot));
    views.filter(|view| is_kept(view.dropped)).for_each(each);
}

/// Every lock that lives.
pub(crate) fn locks(each: &mut dyn FnMut(LockView)) {
    let round = Round::of_all();
    let locks = resource::RESOURCES.iter(&round).filter_map(|(index, slot)| lock::view(&round, index, slot));
    locks.filter(|lock| lock.dropped.is_none()).for_each(each);
}

/// The service's own spans around every task that lives and was polled inside of some.
pub(crate) fn spans(each: &mut dyn FnMut(SpansView)) {
    let round = Round::of_all();
    let alive = slot::TASKS.iter(&round).filter(|(_, slot)| round.is_alive(*slot));
    alive.filter_map(|(index, slot)| spans::context(&round, index, slot, spans::Contexts::All)).for_each(each);
}

/// One task; `None` when it was never, or is no longer kept.
pub(crate) fn task(id: u64) -> Option<TaskView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Task)?;
    task::view(&Round::of_all(), span.index, slot::TASKS.get(span.index)?).filter(|view| view.id == id)
}

/// One resource.
pub(crate) fn resource(id: u64) -> Option<ResourceView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Resource)?;
    resource::view(&Round::of_all(), span.index, resource::RESOURCES.get(span.index)?).filter(|view| view.id == id)
}

/// One operation.
pub(crate) fn op(id: u64) -> Option<OpView> {
    let span = id::decode(id).filter(|span| span.kind == Kind::Op)?;
    op::view(&Round::of_all(), span.index, op::OPS.get(span.index)?).filter(|view| view.id == id)
}

/// One lock, by its resource's id.
pub(crate) fn lock(resource: u64) -> Option<LockView> {
    let span = id::decode(resource).filter(|span| span.kind == Kind::Resource)?;
    let slot = resource::RESOURCES.get(span.index)?;
    lock::view(&Round::of_all(), span.index, slot).filter(|view| view.resource == resource)
}

/// Keeps from now on who wakes a task, since somebody looks at it.
pub(crate) fn keep_wakers(task: u64) {
    if let Some(slot) = id::decode(task).filter(|span| span.kind == Kind::Task).and_then(slot::slot) {
        woken_by::keep(task, slot, clock::now());
    }
}

/// The histograms of one task.
pub(crate) fn histograms(task: u64) -> Option<Histograms> {
    task::histograms(&Round::of_all(), id::decode(task).filter(|span| span.kind == Kind::Task)?)
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
    tasks: Touched,
    resources: Touched,
    ops: Touched,
}

/// What had changed when a round began. With the next one it is gone.
#[derive(Debug)]
pub(crate) struct Changed<'a> {
    touched: &'a Changes,
    round: Round,
}

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Changes {
    /// The one of this process; `None` when it is taken.
    pub(crate) fn take() -> Option<Self> {
        let free = !TAKEN.swap(true, Ordering::AcqRel);
        free.then(|| Self { tasks: Touched::default(), resources: Touched::default(), ops: Touched::default() })
    }

    /// Begins a round: what was written before this call is told in this round.
    pub(crate) fn begin(&mut self) -> Changed<'_> {
        let round = Round::begin(|taking| {
            self.tasks.take(&slot::TASKS, taking);
            self.resources.take(&resource::RESOURCES, taking);
            self.ops.take(&op::OPS, taking);
        });
        histogram::make_ahead();
        doublings::make_ahead();
        Changed { touched: self, round }
    }

    /// Whether somebody watches: while nobody does, what ends unread is no loss.
    #[expect(clippy::unused_self, reason = "only the one reader may say so")]
    pub(crate) fn set_watchers(&mut self, watchers: Watchers) {
        set_watchers(watchers);
    }
}

impl Changed<'_> {
    /// Tasks that changed before the round began.
    pub(crate) fn tasks(&self, each: &mut dyn FnMut(Change<TaskView>)) {
        task::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.round, &self.touched.tasks, &slot::TASKS, each, |index, slot| {
            task::view(&self.round, index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Resources that changed before the round began.
    pub(crate) fn resources(&self, each: &mut dyn FnMut(Change<ResourceView>)) {
        resource::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.round, &self.touched.resources, &resource::RESOURCES, each, |index, slot| {
            resource::view(&self.round, index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Operations that changed before the round began.
    pub(crate) fn ops(&self, each: &mut dyn FnMut(Change<OpView>)) {
        op::FINAL_STATES.take().into_iter().map(Change::Now).for_each(&mut *each);
        tell(&self.round, &self.touched.ops, &op::OPS, each, |index, slot| {
            op::view(&self.round, index, slot).map(|view| (view.id, view.dropped.is_some(), view))
        });
    }

    /// Locks that changed before the round began, those that are gone included. A lock that is gone is also told as gone
    /// among the resources.
    pub(crate) fn locks(&self, each: &mut dyn FnMut(Change<LockView>)) {
        let slots = self.touched.resources.of(&resource::RESOURCES, &self.round);
        slots.filter_map(|(index, slot)| lock::view(&self.round, index, slot)).map(Change::Now).for_each(each);
    }

    /// Tasks whose place in the service's own spans changed before the round began; no spans when it left them.
    pub(crate) fn spans(&self, each: &mut dyn FnMut(SpansView)) {
        let slots = self.touched.tasks.of(&slot::TASKS, &self.round);
        let changed = |(index, slot)| spans::context(&self.round, index, slot, spans::Contexts::Changed);
        slots.filter_map(changed).for_each(each);
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
pub(crate) fn tell<T: stages::Slot + 'static, V>(
    round: &Round,
    touched: &Touched,
    arena: &'static Arena<T>,
    each: &mut dyn FnMut(Change<V>),
    read: impl Fn(u32, &'static T) -> Option<(u64, bool, V)>,
) {
    for (index, slot) in touched.of(arena, round) {
        // I7 of the slots: again when it was given up meanwhile.
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
            each(Change::Gone(id::encode(Ours { kind: T::KIND, index, stamp })));
        }
        if news.now == Now::Tell {
            each(Change::Now(view));
        }
    }
}
