//! What is drawn before the lines of a tree.

use crate::{
    diagnose::{More, drawn},
    view::style::theme::Theme,
};

/// Deeper lines are drawn no further in: what they say needs the room.
const LEVELS_MOST: usize = 12;

/// What stands before a line, and before what continues it.
pub(crate) fn prefix(levels: &[More], theme: &Theme) -> (String, String) {
    let symbols = theme.symbols();
    let [branch, last, trunk] = [symbols.branch, symbols.last_branch, symbols.trunk].map(|symbol| format!("{symbol} "));
    let kept = levels.len().saturating_sub(LEVELS_MOST);
    drawn(&levels[kept..], [&branch, &last, &trunk, "   "])
}
