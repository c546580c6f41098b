//! Where stacks of running threads are had from, when somebody asks for them: from memory where it is read, which takes no right of the
//! agent's and tells of every thread; or else by the agent, which tells of each worker.

use crate::{
    session::Session,
    update::{Begin, Command, Protocol},
};

/// The capability of an agent that captures stacks when it is asked.
const CAPTURES: &str = "captures";

/// Who may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StacksFrom {
    Memory,
    Agent,
    /// Nobody, for this reason.
    Nobody(&'static str),
}

impl StacksFrom {
    /// Who it is for this session.
    pub(crate) fn of(session: &Session) -> Self {
        if session.model().memory().speaks() {
            return Self::Memory;
        }
        match session.status().begun.as_ref() {
            Some(begun) if begun.protocol == Protocol::Agent && captures(begun) => Self::Agent,
            Some(Begin { process: Some(_), protocol: Protocol::Agent | Protocol::Console, .. }) => Self::Nobody(
                "this service's agent is older and captures no stacks on demand, and no memory is read here",
            ),
            _ => Self::Nobody("stacks of running threads are read from memory, which is not read here"),
        }
    }

    /// What is asked for, and what the user is told meanwhile.
    pub(crate) fn ask(self) -> (&'static str, Option<Command>) {
        match self {
            Self::Memory => {
                ("the next look stops each running thread, for less than a millisecond", Some(Command::StopForStacks))
            }
            Self::Agent => ("the agent was asked what each worker is doing now", Some(Command::CaptureStacks)),
            Self::Nobody(why) => (why, None),
        }
    }
}

fn captures(begun: &Begin) -> bool {
    begun.process.as_ref().is_some_and(|process| process.capabilities.iter().any(|name| name == CAPTURES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnose::Settings,
        model::Retention,
        update::{BeginMode, Event, Process, look::Grade},
    };

    fn of(begins: impl IntoIterator<Item = Begin>) -> StacksFrom {
        let mut session = Session::new(&Settings::default(), Retention::default());
        for begin in begins {
            session.apply(Event::Begin(Box::new(begin)));
        }
        StacksFrom::of(&session)
    }

    #[test]
    fn memory_comes_first_and_then_an_agent_that_can() {
        let process = |capabilities: &[&str]| Process {
            capabilities: capabilities.iter().map(ToString::to_string).collect(),
            ..Process::default()
        };
        let agent = || Begin::agent(1, process(&["tasks", CAPTURES]));
        let memory = || Begin::memory(1, Process::default(), Grade::Full);
        assert_eq!(of([agent()]), StacksFrom::Agent);
        assert_eq!(of([memory()]), StacksFrom::Memory);
        assert_eq!(of([agent(), Begin { mode: BeginMode::Joins, ..memory() }]), StacksFrom::Memory);
        assert_eq!(of([Begin::console(1), Begin { mode: BeginMode::Joins, ..memory() }]), StacksFrom::Memory);
        for (begin, said) in [
            (Begin::console(1), "read from memory, which is not read here"),
            (Begin::agent(1, process(&["tasks"])), "agent is older"),
            (Begin::older_agent(1, process(&[CAPTURES])), "agent is older"),
        ] {
            let from = of([begin]);
            assert!(matches!(from, StacksFrom::Nobody(why) if why.contains(said)), "{from:?}");
        }
    }
}
