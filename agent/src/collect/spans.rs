//! The service's own spans around what a task does: a task's context is the innermost span that its last poll was inside of,
//! and those around that one. A span's name and fields are noted as the span is made; a poll notes one number, and looks
//! anything up only when that number is another than after the poll before. What of the fields is kept at all is
//! [`redaction`](super::redaction)'s to say.

use crate::{
    collect::{
        redaction::{LEFT_OUT, Redaction, Shown},
        thread_state::ThreadState,
    },
    view::SpanView,
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt::{Debug, Write as _},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tracing_core::{
    Field, Metadata,
    field::Visit,
    span::{Attributes, Id, Record},
};

/// Fields of a span that are kept.
const MOST_FIELDS: usize = 16;
/// Bytes of a value that are kept.
const MOST_BYTES: usize = 128;
/// Spans inside of each other that are kept.
const MOST_DEPTH: u32 = 16;
/// What a span takes, and each of its fields.
const SPAN_BYTES: usize = 160;
const FIELD_BYTES: usize = 96;

/// A span of the service's.
#[derive(Debug)]
pub(crate) struct Span {
    metadata: &'static Metadata<'static>,
    fields: Mutex<Fields>,
    parent: Option<Arc<Span>>,
    depth: u32,
}

impl Span {
    /// What it takes at the most, about.
    fn bytes(&self) -> usize {
        SPAN_BYTES + self.metadata.fields().len().min(MOST_FIELDS) * FIELD_BYTES
    }
}

const SHARDS: usize = 64;

/// Spans that are kept, and what they take.
#[derive(Default)]
struct Kept {
    spans: HashMap<u64, Arc<Span>>,
    bytes: usize,
}

impl Kept {
    /// Keeps a span no longer.
    fn take(&mut self, id: u64) -> Option<Arc<Span>> {
        let gone = self.spans.remove(&id)?;
        self.bytes -= gone.bytes();
        Some(gone)
    }
}

type Shard = Mutex<Kept>;

/// What the spans of a shard may take.
static SHARD_BYTES: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Spans for which there was no room.
static UNKEPT: AtomicU64 = AtomicU64::new(0);

/// Bounds what spans may take.
pub(crate) fn bound(bytes: usize) {
    SHARD_BYTES.store(bytes / SHARDS, Ordering::Relaxed);
}

/// How many spans found no room.
pub(crate) fn unkept() -> u64 {
    UNKEPT.load(Ordering::Relaxed)
}

static SPANS: LazyLock<[Shard; SHARDS]> = LazyLock::new(|| std::array::from_fn(|_| Mutex::default()));

/// Where a span is kept.
fn shard(id: u64) -> &'static Shard {
    // The registry counts its ids up, within a shard of its own for each thread.
    &SPANS[(id ^ (id >> 38)) as usize % SHARDS]
}

/// A span that is kept.
fn find(id: u64) -> Option<Arc<Span>> {
    shard(id).lock().spans.get(&id).cloned()
}

/// A span of the service's was made, inside of `parent` where it is inside of any.
pub(crate) fn begin(id: &Id, attributes: &Attributes<'_>, parent: Option<u64>) {
    let mut fields = Fields::default();
    attributes.record(&mut Recorder { fields: &mut fields, redaction: Redaction::get() });
    let parent = parent.and_then(find).filter(|parent| parent.depth < MOST_DEPTH);
    let depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
    let span = Span { metadata: attributes.metadata(), fields: Mutex::new(fields), parent, depth };
    let mut kept = shard(id.into_u64()).lock();
    // A subscriber that is not the registry may give an id again before its span is closed.
    let before = kept.take(id.into_u64());
    let bytes = kept.bytes + span.bytes();
    if bytes > SHARD_BYTES.load(Ordering::Relaxed) {
        UNKEPT.fetch_add(1, Ordering::Relaxed);
    } else {
        kept.bytes = bytes;
        kept.spans.insert(id.into_u64(), Arc::new(span));
    }
    drop(kept);
    drop(before);
}

/// More of a span's fields became known.
pub(crate) fn record(local: &ThreadState, id: &Id, values: &Record<'_>) {
    let Some(span) = find(id.into_u64()) else { return };
    let mut fields = std::mem::take(&mut *span.fields.lock());
    values.record(&mut Recorder { fields: &mut fields, redaction: Redaction::get() });
    *span.fields.lock() = fields;
    local.context_rewritten.set(true);
}

/// A span is gone.
pub(crate) fn end(id: u64) {
    // Dropped after the lock is given back: its parents may go with it.
    let mut kept = shard(id).lock();
    let gone = kept.take(id);
    drop(kept);
    drop(gone);
}

/// The context that a poll has told of: what is kept of its innermost span.
pub(crate) fn context(id: u64) -> Option<Arc<Span>> {
    (id != 0).then(|| find(id))?
}

/// A span and those around it, outermost first.
pub(crate) fn view(span: &Span) -> Vec<SpanView> {
    let outwards = std::iter::successors(Some(span), |span| span.parent.as_deref());
    let mut spans: Vec<SpanView> =
        outwards.map(|span| SpanView { name: span.metadata.name(), fields: span.fields.lock().view() }).collect();
    spans.reverse();
    spans
}

/// What is kept of a span's fields.
#[derive(Debug, Default)]
struct Fields {
    known: Vec<(&'static str, Arc<str>)>,
    /// The names of those of which nothing is told but how many there are.
    hidden: Vec<&'static str>,
}

impl Fields {
    fn set(&mut self, name: &'static str, value: &str) {
        if let Some(known) = self.known.iter_mut().find(|(known, _)| *known == name) {
            known.1 = value.into();
        } else if self.known.len() < MOST_FIELDS {
            self.known.push((name, value.into()));
        }
    }

    fn hide(&mut self, name: &'static str) {
        if !self.hidden.contains(&name) && self.hidden.len() < MOST_FIELDS {
            self.hidden.push(name);
        }
    }

    fn view(&self) -> Vec<(&'static str, Arc<str>)> {
        let mut fields = self.known.clone();
        if !self.hidden.is_empty() {
            fields.push(("fields", format!("({} left out)", self.hidden.len()).into()));
        }
        fields
    }
}

struct Recorder<'a> {
    fields: &'a mut Fields,
    redaction: &'a Redaction,
}

impl Recorder<'_> {
    /// Keeps what is to be kept of a field; `value` is asked for only where it is.
    fn keep(&mut self, field: &Field, value: impl FnOnce(&mut Fields)) {
        match self.redaction.of_field(field.name()) {
            Shown::Values => value(self.fields),
            Shown::Names => self.fields.set(field.name(), LEFT_OUT),
            Shown::Nothing => self.fields.hide(field.name()),
        }
    }
}

impl Visit for Recorder<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, |fields| fields.set(field.name(), at_most(value, MOST_BYTES)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.keep(field, |fields| {
            let mut text = Bounded(String::new());
            // What the service's own code gives up on is kept as far as it came.
            let _ = write!(text, "{value:?}");
            fields.set(field.name(), &text.0);
        });
    }
}

/// As much of a text as so many bytes hold.
fn at_most(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Text up to its bound. What is beyond it is left out in silence: the `Debug` of a service's own may unwrap what it gets here, and
/// no writer of the standard library fails.
struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = MOST_BYTES - self.0.len();
        self.0.push_str(at_most(text, room));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tracing_core::{Callsite, Interest, Kind, Level, field::FieldSet, identify_callsite};

    struct Site;

    static SITE: Site = Site;
    static REQUEST: Metadata<'static> = Metadata::new(
        "request",
        "orders",
        Level::INFO,
        None,
        None,
        None,
        FieldSet::new(&["peer", "user", "id"], identify_callsite!(&SITE)),
        Kind::SPAN,
    );

    impl Callsite for Site {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            &REQUEST
        }
    }

    /// Counts how often it is formatted.
    struct User<'a>(&'a Cell<u32>);

    impl Debug for User<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("alice")
        }
    }

    /// What is told of a request, and how often its user was formatted.
    fn told(shown: Shown, allowed: &[&str]) -> (String, u32) {
        let redaction = Redaction { shown, allowed: allowed.iter().map(ToString::to_string).collect() };
        let (mut fields, formatted) = (Fields::default(), Cell::new(0));
        let mut recorder = Recorder { fields: &mut fields, redaction: &redaction };
        let [peer, user, id] = ["peer", "user", "id"].map(|name| REQUEST.fields().field(name).expect("it has that"));
        recorder.record_str(&peer, "10.0.0.1");
        recorder.record_debug(&user, &User(&formatted));
        recorder.record_u64(&id, 7);
        recorder.record_u64(&id, 8);
        let all: Vec<String> = fields.view().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        (all.join(" "), formatted.get())
    }

    #[test]
    fn what_is_left_out_stands_as_left_out_and_is_never_formatted() {
        assert_eq!(told(Shown::Values, &[]), ("peer=10.0.0.1 user=alice id=8".to_owned(), 1));
        assert_eq!(told(Shown::Names, &["id"]), ("peer=(left out) user=(left out) id=8".to_owned(), 0));
        assert_eq!(told(Shown::Nothing, &["peer"]), ("peer=10.0.0.1 fields=(2 left out)".to_owned(), 0));
        assert_eq!(told(Shown::Nothing, &["user"]), ("user=alice fields=(2 left out)".to_owned(), 1));
    }
}
