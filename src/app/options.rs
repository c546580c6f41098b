//! What the user can choose about the interactive client.

use crate::{app::screens::Screen, diagnose::Settings, model::Retention};
use jiff::tz::TimeZone;

/// How many colours there are to draw with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// None: bold, dim and reversed text say what colour would.
    Off,
    /// The first eight of the terminal's own.
    Eight,
    /// The terminal's own, bright ones included.
    #[default]
    Sixteen,
    /// The 256 indexed ones.
    Indexed,
    /// Every colour that there is.
    All,
}

/// Which characters there are to draw with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Charset {
    /// Lines, blocks and arrows.
    #[default]
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// How stacks are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StackForm {
    /// Frames of the standard library, tokio and tracing in one line for each run of them.
    #[default]
    Folded,
    /// Every frame.
    Whole,
}

impl StackForm {
    /// The other one.
    pub fn toggled(self) -> Self {
        match self {
            Self::Folded => Self::Whole,
            Self::Whole => Self::Folded,
        }
    }
}

/// Whether what frames hold is read of the task whose page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValuesForm {
    /// It is not: memory holds secrets.
    #[default]
    Left,
    /// It is.
    Read,
}

impl ValuesForm {
    /// The other one.
    pub fn toggled(self) -> Self {
        match self {
            Self::Left => Self::Read,
            Self::Read => Self::Left,
        }
    }
}

/// What the user can choose about the interactive client.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which lints run, and from where on they fire.
    pub settings: Settings,
    /// What is kept of tasks and resources that are over.
    pub retention: Retention,
    /// Colours.
    pub palette: Palette,
    /// Characters.
    pub charset: Charset,
    /// The screen to begin with.
    pub start: Screen,
    /// Whether what frames hold is read.
    pub values: ValuesForm,
    /// Where the user's clock is.
    pub time_zone: TimeZone,
}

impl Default for Options {
    /// Every lint, the terminal's own colours, and the time zone of this machine.
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            retention: Retention::default(),
            palette: Palette::default(),
            charset: Charset::default(),
            start: Screen::default(),
            values: ValuesForm::default(),
            time_zone: TimeZone::system(),
        }
    }
}
