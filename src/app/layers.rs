//! What lies on top of the screens: pages, texts, questions. The topmost layer gets the keys.

use super::{Line, bindings::Place};
use crate::{
    diagnose::Lint,
    model::{ResourceId, TaskId},
};

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A page about one thing, in place of the screen's list.
    Page(Page),
    /// Every key.
    Help(Scroll),
    /// What a lint means.
    Explain(&'static Lint, Scroll),
    /// A filter is being typed; what was in force before stands beside it.
    Filter(Line),
    /// The columns to sort by, and which one is selected.
    Sort(usize),
    /// A question.
    Ask(Question),
}

/// A page about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The thing.
    pub subject: PageSubject,
    /// How far its text is scrolled.
    pub scroll: Scroll,
}

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageSubject {
    /// A task.
    Task(TaskId),
    /// A lock.
    Lock(ResourceId),
    /// A resource.
    Resource(ResourceId),
}

/// How far a text is scrolled, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll(pub usize);

impl Scroll {
    /// Moves, and stays within a text that can be scrolled this far.
    pub fn by(&mut self, lines: isize, most: usize) {
        self.0 = self.0.min(most).saturating_add_signed(lines).min(most);
    }
}

/// Something that is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether to pause the target for everyone who watches it.
    PauseTarget,
    /// Whether to let the target go on for everyone who watches it.
    ResumeTarget,
}

impl Question {
    /// What is asked.
    pub fn text(self) -> &'static str {
        match self {
            Self::PauseTarget => {
                "Pause the target? It stops sending updates to everyone who watches it, not only to you. \
                 Space lets your own display stand still instead."
            }
            Self::ResumeTarget => "Let the target go on? It sends updates again to everyone who watches it.",
        }
    }
}

impl Layer {
    /// Where the user is while this layer lies on top, the innermost place first. A page leaves the common keys in force.
    pub fn places(&self) -> &'static [Place] {
        match self {
            Self::Page(Page { subject: PageSubject::Task(_), .. }) => {
                &[Place::TaskPage, Place::Text, Place::Lost, Place::Anywhere, Place::Always]
            }
            Self::Page(_) => &[Place::ResourcePage, Place::List, Place::Lost, Place::Anywhere, Place::Always],
            Self::Help(_) | Self::Explain(..) => &[Place::Text, Place::Anywhere, Place::Always],
            Self::Filter(_) => &[Place::Input, Place::Always],
            Self::Sort(_) => &[Place::Menu, Place::Anywhere, Place::Always],
            Self::Ask(_) => &[Place::Question, Place::Always],
        }
    }
}
