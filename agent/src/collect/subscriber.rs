//! The service's own subscriber, with the runtime's spans and events taken out of its way and put to use.
//!
//! Spans and events of tokio's callsites are ours and never reach the inner subscriber; everything else does, and nothing but
//! what it would see without us: it is asked what it is interested in, and what it is not, is not collected.

use crate::{
    collect::{
        Detail,
        callsite::{self, Site},
        handles::{Handles, Said},
        has_begun, has_ended, locks,
        op::{self, Polled},
        resource, spans,
        spans_alone::SpansAlone,
        task::{
            poll, slot, spawn,
            wake::{self, WakerOp},
        },
        thread_state,
    },
    slots::id::{self, Kind, Ours as OurSpan},
};
use std::{
    any::TypeId,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};
use tracing_core::{
    Dispatch, Event, Field, Interest, LevelFilter, Metadata,
    field::Visit,
    span::{Attributes, Current, Id, Record},
};

/// What a dispatcher [is](Dispatch::is) that leads through the agent, whatever the service's own subscriber is.
pub(crate) struct Ours;

/// Tasks that the agent's own threads spawned, as far as that was heard of.
static AGENT_SPAWNS: AtomicU64 = AtomicU64::new(0);

/// How many tasks of the agent's own were heard of.
pub(crate) fn agent_spawns() -> u64 {
    AGENT_SPAWNS.load(Ordering::Relaxed)
}

/// Wraps the service's own subscriber.
#[derive(Debug)]
pub(crate) struct Subscriber<S> {
    inner: S,
    detail: Detail,
    /// Of the inner one's spans, where it is not the registry.
    handles: Option<Box<Handles>>,
    /// The most verbose level that the inner one enables, as a number: see [`verbosity`].
    most: AtomicUsize,
}

impl<S: tracing_core::Subscriber> Subscriber<S> {
    /// Collects as much as `detail` says, beside what `inner` does.
    pub(crate) fn new(inner: S, detail: Detail) -> Self {
        let most = AtomicUsize::new(verbosity(inner.max_level_hint()));
        slot::collect_wakes_in(detail);
        let handles = (!says_what_it_closes(&inner)).then(|| Box::new(Handles::new()));
        Self { inner, detail, handles, most }
    }

    /// What an id says of a span of ours; `None` for one of the inner subscriber's.
    #[inline]
    fn ours(&self, id: u64) -> Option<OurSpan> {
        let ours = id::decode(id)?;
        match &self.handles {
            // The registry's ids are never alike.
            None => Some(ours),
            Some(handles) => (!handles.has_alike(id)).then_some(ours),
        }
    }

    /// A span of the inner subscriber's.
    fn new_inner(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.inner.new_span(attributes);
        if let Some(handles) = &self.handles {
            handles.begin(&id);
        }
        id
    }

    /// A span of the service's own is made.
    fn begin_theirs(&self, attributes: &Attributes<'_>) -> Id {
        if self.detail != Detail::Full || has_ended() {
            return self.new_inner(attributes);
        }
        let parent = match attributes.parent() {
            Some(parent) => Some(parent.into_u64()),
            None if attributes.is_contextual() => self.inner.current_span().id().map(Id::into_u64),
            None => None,
        };
        let id = self.new_inner(attributes);
        spans::begin(&id, attributes, parent);
        id
    }

    /// A handle of a span of the service's own is cloned.
    fn clone_theirs(&self, span: &Id) -> Id {
        let clone = self.inner.clone_span(span);
        if let Some(handles) = &self.handles {
            handles.clone_handle(&clone);
        }
        clone
    }

    /// A handle of a span of the service's own is dropped. True when it was the last one.
    fn end_theirs(&self, span: Id) -> bool {
        let id = span.into_u64();
        let ended = self.inner.try_close(span);
        let is_gone = self
            .handles
            .as_ref()
            .map_or(ended, |handles| handles.end(id, if ended { Said::Closed } else { Said::NotClosed }));
        if is_gone && self.detail == Detail::Full && !has_ended() {
            spans::end(id);
        }
        ended
    }

    /// Whether the inner subscriber may want it: without us, what is beyond its hint would not even be asked about.
    fn is_within_hint(&self, metadata: &Metadata<'_>) -> bool {
        verbosity(Some(LevelFilter::from_level(*metadata.level()))) <= self.most.load(Ordering::Relaxed)
    }
}

/// Whether a subscriber's spans are the registry's, whatever layers are around it, or those that the agent keeps where nobody does: both
/// say what they close, and have no ids that look like the agent's.
#[expect(unsafe_code, reason = "the trait's method is unsafe, so that its callers may trust the pointers")]
fn says_what_it_closes(subscriber: &impl tracing_core::Subscriber) -> bool {
    [TypeId::of::<tracing_subscriber::Registry>(), TypeId::of::<SpansAlone>()].into_iter().any(|kind| {
        // SAFETY: only whether there is a pointer is looked at.
        unsafe { subscriber.downcast_raw(kind) }.is_some()
    })
}

/// A number that grows with what a filter lets through. No hint lets everything through.
fn verbosity(hint: Option<LevelFilter>) -> usize {
    match hint.and_then(LevelFilter::into_level) {
        None if hint.is_some() => 0,
        None => 5,
        Some(level) => match level {
            tracing_core::Level::ERROR => 1,
            tracing_core::Level::WARN => 2,
            tracing_core::Level::INFO => 3,
            tracing_core::Level::DEBUG => 4,
            tracing_core::Level::TRACE => 5,
        },
    }
}

/// Whether the calling thread is one of the agent's.
#[inline]
fn is_of_agent() -> bool {
    thread_state::with(|local| local.hidden.get())
}

/// The id of a span that exists.
fn id_of(raw: u64) -> Id {
    Id::from_u64(raw.max(1))
}

impl<S: tracing_core::Subscriber> tracing_core::Subscriber for Subscriber<S> {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.inner.on_register_dispatch(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match callsite::register(metadata, self.detail) {
            Some(interest) => interest,
            None if self.is_within_hint(metadata) => self.inner.register_callsite(metadata),
            None => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match callsite::find(metadata, self.detail) {
            Some(site) => site != Site::Ignored && !has_ended(),
            None => self.is_within_hint(metadata) && !is_of_agent() && self.inner.enabled(metadata),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // It is asked for whenever the inner one's may have changed.
        let inner = self.inner.max_level_hint();
        self.most.store(verbosity(inner), Ordering::Relaxed);
        // Tokio's are at this level.
        let asks = self.detail != Detail::Off && has_begun() && !has_ended();
        if asks { Some(LevelFilter::TRACE) } else { inner }
    }

    #[inline]
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        match callsite::find(attributes.metadata(), self.detail) {
            None if is_of_agent() => id_of(id::INERT),
            None => self.begin_theirs(attributes),
            // In a child that was forked tokio's callsites are still asked.
            Some(_) if has_ended() => id_of(id::INERT),
            Some(site) => id_of(thread_state::with(|local| begin(site, local, attributes)).max(id::INERT)),
        }
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if self.ours(span.into_u64()).is_none() {
            self.inner.record(span, values);
            if self.detail == Detail::Full && !has_ended() {
                thread_state::with(|local| spans::record(local, span, values));
            }
        }
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        if self.ours(span.into_u64()).is_none() && self.ours(follows.into_u64()).is_none() {
            self.inner.record_follows_from(span, follows);
        }
    }

    #[inline]
    fn event_enabled(&self, event: &Event<'_>) -> bool {
        // Asked once for each event, right before it is handed over: what is ours is dealt with here, which saves the
        // handing over.
        let Some(site) = callsite::find(event.metadata(), self.detail) else {
            return !is_of_agent() && self.inner.event_enabled(event);
        };
        if !has_ended() {
            thread_state::with(|local| happen(site, local, event));
        }
        false
    }

    #[inline]
    fn event(&self, event: &Event<'_>) {
        if !is_of_agent() {
            self.inner.event(event);
        }
    }

    #[inline]
    fn enter(&self, span: &Id) {
        let id = span.into_u64();
        let Some(ours) = self.ours(id) else {
            if !has_ended() {
                thread_state::with(|local| local.enter_theirs(id));
            }
            return self.inner.enter(span);
        };
        if has_ended() {
            return;
        }
        thread_state::with(|local| match ours.kind {
            Kind::Task => poll::enter(local, ours, id),
            Kind::Resource => drop(local.push(Kind::Resource, id)),
            Kind::Op => op::enter(local, ours, id),
            Kind::Inert => {}
        });
    }

    #[inline]
    fn exit(&self, span: &Id) {
        let id = span.into_u64();
        let Some(ours) = self.ours(id) else {
            if !has_ended() {
                thread_state::with(thread_state::ThreadState::exit_theirs);
            }
            return self.inner.exit(span);
        };
        if has_ended() {
            return;
        }
        thread_state::with(|local| match ours.kind {
            Kind::Task => poll::exit(local, ours, id),
            Kind::Resource => drop(local.pop(Kind::Resource, id)),
            Kind::Op => op::exit(local, ours, id),
            Kind::Inert => {}
        });
    }

    #[inline]
    fn clone_span(&self, span: &Id) -> Id {
        let id = span.into_u64();
        let Some(ours) = self.ours(id) else { return self.clone_theirs(span) };
        if has_ended() {
            return span.clone();
        }
        match ours.kind {
            Kind::Resource => {
                return id_of(thread_state::with(|local| resource::clone_handle(local, ours)).max(id::INERT));
            }
            Kind::Task => slot::clone_handle(ours),
            Kind::Op => op::clone_handle(ours),
            Kind::Inert => {}
        }
        span.clone()
    }

    #[inline]
    fn try_close(&self, span: Id) -> bool {
        let id = span.into_u64();
        let Some(ours) = self.ours(id) else { return self.end_theirs(span) };
        if has_ended() {
            return false;
        }
        thread_state::with(|local| match ours.kind {
            Kind::Task => slot::close(local, ours, id),
            Kind::Resource => resource::close(local, ours),
            Kind::Op => op::close(local, ours, id),
            Kind::Inert => false,
        })
    }

    fn current_span(&self) -> Current {
        self.inner.current_span()
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe, so that its callers may trust the pointers")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() || id == TypeId::of::<Ours>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: the pointer is passed on as the inner one gave it, and it borrows from `self`, as does the inner one.
        unsafe { self.inner.downcast_raw(id) }
    }
}

/// A span of tokio's begins; returns its id.
#[inline]
fn begin(site: Site, local: &thread_state::ThreadState, attributes: &Attributes<'_>) -> u64 {
    if local.hidden.get() {
        if site == Site::Spawn {
            AGENT_SPAWNS.fetch_add(1, Ordering::Relaxed);
        }
        return id::INERT;
    }
    match site {
        Site::Spawn => spawn::spawn(local, attributes),
        Site::Resource => resource::begin(local, attributes),
        Site::Op => op::begin(local, attributes),
        _ => id::INERT,
    }
}

/// An event of tokio's.
#[inline]
fn happen(site: Site, local: &thread_state::ThreadState, event: &Event<'_>) {
    match site {
        Site::WakerClone => wake(local, event, WakerOp::Clone),
        Site::WakerDrop => wake(local, event, WakerOp::Drop),
        Site::Wake => wake(local, event, WakerOp::Wake),
        Site::WakeByRef => wake(local, event, WakerOp::WakeByRef),
        Site::Waker => first_wake(local, event),
        Site::PollOp => first_poll_op(local, event),
        Site::PollReady => op::polled(local, Polled::Ready),
        Site::PollPending => op::polled(local, Polled::Pending),
        Site::ResourceState => resource::update(local, event),
        Site::LockState => locks::tell(local, event),
        Site::OpState => op::update(local, event),
        Site::Spawn | Site::Resource | Site::Op | Site::Ignored => {}
    }
}

#[inline]
fn wake(local: &thread_state::ThreadState, event: &Event<'_>, op: WakerOp) {
    let mut whose = Whose(0);
    event.record(&mut whose);
    wake::waker(local, whose.0, op);
}

/// The first event of a callsite tells what all of them are: the operation is a literal in tokio's source.
#[cold]
fn first_wake(local: &thread_state::ThreadState, event: &Event<'_>) {
    let mut what = What(None);
    event.record(&mut what);
    let Some((site, op)) = what.0 else { return };
    callsite::learn(event.metadata(), site);
    wake(local, event, op);
}

/// The same of polls of operations: whether the future was ready is a literal, too.
#[cold]
fn first_poll_op(local: &thread_state::ThreadState, event: &Event<'_>) {
    let mut ready = Ready(None);
    event.record(&mut ready);
    let Some(ready) = ready.0 else { return };
    let (site, polled) = if ready { (Site::PollReady, Polled::Ready) } else { (Site::PollPending, Polled::Pending) };
    callsite::learn(event.metadata(), site);
    op::polled(local, polled);
}

/// Whether an operation was ready.
struct Ready(Option<bool>);

impl Visit for Ready {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "is_ready" {
            self.0 = Some(value);
        }
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// The task of a waker.
struct Whose(u64);

impl Visit for Whose {
    #[inline]
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.0 = value;
    }

    #[inline]
    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// What is done to a waker.
struct What(Option<(Site, WakerOp)>);

impl Visit for What {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "op" {
            self.0 = match value {
                "waker.clone" => Some((Site::WakerClone, WakerOp::Clone)),
                "waker.drop" => Some((Site::WakerDrop, WakerOp::Drop)),
                "waker.wake" => Some((Site::Wake, WakerOp::Wake)),
                "waker.wake_by_ref" => Some((Site::WakeByRef, WakerOp::WakeByRef)),
                _ => None,
            };
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
