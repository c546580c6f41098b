//! Which lints run, and from where on they fire.

use super::{LINTS, Lint};
use crate::packed::known;
use rustc_hash::{FxHashMap, FxHashSet};
use std::time::Duration;

/// A threshold's value.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Threshold {
    /// A time span.
    Time(Duration),
    /// A number of things.
    Count(u64),
    /// A size in bytes.
    Bytes(u64),
    /// From 0 to 1.
    Share(f64),
}

/// A threshold that a lint has, with its default.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name, unique within its lint.
    pub name: &'static str,
    /// The value that holds when nobody sets another.
    pub default: Threshold,
    /// What it is, in a few words.
    pub help: &'static str,
}

/// Why a setting was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// There is no lint of that name.
    #[error("there is no lint `{name}`; the lints are: {}", names(LINTS.iter().map(|lint| lint.name)))]
    UnknownLint {
        /// What was asked for.
        name: String,
    },
    /// The lint has no threshold of that name.
    #[error("`{lint}` has no threshold `{name}`; {}", known_params(lint))]
    UnknownParam {
        /// The lint.
        lint: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The value is of another kind than the threshold.
    #[error("`{lint}.{name}` takes {wants}, not `{value}`")]
    BadValue {
        /// The lint.
        lint: &'static str,
        /// The threshold.
        name: &'static str,
        /// What it takes.
        wants: &'static str,
        /// What was given.
        value: String,
    },
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn known_params(lint: &str) -> String {
    match LINTS.iter().find(|known| known.name == lint) {
        Some(lint) if !lint.params.is_empty() => {
            format!("it has: {}", names(lint.params.iter().map(|param| param.name)))
        }
        _ => "it has none".into(),
    }
}

/// Which lints run, and from where on they fire. The default is every lint, with its own thresholds.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    off: FxHashSet<&'static str>,
    values: FxHashMap<(&'static str, &'static str), Threshold>,
}

impl Settings {
    /// Switches a lint on.
    pub fn enable(&mut self, lint: &str) -> Result<(), SettingError> {
        self.off.remove(find(lint)?.name);
        Ok(())
    }

    /// Switches a lint off.
    pub fn disable(&mut self, lint: &str) -> Result<(), SettingError> {
        self.off.insert(find(lint)?.name);
        Ok(())
    }

    /// Whether a lint runs.
    pub fn is_enabled(&self, lint: &Lint) -> bool {
        !self.off.contains(lint.name)
    }

    /// Sets a threshold from text: a duration such as `250ms`, a count, a size in bytes, or a share such as `10%` or `0.1`.
    pub fn set(&mut self, lint: &str, name: &str, value: &str) -> Result<(), SettingError> {
        let lint = find(lint)?;
        let param = lint
            .params
            .iter()
            .find(|param| param.name == name)
            .ok_or_else(|| SettingError::UnknownParam { lint: lint.name, name: name.into() })?;
        let bad = |wants| SettingError::BadValue { lint: lint.name, name: param.name, wants, value: value.into() };
        let parsed = match param.default {
            Threshold::Time(_) => {
                Threshold::Time(humantime::parse_duration(value).map_err(|_| bad("a duration such as 250ms or 1s"))?)
            }
            Threshold::Count(_) => Threshold::Count(value.parse().map_err(|_| bad("a whole number"))?),
            Threshold::Bytes(_) => Threshold::Bytes(value.parse().map_err(|_| bad("a number of bytes"))?),
            Threshold::Share(_) => {
                Threshold::Share(parse_share(value).ok_or_else(|| bad("a share such as 10% or 0.1"))?)
            }
        };
        self.values.insert((lint.name, param.name), parsed);
        Ok(())
    }

    /// A threshold as it stands.
    pub fn value(&self, lint: &Lint, param: &Param) -> Threshold {
        self.values.get(&(lint.name, param.name)).copied().unwrap_or(param.default)
    }

    /// The thresholds of one lint.
    pub(super) fn of(&self, lint: &Lint) -> Values {
        Values(lint.params.iter().map(|param| (param.name, self.value(lint, param))).collect())
    }
}

fn find(name: &str) -> Result<&'static Lint, SettingError> {
    LINTS.iter().find(|lint| lint.name == name).copied().ok_or_else(|| SettingError::UnknownLint { name: name.into() })
}

fn parse_share(value: &str) -> Option<f64> {
    let share = match value.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => value.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

/// The thresholds of one lint as they stand. One of another kind than asked for reads as nothing.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
#[serde(from = "Vec<(String, Threshold)>")]
pub(super) struct Values(Box<[(&'static str, Threshold)]>);

impl From<Vec<(String, Threshold)>> for Values {
    fn from(read: Vec<(String, Threshold)>) -> Self {
        Self(read.into_iter().map(|(name, value)| (known(&name), value)).collect())
    }
}

impl Values {
    fn value(&self, param: &Param) -> Threshold {
        let set = self.0.iter().find(|(name, _)| *name == param.name);
        set.map_or(param.default, |&(_, value)| value)
    }

    /// A time span.
    pub(super) fn time(&self, param: &Param) -> Duration {
        match self.value(param) {
            Threshold::Time(time) => time,
            _ => Duration::ZERO,
        }
    }

    /// A count or a size.
    pub(super) fn count(&self, param: &Param) -> u64 {
        match self.value(param) {
            Threshold::Count(count) | Threshold::Bytes(count) => count,
            _ => 0,
        }
    }

    /// A share.
    pub(super) fn share(&self, param: &Param) -> f64 {
        match self.value(param) {
            Threshold::Share(share) => share,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_set_by_name_and_refused_with_the_names_that_there_are() {
        let mut settings = Settings::default();
        settings.set("never-yields", "warning", "250ms").unwrap();
        let lint = find("never-yields").unwrap();
        assert_eq!(settings.value(lint, &lint.params[0]), Threshold::Time(Duration::from_millis(250)));
        let unknown = settings.set("never-yields", "nope", "1s").unwrap_err().to_string();
        assert!(unknown.contains("warning"), "{unknown}");
        let bad = settings.set("never-yields", "warning", "soon").unwrap_err().to_string();
        assert!(bad.contains("250ms"), "{bad}");
        assert!(settings.disable("nope").unwrap_err().to_string().contains("deadlock"));
        settings.disable("deadlock").unwrap();
        assert!(!settings.is_enabled(find("deadlock").unwrap()));
    }

    #[test]
    fn a_share_is_a_fraction_or_a_percentage() {
        assert_eq!(parse_share("10%"), Some(0.1));
        assert_eq!(parse_share("0.25"), Some(0.25));
        assert_eq!(parse_share("110%"), None);
    }
}
