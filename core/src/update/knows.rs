//! What a source can tell at all: what it does not know is not zero.

use super::{Begin, Protocol};

/// Something that one source knows and another does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Wakes of tasks, and how often wakers are cloned and dropped.
    Wakers,
    /// Who holds a lock, rather than who must.
    Holders,
    /// Who waits for a lock, in the order of its queue.
    Waiters,
    /// Runtimes, their queues and their blocking pools.
    Runtimes,
    /// Workers, and what each is polling.
    Workers,
    /// Polls that keep a thread for long, while they last.
    Stalls,
    /// Tasks that ended in a panic.
    Panics,
    /// The service's own spans around a task.
    Spans,
    /// What could not be kept or told, by kind.
    Losses,
}

/// Facts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactSet(u32);

impl FactSet {
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

    const fn and(self, more: FactSet) -> Self {
        Self(self.0 | more.0)
    }
}

/// Whether an update is of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// Its parts are read one after the other, and the newest is not in it: what it shows is true when the next one has not
    /// contradicted it.
    #[default]
    Smeared,
    /// It is complete up to its time.
    OneInstant,
}

/// What a source knows, and why it does not know the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knows {
    facts: FactSet,
    consistency: Consistency,
    missing: Vec<(FactSet, &'static str)>,
}

/// What every agent that tells of itself tells.
const OF_AGENTS: FactSet = FactSet::of(&[
    Fact::Holders,
    Fact::Waiters,
    Fact::Runtimes,
    Fact::Workers,
    Fact::Panics,
    Fact::Spans,
    Fact::Losses,
]);

const WAKERS: FactSet = FactSet::of(&[Fact::Wakers]);
const STALLS: FactSet = FactSet::of(&[Fact::Stalls]);

/// What is missing from the console's format.
const NOT_OF_CONSOLES: FactSet = OF_AGENTS.and(STALLS);

impl Default for Knows {
    /// What any console knows.
    fn default() -> Self {
        Self::console("only holdup's agent tells of it")
    }
}

impl Knows {
    /// What whoever begins to tell knows. Capabilities decide, never version numbers.
    pub fn of(begin: &Begin) -> Self {
        match (begin.protocol, &begin.process) {
            (Protocol::Agent, Some(process)) => Self::agent(&process.capabilities),
            (Protocol::Agent, None) => Self::agent(&[]),
            (Protocol::Console, Some(_)) => Self::console(
                "this service's agent is older and is read as a console; with a newer one, holders of locks, workers, stalls, spans \
                 and panics are told",
            ),
            (Protocol::Console, None) => Self::default(),
        }
    }

    /// An agent, by the stable names of what it can tell.
    pub fn agent(capabilities: &[String]) -> Self {
        let (mut facts, mut missing) = (OF_AGENTS, Vec::new());
        let why = [
            ("wakers", WAKERS, "the agent counts no wakers in this detail"),
            ("stalls", STALLS, "the agent looks for no stalls here"),
        ];
        for (name, told, why) in why {
            if capabilities.iter().any(|known| known == name) {
                facts = facts.and(told);
            } else {
                missing.push((told, why));
            }
        }
        Self { facts, consistency: Consistency::OneInstant, missing }
    }

    fn console(why: &'static str) -> Self {
        Self { facts: WAKERS, consistency: Consistency::Smeared, missing: vec![(NOT_OF_CONSOLES, why)] }
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

    /// Whether its updates are of one instant.
    pub fn consistency(&self) -> Consistency {
        self.consistency
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Process;

    #[test]
    fn capabilities_decide_and_what_is_missing_has_its_reason() {
        let lean = Knows::agent(&["stalls".to_owned()]);
        assert!(lean.has(Fact::Holders) && lean.has(Fact::Stalls) && !lean.has(Fact::Wakers));
        assert_eq!(lean.why_not(Fact::Wakers), "the agent counts no wakers in this detail");
        assert_eq!(lean.why_not(Fact::Stalls), "");
        assert_eq!(lean.consistency(), Consistency::OneInstant);
        let begin = Begin { epoch: 1, protocol: Protocol::Console, process: None };
        let stock = Knows::of(&begin);
        assert!(stock.has(Fact::Wakers) && !stock.facts().has_all(FactSet::of(&[Fact::Wakers, Fact::Workers])));
        assert_eq!(stock.consistency(), Consistency::Smeared);
        let older = Knows::of(&Begin { process: Some(Process::default()), ..begin });
        assert_eq!(older.facts(), stock.facts());
        assert!(older.why_not(Fact::Workers).contains("older"), "{}", older.why_not(Fact::Workers));
    }
}
