//! The tour of the demo: three troubles, one after the other. Each is shown, explained, and mended by a key.

use crate::{app::input::event::Effect, diagnose::Status, session::Session};

/// One trouble of the tour.
#[derive(Debug)]
pub struct Stop {
    /// What the demo server calls it.
    pub trouble: &'static str,
    /// The lints of which one must find it.
    lints: &'static [&'static str],
    /// What it is.
    pub title: &'static str,
    /// What is said until it is found.
    begins: &'static str,
    /// What is said once it is.
    found: &'static str,
}

/// Where the tour stops.
pub const STOPS: &[Stop] = &[
    Stop {
        trouble: "lock-across-await",
        lints: &["held-across-await"],
        title: "a lock held across an await",
        begins: "A task of the demo server sleeps with a Mutex in its hands, and two others wait for that. It takes a moment until it is found.",
        found: "Found: which Mutex, who holds it, since when, and who waits. Enter opens the story step by step, Esc comes back, e explains how to \
                mend such code. Seen enough? m mends it: the server is told to stop that.",
    },
    Stop {
        trouble: "stalled-by-loop",
        lints: &["stalled-worker", "never-yields"],
        title: "a worker that is blocked",
        begins: "A task computes for more than a second without an await. Nothing else can run on its worker meanwhile.",
        found: "Found: a poll that does not end keeps its worker from all others. Enter opens the story, with the stack of the worker as it was taken \
                while it was stuck; 3 has a lane for each worker. m mends it.",
    },
    Stop {
        trouble: "deadlock",
        lints: &["deadlock"],
        title: "a deadlock",
        begins: "Two tasks take the same two locks in opposite order.",
        found: "Found: each waits for what the other has, for ever. The service looks well from outside, and no log has a word of it. Enter goes round \
                the circle, down to the lines where each took its lock. m mends it.",
    },
];

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The trouble is on, and was not found yet.
    Begun,
    /// It was found.
    Found,
    /// The server was told to stop it.
    Mending,
    /// It is over.
    Over,
}

/// Where the user is on the tour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tour {
    at: usize,
    phase: Phase,
}

impl Tour {
    /// At the first stop, whose trouble is on.
    pub(super) fn begun() -> Self {
        Self { at: 0, phase: Phase::Begun }
    }

    /// Which stop it is, from 1, and what; `None` after the last.
    pub fn stop(&self) -> Option<(usize, &'static Stop)> {
        Some((self.at + 1, STOPS.get(self.at)?))
    }

    /// What is to be said.
    pub fn says(&self) -> &'static str {
        match (STOPS.get(self.at), self.phase) {
            (None, _) => {
                "That was the tour. `holdup HOST:6669` watches a service of yours, `holdup 4242` a process as it is with nothing built in, and `holdup demo` has all \
                 of the demo's troubles at once. q quits."
            }
            (Some(stop), Phase::Begun) => stop.begins,
            (Some(stop), Phase::Found) => stop.found,
            (Some(_), Phase::Mending) => "The server was told. As soon as it has stopped, the finding is over.",
            (Some(_), Phase::Over) => {
                "Mended: the finding is over, and stays in the list for a while, so that what has come and gone can still be looked at. n goes on."
            }
        }
    }

    /// Takes note of what is found by now.
    pub(super) fn observe(&mut self, session: &Session) {
        let Some(stop) = STOPS.get(self.at) else { return };
        let is_on = session
            .engine()
            .findings()
            .any(|finding| finding.status == Status::Active && stop.lints.contains(&finding.lint.name));
        self.phase = match self.phase {
            Phase::Begun if is_on => Phase::Found,
            Phase::Mending if !is_on => Phase::Over,
            phase => phase,
        };
    }

    /// Whether there is something to mend.
    pub(super) fn can_mend(&self) -> bool {
        self.at < STOPS.len() && matches!(self.phase, Phase::Begun | Phase::Found)
    }

    /// Whether there is somewhere to go on to.
    pub(super) fn can_go_on(&self) -> bool {
        self.at < STOPS.len()
    }

    /// The trouble is to stop.
    pub(super) fn mend(&mut self) -> Vec<Effect> {
        match STOPS.get(self.at) {
            Some(stop) if self.can_mend() => {
                self.phase = Phase::Mending;
                vec![Effect::SwitchOff(stop.trouble)]
            }
            _ => Vec::new(),
        }
    }

    /// To the next stop, whether or not this one's trouble is over.
    pub(super) fn go_on(&mut self) -> Vec<Effect> {
        let Some(stop) = STOPS.get(self.at) else { return Vec::new() };
        *self = Self { at: self.at + 1, phase: Phase::Begun };
        let next = STOPS.get(self.at).map(|next| Effect::SwitchOn(next.trouble));
        [Effect::SwitchOff(stop.trouble)].into_iter().chain(next).collect()
    }
}
