//! The spans of an inner subscriber that is not the registry: how many handles there are of each. Two things are known by it.
//!
//! - When a span is gone. The trait's own `try_close` says "no" whatever happens, and a subscriber may leave it at that: what is
//!   kept of a span would be kept for good.
//! - Whose a span is. Such a subscriber makes its ids as it likes, from pointers perhaps, and they may look like the agent's, see
//!   [`crate::slots::id`]. Those that live are known here, and what is done to them is passed on.
//!
//! Of the registry, which is what nearly everybody has, nothing is noted here: it says what it closes, and its ids are known to
//! be others.

use crate::slots::id;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing_core::span::Id;

const SHARDS: usize = 64;

/// What a subscriber says when a handle is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Closed,
    NotClosed,
}

/// How many handles there are of each span of one subscriber.
#[derive(Debug)]
pub(crate) struct Handles {
    shards: [Mutex<FxHashMap<u64, u64>>; SHARDS],
    /// Whether any id looked like one of the agent's.
    any_alike: AtomicBool,
    /// Whether the subscriber has ever said that a span is closed. One that does is believed when it says that another is not.
    closes: AtomicBool,
}

impl Handles {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            any_alike: AtomicBool::new(false),
            closes: AtomicBool::new(false),
        }
    }

    fn shard(&self, id: u64) -> &Mutex<FxHashMap<u64, u64>> {
        // Pointers differ in their middle bits.
        &self.shards[((id >> 6) ^ id) as usize % SHARDS]
    }

    /// A span was made. A subscriber may give one id to many that are alike: each has a handle more.
    pub(crate) fn begin(&self, id: &Id) {
        let id = id.into_u64();
        if id::decode(id).is_some() {
            self.any_alike.store(true, Ordering::Relaxed);
        }
        *self.shard(id).lock().entry(id).or_default() += 1;
    }

    /// A handle was cloned, and this is the id that the subscriber gave to the new one: another one is another span.
    pub(crate) fn clone_handle(&self, id: &Id) {
        self.begin(id);
    }

    /// A handle was dropped, and the subscriber said whether the span is closed by that. Returns whether it is gone.
    pub(crate) fn end(&self, id: u64, said: Said) -> bool {
        let is_closed = said == Said::Closed;
        let mut shard = self.shard(id).lock();
        let Some(handles) = shard.get_mut(&id) else { return is_closed };
        *handles = handles.saturating_sub(1);
        let is_last = *handles == 0;
        if is_closed {
            self.closes.store(true, Ordering::Relaxed);
        }
        // Where it is not the last one, the id was given to another span since.
        let is_gone = is_last && (is_closed || !self.closes.load(Ordering::Relaxed));
        if is_gone {
            shard.remove(&id);
        }
        is_gone
    }

    /// Whether an id that looks like one of the agent's is this subscriber's.
    #[inline]
    pub(crate) fn has_alike(&self, id: u64) -> bool {
        self.any_alike.load(Ordering::Relaxed) && self.shard(id).lock().contains_key(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_gone_with_its_last_handle_where_nothing_is_ever_said_to_be_closed() {
        let (handles, span) = (Handles::new(), Id::from_u64(7));
        handles.begin(&span);
        handles.clone_handle(&span);
        assert!(!handles.end(7, Said::NotClosed) && handles.end(7, Said::NotClosed));
        // One that says what it closes, and here that it keeps this one: of its own handles nothing is known.
        handles.begin(&span);
        assert!(handles.end(7, Said::Closed));
        handles.begin(&span);
        assert!(!handles.end(7, Said::NotClosed) && handles.end(7, Said::Closed));
    }

    #[test]
    fn an_id_that_looks_like_the_agent_s_is_known_while_it_lives() {
        let handles = Handles::new();
        assert!(!handles.has_alike(id::INERT + 4));
        handles.begin(&Id::from_u64(id::INERT + 4));
        assert!(handles.has_alike(id::INERT + 4) && !handles.has_alike(id::INERT));
        assert!(handles.end(id::INERT + 4, Said::NotClosed) && !handles.has_alike(id::INERT + 4));
    }
}
