//! Lints that are not asked, since the source does not know what they need: what they would find is not there to be seen, and
//! that nothing was found says nothing of it.

use super::Lint;

/// A lint that is switched on and not asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotLookedFor {
    /// Which.
    pub lint: &'static Lint,
    /// Why the source does not know what it needs.
    pub because: &'static str,
}

/// Names of lints, each with the reason why it is not asked, brought together by reason.
pub fn by_reason<'a>(listed: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (lint, because) in listed {
        match reasons.iter_mut().find(|(reason, _)| *reason == because) {
            Some((_, lints)) => lints.push(lint),
            None => reasons.push((because, vec![lint])),
        }
    }
    reasons
}
