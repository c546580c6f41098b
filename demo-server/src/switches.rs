//! Troubles that are switched on and off while the server runs, by lines on its stdin.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Weak},
};

use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::{Ctx, Scenario, instrument::Seen, scenario};

const ON: &str = "on ";
const OFF: &str = "off ";

/// One line of the server's stdin: a scenario that begins, or that ends.
///
/// `Display` writes the line without its end, `FromStr` reads it back; anything else on a line is an error of `()`.
#[derive(Debug, Clone, Copy)]
pub enum Switch {
    /// It begins.
    On(&'static Scenario),
    /// It ends: its tasks are aborted, and its own runtimes shut down.
    Off(&'static Scenario),
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(scenario) => write!(f, "{ON}{}", scenario.name),
            Self::Off(scenario) => write!(f, "{OFF}{}", scenario.name),
        }
    }
}

impl FromStr for Switch {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let line = line.trim_end();
        let on = line.strip_prefix(ON).and_then(scenario).map(Self::On);
        on.or_else(|| line.strip_prefix(OFF).and_then(scenario).map(Self::Off)).ok_or(())
    }
}

/// What was switched on since the server began. All of it ends with this.
pub(crate) struct Switches {
    service: Handle,
    /// Not kept: who waits for the next line must not keep the agent from its end.
    seen: Weak<Seen>,
    on: Vec<(&'static str, Ctx)>,
}

impl Switches {
    /// Nothing is on.
    pub(crate) fn new(service: Handle, seen: &Arc<Seen>) -> Self {
        Self { service, seen: Arc::downgrade(seen), on: Vec::new() }
    }

    /// Does what a line says. One that is on already goes on.
    pub(crate) fn obey(&mut self, switch: Switch) {
        match switch {
            Switch::On(scenario) => {
                let is_on = self.on.iter().any(|(name, _)| *name == scenario.name);
                let (false, Some(seen)) = (is_on, self.seen.upgrade()) else { return };
                let ctx = Ctx::until_it_is_dropped(self.service.clone(), seen);
                match (scenario.start)(&ctx) {
                    Ok(()) => info!(scenario.name, "switched on"),
                    Err(error) => warn!(scenario.name, %error, "cannot be switched on"),
                }
                self.on.push((scenario.name, ctx));
            }
            Switch::Off(scenario) => {
                self.on.retain(|(name, _)| *name != scenario.name);
                info!(scenario.name, "switched off");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_and_others_are_none() {
        let deadlock = scenario("deadlock").unwrap();
        for (switch, line) in [(Switch::On(deadlock), "on deadlock"), (Switch::Off(deadlock), "off deadlock")] {
            assert_eq!(switch.to_string(), line);
            assert_eq!(line.parse::<Switch>().unwrap().to_string(), line);
        }
        for line in ["", "deadlock", "on", "on nothing-like-that", "onto deadlock"] {
            assert!(line.parse::<Switch>().is_err(), "{line:?}");
        }
    }
}
