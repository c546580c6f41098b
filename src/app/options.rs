//! What the user can choose about the interactive client.

use super::Screen;
use crate::{diagnose::Settings, model::Retention};

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

/// What the user can choose about the interactive client.
#[derive(Debug, Clone, Default)]
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
}
