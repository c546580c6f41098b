//! What a source can tell at all: what it does not know is not zero.

use super::look::Grade;

/// Something that one source knows and another does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Fact {
    /// Polls of tasks, and the time inside them.
    Polls,
    /// Whether a task was ever polled.
    FirstPolls,
    /// How long tasks waited to be polled.
    ScheduledTime,
    /// How often tasks were woken, and when.
    Wakes,
    /// How often wakers are cloned and dropped.
    Wakers,
    /// How large futures are.
    Sizes,
    /// Resources that are no locks, and the operations on them.
    Resources,
    /// Locks, and the operations on them: who holds one is told, or follows.
    Locks,
    /// Who holds a lock, rather than who must.
    Holders,
    /// Runtimes and their queues.
    Runtimes,
    /// What their blocking pools have to do.
    BlockingPools,
    /// Workers, and what each is polling.
    Workers,
    /// Polls that keep a thread for long, while they last.
    Stalls,
    /// Tasks that ended in a panic.
    Panics,
    /// The service's own spans around a task.
    Spans,
    /// When tasks were spawned.
    Ages,
    /// Whether anything is left that could wake a task.
    WakersLeft,
    /// How often locks are taken, and for how long they are held.
    LockCounts,
    /// What workers have done so far: polls, parks, steals, and how busy they were.
    WorkerCounts,
    /// What each task awaits, line by line.
    Chains,
    /// The process's threads, and their stacks.
    Threads,
    /// Who took permits of semaphores and room of channels.
    Permits,
    /// When the drivers of runtimes see to timers and sockets.
    DriverTurns,
    /// How long the polls of all tasks of a spawn location took, and their waits where those are known, length by length.
    SpawnTimes,
}

impl Fact {
    /// Every one.
    pub const ALL: [Self; 24] = [
        Self::Polls,
        Self::FirstPolls,
        Self::ScheduledTime,
        Self::Wakes,
        Self::Wakers,
        Self::Sizes,
        Self::Resources,
        Self::Locks,
        Self::Holders,
        Self::Runtimes,
        Self::BlockingPools,
        Self::Workers,
        Self::Stalls,
        Self::Panics,
        Self::Spans,
        Self::Ages,
        Self::WakersLeft,
        Self::LockCounts,
        Self::WorkerCounts,
        Self::Chains,
        Self::Threads,
        Self::Permits,
        Self::DriverTurns,
        Self::SpawnTimes,
    ];

    /// Kebab-case and stable, as JSON names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::FirstPolls => "first-polls",
            Self::ScheduledTime => "scheduled-time",
            Self::Wakes => "wakes",
            Self::Wakers => "wakers",
            Self::Sizes => "sizes",
            Self::Resources => "resources",
            Self::Locks => "locks",
            Self::Holders => "holders",
            Self::Runtimes => "runtimes",
            Self::BlockingPools => "blocking-pools",
            Self::Workers => "workers",
            Self::Stalls => "stalls",
            Self::Panics => "panics",
            Self::Spans => "spans",
            Self::Ages => "ages",
            Self::WakersLeft => "wakers-left",
            Self::LockCounts => "lock-counts",
            Self::WorkerCounts => "worker-counts",
            Self::Chains => "chains",
            Self::Threads => "threads",
            Self::Permits => "permits",
            Self::DriverTurns => "driver-turns",
            Self::SpawnTimes => "spawn-times",
        }
    }
}

/// Facts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct FactSet(u32);

impl FactSet {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// These facts.
    pub const fn of(facts: &[Fact]) -> Self {
        let (mut set, mut at) = (0, 0);
        while at < facts.len() {
            set |= 1 << facts[at] as u32;
            at += 1;
        }
        Self(set)
    }

    /// Whether a fact is among them.
    pub const fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u32) != 0
    }

    /// Whether all of these are among them.
    pub const fn has_all(self, facts: FactSet) -> bool {
        self.0 & facts.0 == facts.0
    }

    /// These facts and more.
    pub const fn and(self, more: FactSet) -> Self {
        Self(self.0 | more.0)
    }

    /// These facts less others.
    pub const fn without(self, less: FactSet) -> Self {
        Self(self.0 & !less.0)
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Fact> {
        Fact::ALL.into_iter().filter(move |&fact| self.has(fact))
    }
}

/// Whether an update is of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Consistency {
    /// Its parts are read one after the other, and the newest is not in it: what it shows is true when the next one has not
    /// contradicted it.
    #[default]
    Smeared,
    /// It is complete up to its time.
    OneInstant,
}

/// A value that a source may not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<T> {
    /// It is this.
    Value(T),
    /// It is not known, for want of this fact; [`Knows::why_not`] says why.
    NotFrom(Fact),
}

impl<T> Known<T> {
    /// The value, where it is known.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::NotFrom(_) => None,
        }
    }

    /// The same of another value.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Value(value) => Known::Value(of(value)),
            Self::NotFrom(fact) => Known::NotFrom(fact),
        }
    }
}

/// What a source knows, and why it does not know the rest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Knows {
    facts: FactSet,
    consistency: Consistency,
    #[serde(with = "crate::packed::word_list")]
    missing: Vec<(FactSet, &'static str)>,
}

/// What both a console and an agent tell, in every detail.
const OF_ALL: FactSet =
    FactSet::of(&[Fact::Polls, Fact::FirstPolls, Fact::Sizes, Fact::Locks, Fact::Ages, Fact::LockCounts]);

/// What every agent that tells of itself tells beyond that.
const OF_AGENTS: FactSet = FactSet::of(&[
    Fact::Holders,
    Fact::Runtimes,
    Fact::BlockingPools,
    Fact::Workers,
    Fact::WorkerCounts,
    Fact::Panics,
    Fact::Spans,
]);

/// What follows from wakes.
const SCHEDULED: FactSet = FactSet::of(&[Fact::ScheduledTime]);
const WAKERS: FactSet = FactSet::of(&[Fact::Wakes, Fact::Wakers, Fact::WakersLeft]);
const RESOURCES: FactSet = FactSet::of(&[Fact::Resources]);
const STALLS: FactSet = FactSet::of(&[Fact::Stalls]);
const PERMITS: FactSet = FactSet::of(&[Fact::Permits]);
const DRIVER_TURNS: FactSet = FactSet::of(&[Fact::DriverTurns]);
const SPAWN_TIMES: FactSet = FactSet::of(&[Fact::SpawnTimes]);

/// What the console's format tells.
const OF_CONSOLES: FactSet = OF_ALL.and(SCHEDULED).and(WAKERS).and(RESOURCES);

/// What is read in memory alone.
const OF_MEMORY: FactSet = FactSet::of(&[Fact::Chains, Fact::Threads]);

/// What memory tells of every program, by what tokio itself keeps.
const OF_EVERY_PROGRAM: FactSet =
    FactSet::of(&[Fact::Sizes, Fact::WakersLeft, Fact::Runtimes, Fact::Workers, Fact::Threads, Fact::DriverTurns]);

/// What memory tells where there are types to read futures by: how each ended, too, and what tokio keeps of its pools.
const BY_TYPES: FactSet = FactSet::of(&[
    Fact::Chains,
    Fact::FirstPolls,
    Fact::Locks,
    Fact::Holders,
    Fact::Resources,
    Fact::Stalls,
    Fact::Panics,
    Fact::BlockingPools,
    Fact::Permits,
]);

const TELLS_NO_PAST: FactSet = FactSet::of(&[
    Fact::Polls,
    Fact::ScheduledTime,
    Fact::Wakes,
    Fact::Wakers,
    Fact::Ages,
    Fact::LockCounts,
    Fact::WorkerCounts,
    Fact::SpawnTimes,
]);

const WHY_NO_PAST: &str =
    "memory tells how things are, not how often they happened or since when; instrumentation counts that";
const WHY_NO_SPANS: &str = "spans stand in the subscriber's own memory, which is not read; the agent tells of them";
const WHY_NO_MEMORY: &str =
    "it stands in the process's memory, which is read by its process id: holdup PID, on its own machine";

/// What is missing from it.
const NOT_OF_CONSOLES: FactSet = OF_AGENTS.and(STALLS).and(PERMITS).and(DRIVER_TURNS).and(SPAWN_TIMES);

fn why_no_types(grade: Grade) -> &'static str {
    match grade {
        Grade::Absent => {
            "the executable of this build is not here, or cannot be read: of a core file or grab, give it with --exe"
        }
        Grade::Stripped => {
            "the executable is stripped: in Cargo.toml, under [profile.release], set `strip = false` and `debug = 2`, or give a layout by --layout"
        }
        Grade::Symbols => {
            "the executable has no types: in Cargo.toml, under [profile.release], set `debug = 2`, or give a layout or a twin by --layout or --debug"
        }
        Grade::Lines | Grade::Twin | Grade::Full => {
            "the executable has lines and no types: in Cargo.toml, under [profile.release], set `debug = 2`, or give a layout by --layout"
        }
    }
}

impl Default for Knows {
    fn default() -> Self {
        Self::console()
    }
}

impl Knows {
    /// What any console knows.
    pub fn console() -> Self {
        Self::in_the_console_s_format("only holdup's agent tells of it")
    }

    /// What an agent knows that is older than this client, and is read as the console that it also is.
    pub fn older_agent() -> Self {
        Self::in_the_console_s_format(
            "this service's agent is older and is read as a console; with a newer one, holders of locks, workers, stalls, spans \
             and panics are told",
        )
    }

    fn in_the_console_s_format(why: &'static str) -> Self {
        Self {
            facts: OF_CONSOLES,
            consistency: Consistency::Smeared,
            missing: vec![(NOT_OF_CONSOLES, why), (OF_MEMORY, WHY_NO_MEMORY)],
        }
    }

    /// What an agent knows, by the stable names of what it can tell. Capabilities decide, never version numbers.
    pub fn agent(capabilities: &[String]) -> Self {
        let can = |name: &str| capabilities.iter().any(|known| known == name);
        let wakers = can("wakers");
        let parts = [
            (wakers, WAKERS, "the agent counts no wakers in this detail"),
            (wakers, RESOURCES, "the agent tells of no resources but locks in this detail"),
            (
                can("driver-turns"),
                DRIVER_TURNS,
                "this agent does not tell when drivers have their turns: its detail is lean, or it is older",
            ),
            (
                can("permits"),
                PERMITS,
                "this agent tells of no semaphores and channels: its detail is lean, or it is older",
            ),
            (
                wakers || can("scheduled"),
                SCHEDULED,
                "the agent sees no wakes in this detail, and no runtime was built with its hooks",
            ),
            (can("spawn-times"), SPAWN_TIMES, "this agent is older and keeps no lengths of polls by spawn location"),
            (can("stalls"), STALLS, "the agent looks for no stalls here"),
        ];
        let mut knows = Self {
            facts: OF_ALL.and(OF_AGENTS),
            consistency: Consistency::OneInstant,
            missing: vec![(OF_MEMORY, WHY_NO_MEMORY)],
        };
        for (told, facts, why) in parts {
            if told {
                knows.facts = knows.facts.and(facts);
            } else {
                knows.missing.push((facts, why));
            }
        }
        knows
    }

    /// What a process's memory tells, by what is known of its types. A round of looks bears out what it shows, so that it is as
    /// of one instant.
    pub fn memory(grade: Grade) -> Self {
        let mut knows = Self {
            facts: OF_EVERY_PROGRAM,
            consistency: Consistency::OneInstant,
            missing: vec![(TELLS_NO_PAST, WHY_NO_PAST), (FactSet::of(&[Fact::Spans]), WHY_NO_SPANS)],
        };
        if grade.has_types() {
            knows.facts = knows.facts.and(BY_TYPES);
        } else {
            knows.missing.push((BY_TYPES, why_no_types(grade)));
        }
        knows
    }

    /// What this source and another of the same process know together.
    pub fn joined(&self, other: &Self) -> Self {
        let facts = self.facts.and(other.facts);
        let left = |&(missing, why): &(FactSet, &'static str)| {
            let missing = missing.without(facts);
            (missing != FactSet::NONE).then_some((missing, why))
        };
        Self { facts, consistency: self.consistency, missing: self.missing.iter().filter_map(left).collect() }
    }

    /// Whether a fact is told.
    pub fn has(&self, fact: Fact) -> bool {
        self.facts.has(fact)
    }

    /// All that is told.
    pub fn facts(&self) -> FactSet {
        self.facts
    }

    /// Why a fact is not told; empty where it is.
    pub fn why_not(&self, fact: Fact) -> &'static str {
        self.missing.iter().find(|(facts, _)| facts.has(fact)).map_or("", |(_, why)| why)
    }

    /// Why not all of these facts are told: of the first that is not. `None` where they are.
    pub fn why_not_all(&self, facts: FactSet) -> Option<&'static str> {
        facts.iter().find(|&fact| !self.has(fact)).map(|fact| self.why_not(fact))
    }

    /// What is not told, and why not.
    pub fn missing(&self) -> impl Iterator<Item = (Fact, &'static str)> {
        self.missing.iter().flat_map(|&(facts, why)| facts.iter().map(move |fact| (fact, why)))
    }

    /// What an update says of something, which it says where this fact is told.
    pub fn told<T>(&self, fact: Fact, value: T) -> Known<T> {
        if self.has(fact) { Known::Value(value) } else { Known::NotFrom(fact) }
    }

    /// Whether its updates are of one instant.
    pub fn consistency(&self) -> Consistency {
        self.consistency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_decide_and_what_is_missing_has_its_reason() {
        let lean = Knows::agent(&["stalls".to_owned()]);
        assert!(lean.has(Fact::Holders) && lean.has(Fact::Stalls) && !lean.has(Fact::Wakers));
        assert_eq!(lean.why_not(Fact::Wakers), "the agent counts no wakers in this detail");
        assert_eq!(lean.why_not(Fact::Stalls), "");
        assert_eq!(lean.consistency(), Consistency::OneInstant);
        let hooked = Knows::agent(&["scheduled".to_owned()]);
        assert!(hooked.has(Fact::ScheduledTime) && !hooked.has(Fact::Wakes) && !lean.has(Fact::ScheduledTime));
        let stock = Knows::console();
        assert!(stock.has(Fact::Wakers) && !stock.facts().has_all(FactSet::of(&[Fact::Wakers, Fact::Workers])));
        assert_eq!(stock.consistency(), Consistency::Smeared);
        let older = Knows::older_agent();
        assert_eq!(older.facts(), stock.facts());
        assert!(older.why_not(Fact::Workers).contains("older"), "{}", older.why_not(Fact::Workers));
    }

    #[test]
    fn every_fact_is_told_or_missing_with_a_reason() {
        let full = ["wakers", "stalls"].map(str::to_owned);
        let by_grade =
            [Grade::Absent, Grade::Stripped, Grade::Symbols, Grade::Lines, Grade::Twin, Grade::Full].map(Knows::memory);
        let wire = [Knows::console(), Knows::older_agent(), Knows::agent(&[]), Knows::agent(&full)];
        let joined = Knows::console().joined(&Knows::memory(Grade::Full));
        for knows in wire.into_iter().chain(by_grade).chain([joined]) {
            for fact in Fact::ALL {
                assert_eq!(knows.has(fact), knows.why_not(fact).is_empty(), "{fact:?} of {knows:?}");
                assert_eq!(knows.has(fact), knows.missing().all(|(missing, _)| missing != fact), "{fact:?}");
            }
        }
        let names: std::collections::BTreeSet<&str> = Fact::ALL.iter().map(|fact| fact.name()).collect();
        assert_eq!(names.len(), Fact::ALL.len());
    }

    #[test]
    fn memory_tells_chains_where_there_are_types_and_no_past() {
        let full = Knows::memory(Grade::Full);
        assert!(full.has(Fact::Chains) && full.has(Fact::Holders) && !full.has(Fact::Polls) && !full.has(Fact::Wakes));
        let stripped = Knows::memory(Grade::Stripped);
        assert!(stripped.has(Fact::WakersLeft) && !stripped.has(Fact::Chains));
        assert!(stripped.why_not(Fact::Chains).contains("debug = 2"), "{}", stripped.why_not(Fact::Chains));
        let both = Knows::console().joined(&full);
        assert!(both.has(Fact::Polls) && both.has(Fact::Chains) && both.has(Fact::Threads));
        assert_eq!(both.consistency(), Consistency::Smeared, "what the console tells is no surer for that");
    }

    #[test]
    fn what_is_not_known_is_no_zero() {
        let lean = Knows::agent(&[]);
        assert_eq!(lean.told(Fact::Wakes, 0_u64), Known::NotFrom(Fact::Wakes));
        assert_eq!(lean.told(Fact::Polls, 0_u64).map(|polls| polls + 1).value(), Some(1));
        assert_eq!(lean.why_not_all(FactSet::of(&[Fact::Polls, Fact::Wakes])), Some(lean.why_not(Fact::Wakes)));
        assert_eq!(lean.why_not_all(FactSet::NONE), None);
    }
}
