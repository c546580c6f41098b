//! What is told of one target among many.

use crate::{
    diagnose::{Finding, FindingId, Lint, Severity, Status, Subject, Tally},
    session::Session,
    update::{Connection, Protocol, Temporality},
};
use std::time::Instant;

/// Of more findings of one target, the worst are told; all of them are counted.
pub const FINDINGS_MOST: usize = 50;

/// Where a target stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known of it yet.
    Connecting,
    /// It tells.
    Live,
    /// It was asked to tell nothing.
    Paused,
    /// It does not answer, and why; it is tried again.
    Lost(String),
    /// What answers there cannot be watched, and why.
    GaveUp(String),
}

impl Standing {
    /// Whether what is known of it is of now.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live | Self::Paused)
    }

    /// Why it is not heard.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Lost(reason) | Self::GaveUp(reason) => Some(reason),
            Self::Connecting | Self::Live | Self::Paused => None,
        }
    }
}

/// A finding of one target among many.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The finding, as its session knows it.
    pub id: FindingId,
    /// How bad it is.
    pub severity: Severity,
    /// Its lint.
    pub lint: &'static Lint,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub message: String,
}

impl Told {
    fn new(finding: &Finding) -> Self {
        Self {
            id: finding.id,
            severity: finding.severity,
            lint: finding.lint,
            subject: finding.subject.clone(),
            message: finding.message.clone(),
        }
    }
}

/// What is told of one target among many.
#[derive(Debug, Clone)]
pub struct Brief {
    /// Where it stands.
    pub standing: Standing,
    /// What it calls itself, empty where that is not known.
    pub service: String,
    /// What tells of it, in a word.
    pub speaks: &'static str,
    /// Tasks that live.
    pub tasks: usize,
    /// Findings that are open, by severity.
    pub tally: Tally,
    /// Those findings, the worst first; [`FINDINGS_MOST`] at the most.
    pub findings: Vec<Told>,
    /// When the latest complete update came.
    pub heard: Option<Instant>,
    /// When it was lost last, if it ever was.
    pub lost: Option<Instant>,
}

/// When what became of a target, by this machine's clock, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Course {
    /// The latest complete update came.
    pub heard: Option<Instant>,
    /// It was lost.
    pub lost: Option<Instant>,
    /// Why, that time.
    pub why: String,
}

impl Brief {
    /// Of what nothing is known yet.
    pub(super) fn nothing() -> Self {
        Self {
            standing: Standing::Connecting,
            service: String::new(),
            speaks: "",
            tasks: 0,
            tally: Tally::default(),
            findings: Vec::new(),
            heard: None,
            lost: None,
        }
    }

    /// Of a session, and what became of its target.
    pub(super) fn of(session: &Session, course: &Course) -> Self {
        let status = session.status();
        let begun = status.begun.as_ref();
        let standing = match &status.connection {
            Connection::Lost { reason, .. } => Standing::Lost(reason.clone()),
            Connection::GaveUp { reason } => Standing::GaveUp(reason.clone()),
            // What was lost is lost until it is back.
            Connection::Connecting { attempt } if *attempt > 1 => Standing::Lost(course.why.clone()),
            Connection::Connecting { .. } => Standing::Connecting,
            Connection::Live if course.heard.is_none() => Standing::Connecting,
            Connection::Live if status.temporality == Some(Temporality::Paused) => Standing::Paused,
            Connection::Live => Standing::Live,
        };
        let active = session.engine().findings().filter(|finding| finding.status == Status::Active);
        Self {
            standing,
            service: begun.and_then(|begun| begun.process.as_ref()).map_or_else(String::new, |it| it.name.clone()),
            speaks: begun.map_or("", |begun| match begun.protocol {
                Protocol::Console => "console",
                Protocol::Agent => "agent",
                Protocol::Memory => "memory",
            }),
            tasks: session.model().counts().live,
            tally: session.engine().tally(),
            findings: active.take(FINDINGS_MOST).map(Told::new).collect(),
            heard: course.heard,
            lost: course.lost,
        }
    }
}
