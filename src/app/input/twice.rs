//! What means something else when it is done twice: a click on a row, and the press of a key.

use super::{
    bindings::{self, Action, Context},
    key::Key,
};
use crate::app::frame::RowId;
use std::time::{Duration, Instant};

/// Two clicks on one row within this time open it.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// The latest click on a row.
#[derive(Debug, Default)]
pub(crate) struct Clicks(Option<(RowId, Instant)>);

impl Clicks {
    /// Takes note of a click, and tells whether it is the second of two.
    pub(crate) fn is_second(&mut self, row: RowId, at: Instant) -> bool {
        let is_second = self.0.is_some_and(|(before, when)| before == row && at - when <= DOUBLE_CLICK);
        self.0 = if is_second { None } else { Some((row, at)) };
        is_second
    }
}

/// A character that may be the first of two.
#[derive(Debug, Default)]
pub(crate) struct Prefix(Option<char>);

impl Prefix {
    /// What a key does, with the one before it.
    pub(crate) fn action(&mut self, contexts: &[Context], key: Key) -> Option<Action> {
        let before = self.0.take();
        let Key::Char(char) = key else { return bindings::action(contexts, key) };
        let twice = bindings::action(contexts, Key::Twice(char));
        if before == Some(char) {
            return twice;
        }
        let once = bindings::action(contexts, key);
        if once.is_none() && twice.is_some() {
            self.0 = Some(char);
        }
        once
    }

    /// What was pressed before is over.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}
