//! Every metric, in one table: all that is served is made from it, and a test holds the documentation against it.
//!
//! What the runtime says of itself is `tokio_*`, what holdup concludes `holdup_*`. Names follow OpenTelemetry's rule for Prometheus: a dot is a `_`, then
//! comes the unit, then `_total` of what only grows. Times are seconds. Ratios are left to whoever queries.

use std::fmt::Write as _;

/// The bounds of every histogram, in seconds: powers of two of a microsecond, from 64 µs in steps of four to 4.19 s.
pub const BOUNDS: [f64; 9] =
    [64e-6, 256e-6, 1_024e-6, 4_096e-6, 16_384e-6, 65_536e-6, 262_144e-6, 1_048_576e-6, 4_194_304e-6];

/// How a value behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Goes up and down. Of several with the same labels, the sum is told.
    Gauge,
    /// The same, where of several the largest is told.
    GaugeOfLargest,
    /// Grows, for as long as the target lives.
    Counter,
    /// Counts of durations, by [`BOUNDS`].
    Histogram,
}

impl Type {
    /// The word for it, in either format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge | Self::GaugeOfLargest => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A label's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// Of holdup, or of its agent.
    Version,
    /// What a target calls itself.
    Service,
    /// What tells of it: `agent`, `console-subscriber`, `memory`.
    Instrument,
    /// The version of tokio.
    Tokio,
    /// What was lost, or which kind of lock it is.
    Kind,
    /// A lint's name.
    Lint,
    /// A finding's severity.
    Severity,
    /// A runtime's name, or its number in words.
    Runtime,
    /// A worker's number in its runtime.
    Worker,
    /// Where tasks are spawned, as `src/main.rs:7`.
    Location,
    /// What a task does.
    State,
    /// Where a lock was made.
    Lock,
    /// The name of another label.
    Label,
}

impl Label {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Service => "service",
            Self::Instrument => "instrument",
            Self::Tokio => "tokio",
            Self::Kind => "kind",
            Self::Lint => "lint",
            Self::Severity => "severity",
            Self::Runtime => "runtime",
            Self::Worker => "worker",
            Self::Location => "location",
            Self::State => "state",
            Self::Lock => "lock",
            Self::Label => "label",
        }
    }
}

/// Who can tell a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources(u8);

impl Sources {
    /// An agent, on its own listener; through an export what of it the agent's clients are told.
    pub const AGENT: Self = Self(1);
    /// An export of a service with tokio-console's own subscriber.
    pub const STOCK: Self = Self(2);
    /// An export of a process whose memory is read.
    pub const MEMORY: Self = Self(4);
    /// The export itself.
    pub const EXPORT: Self = Self(8);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among them.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    fn words(self) -> String {
        let all = [(Self::AGENT, "agent"), (Self::STOCK, "stock"), (Self::MEMORY, "memory"), (Self::EXPORT, "export")];
        let named: Vec<&str> = all.iter().filter(|(one, _)| self.has(*one)).map(|(_, word)| *word).collect();
        named.join(", ")
    }
}

const A: Sources = Sources::AGENT;
const X: Sources = Sources::EXPORT;
const AS: Sources = Sources::AGENT.and(Sources::STOCK);
const AM: Sources = Sources::AGENT.and(Sources::MEMORY);
const ASM: Sources = AS.and(Sources::MEMORY);
const ALL: Sources = ASM.and(Sources::EXPORT);

/// One metric, with all its series.
#[derive(Debug)]
pub struct Family {
    /// Which one it is.
    pub metric: Metric,
    /// As OpenTelemetry has it: without unit and `_total`.
    base: &'static str,
    /// How its values behave.
    pub kind: Type,
    /// Whether it is in seconds.
    unit: Unit,
    /// Its labels, in the order in which their values are given.
    pub labels: &'static [Label],
    /// Who can tell it.
    pub from: Sources,
    /// What it says, as a sentence.
    pub help: &'static str,
    /// What the crate tokio-metrics calls it; empty where it has nothing like it.
    pub tokio_metrics: &'static str,
}

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    None,
    Seconds,
}

impl Family {
    /// The name as it is queried, but for what a histogram's series have at their end.
    pub fn name(&self) -> String {
        let unit = if self.is_in_seconds() { "_seconds" } else { "" };
        let total = if self.kind == Type::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", self.prometheus_base())
    }

    /// The name as OpenTelemetry has it, by whose rule the other is made of it: dots become `_`, then come the unit and `_total`.
    pub fn otel_name(&self) -> &'static str {
        self.base
    }

    /// The name without unit and `_total`.
    pub(crate) fn prometheus_base(&self) -> String {
        self.base.replace('.', "_")
    }

    /// Whether its values are seconds.
    pub fn is_in_seconds(&self) -> bool {
        self.unit == Unit::Seconds
    }
}

macro_rules! table {
    ($($metric:ident, $base:literal, $kind:ident, $unit:ident, [$($label:ident)*], $from:ident, $tokio:literal, $help:literal;)*) => {
        /// A metric of [`TABLE`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $help] $metric,)*
        }

        /// Every metric, in the order in which it is served.
        pub static TABLE: &[Family] = &[
            $(Family {
                metric: Metric::$metric,
                base: $base,
                kind: Type::$kind,
                unit: Unit::$unit,
                labels: &[$(Label::$label),*],
                from: $from,
                help: $help,
                tokio_metrics: $tokio,
            },)*
        ];
    };
}

table! {
    BuildInfo, "holdup.build_info", Gauge, None, [Version], ALL, "", "Always 1, with the version of what serves this.";
    TargetInfo, "holdup.target.info", Gauge, None, [Service Instrument Tokio], ASM, "", "Always 1, with what the target is.";
    TargetUp, "holdup.target.up", Gauge, None, [], X, "", "Whether the target is attached to.";
    TargetLastUpdate, "holdup.target.last_update_timestamp", Gauge, Seconds, [], X, "", "When the target was heard of last, since 1970.";
    TargetListErrors, "holdup.target.list_errors", Counter, None, [], X, "", "How often the list of targets had changed and could not be used, so that the one before it stays in force.";
    OtlpErrors, "holdup.otlp.errors", Counter, None, [], X, "", "How often what was to be told by OTLP was not taken.";
    OtlpDropped, "holdup.otlp.dropped", Counter, None, [Kind], X, "", "Data points and log records that were to be told by OTLP and never were.";
    TargetLag, "holdup.target.lag", Gauge, Seconds, [], STOCK, "", "How far what the target tells is behind, at the least.";
    LostEvents, "holdup.lost_events", Counter, None, [Kind], AS, "", "What the target could not keep, and so not tell.";
    Findings, "holdup.findings", Gauge, None, [Lint Severity], ASM, "", "Findings that are open.";
    FindingsBegun, "holdup.findings_begun", Counter, None, [Lint Severity], ASM, "", "Findings that have begun, those that are over included.";
    FindingAge, "holdup.finding.age", GaugeOfLargest, Seconds, [Lint], ASM, "", "How long the oldest open finding has lasted; 0 where there is none.";
    Workers, "tokio.workers", Gauge, None, [Runtime], AM, "workers_count", "Workers of the runtime.";
    GlobalQueueDepth, "tokio.global_queue_depth", Gauge, None, [Runtime], AM, "global_queue_depth", "Tasks in the runtime's global queue.";
    AliveTasks, "tokio.alive_tasks", Gauge, None, [Runtime], ASM, "live_tasks_count", "Tasks that have been spawned and have not ended.";
    SpawnedTasks, "tokio.spawned_tasks_count", Counter, None, [Runtime], AS, "", "Tasks that have been spawned.";
    LocalQueueDepth, "tokio.worker.local_queue_depth", Gauge, None, [Runtime Worker], AM, "total_local_queue_depth", "Tasks in the worker's own queue.";
    WorkerBusy, "tokio.worker.busy_duration", Counter, Seconds, [Runtime Worker], A, "total_busy_duration", "Time that the worker was not parked.";
    WorkerParks, "tokio.worker.park_count", Counter, None, [Runtime Worker], A, "total_park_count", "How often the worker parked.";
    WorkerSteals, "tokio.worker.task_steals", Counter, None, [Runtime Worker], A, "total_steal_count", "Tasks that the worker took from others.";
    BlockingThreads, "tokio.blocking_threads", Gauge, None, [Runtime], AM, "blocking_threads_count", "Threads of the blocking pool.";
    IdleBlockingThreads, "tokio.idle_blocking_threads", Gauge, None, [Runtime], AM, "idle_blocking_threads_count", "Those of them that have nothing to do.";
    BlockingQueueDepth, "tokio.blocking_queue_depth", Gauge, None, [Runtime], AM, "blocking_queue_depth", "Jobs that wait for a thread of the blocking pool.";
    CurrentPoll, "holdup.worker.current_poll", GaugeOfLargest, Seconds, [Runtime Worker], A, "", "How long the worker's present poll has lasted; 0 where it is in none.";
    Tasks, "holdup.tasks", Gauge, None, [Location State], ASM, "", "Tasks that live, by what they do.";
    TaskPolls, "holdup.task.polls", Counter, None, [Location], AS, "total_poll_count", "Polls of tasks that have ended, those of tasks that are over included.";
    TaskBusy, "holdup.task.busy", Counter, Seconds, [Location], AS, "total_poll_duration", "Time inside of those polls.";
    TaskScheduled, "holdup.task.scheduled", Counter, Seconds, [Location], AS, "total_scheduled_duration", "Time between wake and poll.";
    PollDuration, "holdup.poll_duration", Histogram, Seconds, [Runtime], A, "poll_time_histogram", "How long polls took, without blocking jobs.";
    ScheduleDelay, "holdup.schedule_delay", Histogram, Seconds, [Runtime], A, "", "How long tasks waited between wake and poll.";
    LockWaiters, "holdup.lock.waiters", Gauge, None, [Lock Kind], ASM, "", "Tasks that wait for a lock.";
    LockAcquisitions, "holdup.lock.acquisitions", Counter, None, [Lock Kind], AS, "", "How often locks were acquired, those that are gone included.";
    LockWait, "holdup.lock.wait", Counter, Seconds, [Lock Kind], A, "", "Time that was waited for locks until they were acquired.";
    FoldedSeries, "holdup.folded_series", Counter, None, [Label], ALL, "", "Values of a label that have no series of their own and are told among the others, at the least.";
}

const STOCK: Sources = Sources::STOCK;

impl Metric {
    /// Its line of the table.
    pub fn family(self) -> &'static Family {
        &TABLE[self as usize]
    }
}

/// The table as the documentation has it.
pub fn markdown() -> String {
    let mut table =
        "| name | by OTLP | type | labels | from | tokio-metrics | what it says |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    let quoted = |word: &str| if word.is_empty() { String::new() } else { format!("`{word}`") };
    for family in TABLE {
        let labels: Vec<String> = family.labels.iter().map(|label| quoted(label.word())).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | `{}` | {} | {} | {} | {} | {} |",
            family.name(),
            family.otel_name(),
            family.kind.word(),
            labels.join(", "),
            family.from.words(),
            quoted(family.tokio_metrics),
            family.help
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_where_it_is_looked_for() {
        for (at, family) in TABLE.iter().enumerate() {
            assert_eq!(family.metric as usize, at, "{}", family.name());
        }
    }

    #[test]
    fn names_say_who_tells_what_and_in_which_unit() {
        let mut names: Vec<String> = TABLE.iter().map(Family::name).collect();
        for (family, name) in TABLE.iter().zip(&names) {
            assert!(name.starts_with("tokio_") || name.starts_with("holdup_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(family.help.ends_with('.') && !family.help.contains(['\\', '"', '\n']), "{name}: {}", family.help);
        }
        assert_eq!(Metric::WorkerBusy.family().name(), "tokio_worker_busy_duration_seconds_total");
        assert_eq!(Metric::PollDuration.family().name(), "holdup_poll_duration_seconds");
        assert_eq!(Metric::TargetLastUpdate.family().name(), "holdup_target_last_update_timestamp_seconds");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len(), "each name once");
    }

    #[test]
    fn the_bounds_are_powers_of_two_of_a_microsecond() {
        for (at, bound) in BOUNDS.iter().enumerate() {
            assert_eq!((bound * 1e6).round() as u64, 64 << (2 * at));
        }
    }

    #[test]
    fn the_documentation_has_this_table() {
        let page = include_str!("../../docs/metrics.md");
        assert!(page.contains(&markdown()), "docs/metrics.md is to have:\n{}", markdown());
    }
}
