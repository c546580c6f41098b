//! What lies on top of the screens: pages, texts, questions. The topmost layer gets the keys.

use crate::{
    app::{
        input::{bindings::Context, line::Line},
        page::Page,
        scroll::Scroll,
    },
    diagnose::Lint,
};

/// One layer.
#[derive(Debug)]
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
    /// Where the user is while this layer lies on top, the innermost context first. A page's own are its panel's to say.
    pub fn contexts(&self) -> &'static [Context] {
        match self {
            Self::Page(_) => &[],
            Self::Help(_) | Self::Explain(..) => &[Context::Text, Context::Anywhere, Context::Always],
            Self::Filter(_) => &[Context::Input, Context::Always],
            Self::Sort(_) => &[Context::Menu, Context::Anywhere, Context::Always],
            Self::Ask(_) => &[Context::Question, Context::Always],
        }
    }
}
