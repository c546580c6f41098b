//! Which tasks to show: what a filter says, and whether a task is among those. How it is typed is `parse.rs`'s business.

pub(crate) mod parse;

use crate::{
    diagnose::Engine,
    model::{Batch, Model, Room, Task, TaskState, Tasks},
    update::{Fact, FactSet, Stamp, TaskKind, Value, nanos},
};
use std::{fmt::Write as _, time::Duration};

/// A filter: every term must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter(pub(super) Vec<Term>);

/// One thing that is asked of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) sense: Sense,
    pub(super) test: Test,
}

/// Whether a test must hold, or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Must,
    MustNot,
}

/// Texts are in lower case, as are the texts that they are looked for in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// In its name, place, kind, fields or spans; or its id, where the word is a number.
    Word {
        text: String,
        id: Option<u64>,
    },
    Name(String),
    Location(String),
    /// Spawned there and nowhere else: `file:line`, or `file:line:column`.
    At(String),
    /// In the service's own spans around its latest poll.
    Span(String),
    /// In what it waits for, in words.
    Awaits(String),
    /// It sleeps in this chain; `None`: its chain is not known.
    Chain(Option<u32>),
    /// In the name of its runtime.
    Runtime(String),
    State(TaskState),
    Kind(TaskKind),
    /// By [`crate::diagnose::lint_mask`].
    Lint(u64),
    Id(u64),
    Measure(Quantity, Comparison, Amount),
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Total,
    Busy,
    Scheduled,
    Idle,
    Polls,
    Rate,
    Load,
    Wakes,
    Wakers,
    Size,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

/// What it is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    /// A time span.
    Time(Duration),
    /// A share of the task's age, or of what the quantity is a share of; from 0 to 1.
    Share(f64),
    /// A number.
    Number(f64),
}

/// What a filter may look at.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The target.
    pub model: &'a Model,
    /// What stands against its tasks.
    pub engine: &'a Engine,
    /// The instant that times are as of.
    pub now: Stamp,
}

/// What was answered before, term by term: a million tasks share a handful of names, locations and kinds, and each is looked at once.
#[derive(Debug, Default)]
pub struct Cache(Vec<Answers>);

#[derive(Debug, Default)]
struct Answers {
    names: Answered,
    places: Answered,
    kinds: Answered,
    /// What was last looked at: its room is used again.
    text: String,
}

impl Answers {
    /// Whether something has a word in it as it is shown.
    fn says(&mut self, what: &impl std::fmt::Display, word: &str) -> bool {
        self.text.clear();
        // A string takes whatever is written to it.
        let _ = write!(self.text, "{what}");
        has(&self.text, word)
    }
}

/// Answers by the number of what was asked about.
#[derive(Debug, Default)]
struct Answered(Vec<Option<bool>>);

impl Cache {
    fn of(&mut self, term: usize) -> &mut Answers {
        if term >= self.0.len() {
            self.0.resize_with(term + 1, Answers::default);
        }
        &mut self.0[term]
    }
}

impl Answered {
    fn or_ask(&mut self, about: usize, ask: impl FnOnce() -> bool) -> bool {
        if about >= self.0.len() {
            self.0.resize(about + 1, None);
        }
        match self.0[about] {
            Some(answer) => answer,
            None => self.ask(about, ask),
        }
    }

    #[cold]
    fn ask(&mut self, about: usize, ask: impl FnOnce() -> bool) -> bool {
        *self.0[about].insert(ask())
    }
}

impl Filter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether its answer about a task may change although nobody reports anything of it.
    pub fn ages(&self) -> bool {
        self.0.iter().any(|term| match term.test {
            Test::Measure(quantity, ..) => {
                !matches!(quantity, Quantity::Polls | Quantity::Wakes | Quantity::Wakers | Quantity::Size)
            }
            _ => false,
        })
    }

    /// Whether tokio's own workers are to be shown, which are nobody's tasks: where they, or one task, are asked for.
    fn asks_for_workers(&self) -> bool {
        let asks = |term: &Term| matches!(term.test, Test::Kind(TaskKind::Worker) | Test::Id(_));
        self.0.iter().any(|term| term.sense == Sense::Must && asks(term))
    }

    /// Whether a task is to be shown.
    pub fn matches(&self, cx: &Cx, cache: &mut Cache, task: &Task) -> bool {
        let mut room = [0];
        let mut alone = task.alone(&mut room);
        self.retain(cx, cache, &mut alone);
        !alone.is_empty()
    }

    /// Takes out those tasks that are not to be shown.
    pub(super) fn retain(&self, cx: &Cx, cache: &mut Cache, batch: &mut Batch) {
        if !self.asks_for_workers() {
            batch.retain(|task| task.kind() != TaskKind::Worker);
        }
        for (at, term) in self.0.iter().enumerate() {
            term.retain(cx, cache.of(at), batch);
        }
    }
}

impl Term {
    /// Takes out those tasks that the test goes against. Which test it is, is asked once, and not of every task.
    fn retain(&self, cx: &Cx, known: &mut Answers, batch: &mut Batch) {
        let must = self.sense == Sense::Must;
        match &self.test {
            Test::Word { text, id } => {
                let mut room: Room = [0; Tasks::BATCH];
                let mut others = batch.again(&mut room);
                others.retain(|task| !in_name(cx, text, known, task));
                others.retain(|task| !in_place(cx, text, known, task));
                others.retain(|task| !in_kind(text, known, task));
                others.retain(|task| id.is_none_or(|id| id != task.display_id()));
                others.retain(|task| {
                    !(task.has_more() && (in_fields(cx, text, known, task) || in_spans(cx, text, known, task)))
                });
                match self.sense {
                    Sense::Must => batch.take_out(&others),
                    Sense::MustNot => batch.take_out_all_but(&others),
                }
            }
            Test::Name(word) => batch.retain(|task| in_name(cx, word, known, task) == must),
            Test::At(text) => batch.retain(|task| is_at(cx, text, known, task) == must),
            Test::Location(word) => batch.retain(|task| in_place(cx, word, known, task) == must),
            Test::Span(word) => batch.retain(|task| (task.has_more() && in_spans(cx, word, known, task)) == must),
            Test::Awaits(word) => batch.retain(|task| awaits(cx, word, task) == must),
            Test::Chain(chain) => batch.retain(|task| (task.look().and_then(|look| look.chain) == *chain) == must),
            Test::Runtime(word) => batch.retain(|task| in_runtime(cx, word, task) == must),
            Test::State(state) => batch.retain(|task| (task.state() == *state) == must),
            Test::Kind(kind) => batch.retain(|task| (task.kind() == *kind) == must),
            Test::Lint(mask) => batch.retain(|task| has_lint(cx, *mask, task) == must),
            Test::Id(id) => batch.retain(|task| (task.display_id() == *id) == must),
            // Of what is not known nothing holds, and neither does its opposite.
            Test::Measure(quantity, ..) if !cx.model.knows().facts().has_all(quantity.needs()) => {
                batch.retain(|_| false);
            }
            Test::Measure(quantity, comparison, amount) => batch.retain(|task| {
                let (value, limit) = quantity.values(*amount, task, cx.now);
                comparison.holds(value, limit) == must
            }),
        }
    }
}

impl Test {
    /// A word in whatever case.
    pub(super) fn word(typed: &str) -> Self {
        Self::Word { text: typed.to_lowercase(), id: typed.parse().ok() }
    }
}

/// Whether what a task waits for has a word in it.
fn awaits(cx: &Cx, word: &str, task: &Task) -> bool {
    has(&cx.model.awaits_key_in_words(cx.model.awaits_key(task)), word)
}

/// Whether a text has a word in it, in whatever case. The word is in lower case.
fn has(text: &str, word: &str) -> bool {
    if !text.is_ascii() || word.is_empty() {
        return text.to_lowercase().contains(word);
    }
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

fn has_lint(cx: &Cx, mask: u64, task: &Task) -> bool {
    cx.engine.flag(cx.model, task.slot()).is_some_and(|flag| flag.has(mask))
}

fn in_name(cx: &Cx, word: &str, known: &mut Answers, task: &Task) -> bool {
    known.names.or_ask(task.name().index(), || has(cx.model.text(task.name()), word))
}

fn in_place(cx: &Cx, word: &str, known: &mut Answers, task: &Task) -> bool {
    known.places.or_ask(task.place().index(), || has(&cx.model.place(task.place()).to_string(), word))
}

fn is_at(cx: &Cx, text: &str, known: &mut Answers, task: &Task) -> bool {
    known.places.or_ask(task.place().index(), || {
        let place = cx.model.place(task.place());
        let rest = text.strip_prefix(&place.to_string());
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':') == Some(&place.column.to_string()))
    })
}

fn in_kind(word: &str, known: &mut Answers, task: &Task) -> bool {
    known.kinds.or_ask(task.kind() as usize, || task.kind().name().contains(word))
}

#[cold]
fn in_spans(cx: &Cx, word: &str, known: &mut Answers, task: &Task) -> bool {
    cx.model.agent().spans(task.id()).iter().any(|span| known.says(span, word))
}

#[cold]
fn in_fields(cx: &Cx, word: &str, known: &mut Answers, task: &Task) -> bool {
    cx.model.extra_fields(task).any(|(name, value)| known.says(&field(name, value), word))
}

fn in_runtime(cx: &Cx, word: &str, task: &Task) -> bool {
    let agent = cx.model.agent();
    let runtime = agent.facts(task.id()).runtime.and_then(|id| agent.runtime(id));
    runtime.is_some_and(|runtime| has(&runtime.label(), word))
}

/// A field as the list shows it: `name=value`.
pub fn field(name: &str, value: &Value) -> String {
    match value {
        Value::Bool(value) => format!("{name}={value}"),
        Value::U64(value) => format!("{name}={value}"),
        Value::I64(value) => format!("{name}={value}"),
        Value::Text(value) => format!("{name}={value}"),
    }
}

impl Quantity {
    /// What must be known for it to be a number.
    fn needs(self) -> FactSet {
        match self {
            Self::Scheduled | Self::Idle => FactSet::of(&[Fact::ScheduledTime]),
            Self::Wakes => FactSet::of(&[Fact::Wakes]),
            Self::Wakers => FactSet::of(&[Fact::Wakers]),
            Self::Total | Self::Busy | Self::Polls | Self::Rate | Self::Load | Self::Size => FactSet::NONE,
        }
    }

    /// The task's value, and the limit in the same unit; times are in nanoseconds.
    fn values(self, amount: Amount, task: &Task, now: Stamp) -> (f64, f64) {
        let value = match self {
            Self::Total => task.total_nanos(now) as f64,
            Self::Busy => task.busy_nanos(now) as f64,
            Self::Scheduled => task.scheduled_nanos(now) as f64,
            Self::Idle => task.idle_nanos(now) as f64,
            Self::Polls => task.polls() as f64,
            Self::Rate => task.poll_rate(now),
            Self::Load => task.load(now),
            Self::Wakes => task.wakes() as f64,
            Self::Wakers => task.wakers() as f64,
            Self::Size => f64::from(task.size()),
        };
        let limit = match amount {
            Amount::Time(limit) => nanos(limit) as f64,
            Amount::Share(share) if self == Self::Load => share,
            Amount::Share(share) => share * task.total_nanos(now) as f64,
            Amount::Number(number) => number,
        };
        (value, limit)
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "a user who types `polls=3` means three; counts are exact in a float")]
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::AtLeast => value >= limit,
            Self::More => value > limit,
        }
    }
}
