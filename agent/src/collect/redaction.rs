//! What of the service's own words is kept at all: the values of its spans' fields, and the messages of its panics. What is left out is never
//! formatted, so that it is in no memory of the agent's, and stands as left out wherever it would have been told.

use std::sync::OnceLock;

/// Stands in the place of what is left out.
pub(crate) const LEFT_OUT: &str = "(left out)";

/// The name by which the messages of panics are allowed.
const PANIC_MESSAGE: &str = "panic.message";

/// What is kept where nothing is allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Values,
    /// The names of fields.
    Names,
    /// How many fields there are.
    Nothing,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redaction {
    pub(crate) shown: Shown,
    /// Fields whose values are kept all the same.
    pub(crate) allowed: Vec<String>,
}

static REDACTION: OnceLock<Redaction> = OnceLock::new();
static ALL: Redaction = Redaction { shown: Shown::Values, allowed: Vec::new() };

impl Redaction {
    /// What holds in this process.
    pub(crate) fn get() -> &'static Self {
        REDACTION.get().unwrap_or(&ALL)
    }

    /// Sets it for the process, once: before there is a subscriber that collects.
    pub(crate) fn set(self) {
        // Set before: the process has a subscriber, which is either this agent's, or keeps every agent from being installed.
        let _ = REDACTION.set(self);
    }

    /// What is kept of the field of this name.
    pub(crate) fn of_field(&self, name: &str) -> Shown {
        match self.shown {
            Shown::Values => Shown::Values,
            _ if self.allowed.iter().any(|allowed| allowed == name) => Shown::Values,
            shown => shown,
        }
    }

    /// The message of a panic, as far as it is kept.
    pub(crate) fn panic_message<'a>(&self, message: &'a str) -> &'a str {
        if self.of_field(PANIC_MESSAGE) == Shown::Values { message } else { LEFT_OUT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_by_name_is_kept_whatever_else_is_not() {
        let allowed = vec!["peer".to_owned()];
        for shown in [Shown::Names, Shown::Nothing] {
            let redaction = Redaction { shown, allowed: allowed.clone() };
            assert_eq!((redaction.of_field("peer"), redaction.of_field("user")), (Shown::Values, shown));
            assert_eq!(redaction.panic_message("of alice"), LEFT_OUT);
            let messages = Redaction { allowed: vec![PANIC_MESSAGE.to_owned()], ..redaction };
            assert_eq!(messages.panic_message("of alice"), "of alice");
        }
        let all = Redaction { shown: Shown::Values, allowed: Vec::new() };
        assert_eq!((all.of_field("user"), all.panic_message("of alice")), (Shown::Values, "of alice"));
    }
}
