//! The tasks that one lint fires for, by what one finding stands for. Who is in a group stands in the column of flags; here is how
//! many they are, who speaks for them, and a few of the others by name.

use super::{
    FindingId, RELATED_MOST, Severity,
    lint::{Key, Verdict},
};
use crate::{model::Slot, update::TaskId};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// So many of a group are known by slot: the one who speaks, and those that its finding names.
const KNOWN_MOST: usize = RELATED_MOST + 1;

/// The task that speaks for a group, the worst of it.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Speaker {
    pub(super) slot: Slot,
    pub(super) task: TaskId,
    pub(super) verdict: Verdict,
}

impl Speaker {
    /// The worst speaks, and of equals the one for which it has lasted longest.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let Verdict { severity, weight, since } = self.verdict;
        (severity, weight, Reverse(since), Reverse(self.task))
    }
}

/// What was last said of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Said {
    pub(super) finding: FindingId,
    pub(super) severity: Severity,
}

/// Tasks that a lint fires for.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Group {
    pub(super) count: usize,
    pub(super) speaker: Option<Speaker>,
    /// Whether the one who spoke left, or is no longer as bad as it was: another one may be worse.
    pub(super) stale: bool,
    /// Whether its finding began, ended or got worse, so that all of its tasks stand differently.
    pub(super) turned: bool,
    pub(super) said: Option<Said>,
    /// Some of its tasks.
    pub(super) known: Vec<Slot>,
}

impl Group {
    /// Lets a task speak, if it is worse than the one who does.
    pub(super) fn hear(&mut self, speaker: Speaker) {
        match &mut self.speaker {
            Some(before) if before.slot == speaker.slot => {
                self.stale |= speaker.rank() < before.rank();
                *before = speaker;
            }
            Some(before) if before.rank() >= speaker.rank() => {}
            // As long as nobody knows who is the worst, this one need not be.
            None if self.stale => {}
            _ => self.speaker = Some(speaker),
        }
    }

    /// The same while the worst of all is being looked for.
    pub(super) fn compare(&mut self, speaker: Speaker) {
        if self.speaker.is_none_or(|before| before.rank() < speaker.rank()) {
            self.speaker = Some(speaker);
        }
    }

    /// This one does not speak, whatever it would say.
    pub(super) fn silence(&mut self, slot: Slot) {
        if self.speaker.take_if(|speaker| speaker.slot == slot).is_some() {
            self.stale = true;
        }
    }

    /// Whether fewer are known than could be.
    pub(super) fn is_thin(&self) -> bool {
        self.known.len() < self.count.min(KNOWN_MOST)
    }

    pub(super) fn know(&mut self, slot: Slot) {
        if self.known.len() < KNOWN_MOST && !self.known.contains(&slot) {
            self.known.push(slot);
        }
    }
}

/// A lint's groups.
pub(super) type Groups = FxHashMap<Key, Group>;

/// A task comes into a group.
pub(super) fn join(groups: &mut Groups, key: Key, slot: Slot) {
    let group = groups.entry(key).or_default();
    group.count += 1;
    group.know(slot);
}

/// A task leaves its group. One that nobody is in any more stays until its finding has ended.
pub(super) fn leave(groups: &mut Groups, key: Key, slot: Slot) {
    let Some(group) = groups.get_mut(&key) else { return };
    group.count = group.count.saturating_sub(1);
    group.known.retain(|&known| known != slot);
    group.silence(slot);
}
