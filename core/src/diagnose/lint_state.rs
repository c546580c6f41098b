//! A lint that is switched on, and what it fires for. The lint itself remembers nothing.

use super::{
    LINTS, Lint, Settings, flags,
    groups::Groups,
    lint::{Asked, Check},
    settings::Values,
};
use crate::update::{Knows, ResourceId};
use rustc_hash::FxHashSet;

/// A lint that is switched on, and what it fires for.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct LintState {
    #[serde(with = "super::lint::by_name")]
    pub(super) lint: &'static Lint,
    /// Its place among the lints.
    pub(super) at: usize,
    /// Its bit in the column of flags, if it is a lint on tasks.
    pub(super) bit: u32,
    /// The places of those that it speaks for.
    pub(super) subsumed: Vec<usize>,
    pub(super) groups: Groups,
    /// Locks to be asked about again, where the answer depends on the time.
    pub(super) locks: FxHashSet<ResourceId>,
    pub(super) values: Values,
}

impl LintState {
    pub(super) fn new(lint: &'static Lint, at: usize, settings: &Settings) -> Self {
        // The places of those that it speaks for among all of them.
        let place = |name: &&str| LINTS.iter().position(|other| other.name == *name);
        Self {
            lint,
            at,
            bit: flags::column_bit(lint),
            subsumed: lint.subsumes.iter().filter_map(place).collect(),
            groups: Groups::default(),
            locks: FxHashSet::default(),
            values: settings.of(lint),
        }
    }

    /// The same, firing for nothing.
    pub(super) fn outline(&self) -> Self {
        Self {
            lint: self.lint,
            at: self.at,
            bit: self.bit,
            subsumed: self.subsumed.clone(),
            groups: Groups::default(),
            locks: FxHashSet::default(),
            values: self.values.clone(),
        }
    }

    /// Whether the source knows what it needs.
    pub(super) fn can_judge(&self, knows: &Knows) -> bool {
        knows.facts().has_all(self.lint.needs)
    }

    pub(super) fn asked_as_time_passes(&self) -> bool {
        matches!(self.lint.check, Check::Task { asked: Asked::AsTimePasses, .. })
    }
}
