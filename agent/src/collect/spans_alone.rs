//! Keeps the service's spans where the service itself keeps none, so that a task's can be told: those of its own work, and not
//! the finer ones of the libraries that it uses.
//!
//! The registry of `tracing-subscriber` would do, but for a thread's last moments: it keeps values of its own for each thread, and where
//! those are gone and another destructor of the thread makes or enters a span, it panics, which ends the process. A service that has no
//! subscriber makes such a span without harm, and so it does with the agent: whatever is asked here of a thread is asked in a way that may
//! find nothing.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::{
    array,
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};
use tracing_core::{
    Event, Interest, Level, LevelFilter, Metadata, Subscriber,
    span::{Attributes, Current, Id, Record},
};

const SHARDS: usize = 64;

/// The bit by which the agent's own spans are known, as of an id less one, see [`crate::slots::id`].
const MARK: u32 = 37;

/// A span that lives.
#[derive(Debug)]
struct Kept {
    metadata: &'static Metadata<'static>,
    /// How many handles there are.
    handles: u64,
}

/// A subscriber that keeps spans, and nothing else.
#[derive(Debug)]
pub(crate) struct SpansAlone {
    shards: [Mutex<FxHashMap<u64, Kept>>; SHARDS],
    made: AtomicU64,
}

thread_local! {
    /// The spans that the thread is inside of, innermost last.
    static INSIDE: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

impl SpansAlone {
    pub(crate) fn new() -> Self {
        Self { shards: array::from_fn(|_| Mutex::default()), made: AtomicU64::new(0) }
    }

    fn shard(&self, id: &Id) -> &Mutex<FxHashMap<u64, Kept>> {
        &self.shards[id.into_u64() as usize % SHARDS]
    }
}

/// The id of the nth span: none that looks like one of the agent's own.
fn nth(n: u64) -> Id {
    let low = n & ((1 << MARK) - 1);
    Id::from_u64((((n >> MARK) << (MARK + 1)) | low).saturating_add(1))
}

fn is_kept(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

impl Subscriber for SpansAlone {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_kept(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_kept(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = nth(self.made.fetch_add(1, Ordering::Relaxed));
        self.shard(&id).lock().insert(id.into_u64(), Kept { metadata: attributes.metadata(), handles: 1 });
        id
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        let _ = INSIDE.try_with(|inside| inside.borrow_mut().push(span.clone()));
    }

    fn exit(&self, span: &Id) {
        let _ = INSIDE.try_with(|inside| {
            let mut inside = inside.borrow_mut();
            if let Some(at) = inside.iter().rposition(|entered| entered == span) {
                inside.remove(at);
            }
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(kept) = self.shard(span).lock().get_mut(&span.into_u64()) {
            kept.handles += 1;
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut shard = self.shard(&span).lock();
        let Some(kept) = shard.get_mut(&span.into_u64()) else { return false };
        kept.handles -= 1;
        let is_last = kept.handles == 0;
        if is_last {
            shard.remove(&span.into_u64());
        }
        is_last
    }

    fn current_span(&self) -> Current {
        let innermost = INSIDE.try_with(|inside| inside.borrow().last().cloned()).ok().flatten();
        let known = innermost.and_then(|id| {
            let metadata = self.shard(&id).lock().get(&id.into_u64())?.metadata;
            Some(Current::new(id, metadata))
        });
        known.unwrap_or_else(Current::none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::id;
    use std::sync::Arc;

    #[test]
    fn no_span_looks_like_one_of_the_agent_s_and_no_two_are_alike() {
        let around = |n: u64| n.saturating_sub(2)..n + 3;
        let mut ids: Vec<u64> =
            [0, 1 << 36, 1 << 37, 3 << 37, 1 << 40].into_iter().flat_map(around).map(|n| nth(n).into_u64()).collect();
        assert!(ids.iter().all(|&id| id::decode(id).is_none()), "{ids:x?}");
        let many = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), many);
    }

    #[test]
    fn a_span_lives_as_long_as_its_handles_and_is_the_innermost_where_it_is() {
        let alone = Arc::new(SpansAlone::new());
        let lives = || alone.shards.iter().map(|shard| shard.lock().len()).sum::<usize>();
        tracing::subscriber::with_default(Arc::clone(&alone), || {
            let (outer, fine) = (tracing::info_span!("outer"), tracing::debug_span!("fine"));
            assert!(fine.is_disabled() && lives() == 1);
            let inside = outer.enter();
            let inner = tracing::info_span!("inner");
            let current = || tracing::Span::current().metadata().map(Metadata::name);
            inner.in_scope(|| assert_eq!(current(), Some("inner")));
            assert_eq!(current(), Some("outer"));
            let clone = inner.clone();
            drop(inner);
            assert_eq!(lives(), 2);
            drop(clone);
            assert_eq!(lives(), 1);
            drop(inside);
            assert_eq!(current(), None);
        });
        assert_eq!(lives(), 0);
    }
}
