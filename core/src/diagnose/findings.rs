//! The findings, those that are over included: by id, by what they are about, and in the order in which they are shown.

use super::{
    Confidence, Finding, FindingId, LINTS, Lint, Severity, Status, Tally,
    lint::{Key, Report},
};
use crate::update::{Stamp, TaskId};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{cmp::Reverse, collections::BTreeSet, sync::Arc, time::Duration};

/// Findings that are over are let go of beyond this many, the oldest first.
const PAST_MOST: usize = 1_000;

/// Up to so many active findings are all described at each update, and of more the worst.
const DESCRIBED: usize = 256;

/// So many of the others are described as well, in turn.
const IN_TURN: usize = 64;

/// How often that is done where there are more: updates may come much faster than anyone reads, as the first ones do.
const DESCRIBED_EVERY: Duration = Duration::from_millis(250);

/// Active ones first, then the worst, then the latest; of those that came at once, the worst lint's first.
type Rank = (Reverse<(bool, Severity, Stamp)>, FindingId);

/// A finding, and what the engine must know of it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Kept {
    finding: Finding,
    lint: usize,
    key: Key,
    /// How sure, before the target's losses are taken into account.
    confidence: Confidence,
    /// How bad it was when it was described, and by which task.
    described: (Severity, Option<TaskId>),
}

impl Kept {
    fn rank(&self) -> Rank {
        let Finding { status, severity, first_seen, id, .. } = &self.finding;
        (Reverse((*status == Status::Active, *severity, *first_seen)), *id)
    }
}

/// What holds for all that an update finds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The target's clock.
    pub(super) now: Stamp,
    /// Whether the target's account is whole.
    pub(super) trusted: bool,
}

impl Moment {
    fn trust(self, key: Key, confidence: Confidence) -> Confidence {
        if self.trusted || key == Key::Target { confidence } else { Confidence::Incomplete }
    }
}

/// Which findings are described although nothing about them has changed.
#[derive(Debug)]
pub(super) enum Due {
    All,
    These(FxHashSet<FindingId>),
}

/// The findings.
#[derive(Debug, Clone)]
pub(super) struct Findings {
    all: FxHashMap<FindingId, Arc<Kept>>,
    /// Those that are active, by the place of their lint among the lints.
    open: Vec<FxHashMap<Key, FindingId>>,
    active: BTreeSet<FindingId>,
    /// Those of this session that are over, and may begin again.
    over: FxHashMap<(usize, Key), FindingId>,
    past: BTreeSet<FindingId>,
    ranked: BTreeSet<Rank>,
    tally: Tally,
    next_id: u64,
    /// The last one that had its turn, and when that was.
    turn: (FindingId, Option<Stamp>),
    /// How often their order changed.
    pub(super) reordered: u64,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            all: FxHashMap::default(),
            open: vec![FxHashMap::default(); LINTS.len()],
            active: BTreeSet::new(),
            over: FxHashMap::default(),
            past: BTreeSet::new(),
            ranked: BTreeSet::new(),
            tally: Tally::default(),
            next_id: 0,
            turn: (FindingId(0), None),
            reordered: 0,
        }
    }
}

impl Findings {
    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.ranked.iter().filter_map(|(_, id)| self.get(*id))
    }

    pub(super) fn get(&self, id: FindingId) -> Option<&Finding> {
        self.all.get(&id).map(|kept| &kept.finding)
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// The active finding of a lint about something.
    pub(super) fn open(&self, lint: usize, key: Key) -> Option<FindingId> {
        self.open.get(lint)?.get(&key).copied()
    }

    /// All that are active of a lint.
    pub(super) fn all_open(&self, lint: usize) -> impl Iterator<Item = (Key, FindingId)> {
        self.open.get(lint).into_iter().flatten().map(|(&key, &id)| (key, id))
    }

    /// Which are described at this update although nothing about them has changed: the worst, those that are `wanted`, and some
    /// of the others in turn.
    pub(super) fn due(&mut self, wanted: &FxHashSet<FindingId>, now: Stamp) -> Due {
        if self.active.len() <= DESCRIBED {
            return Due::All;
        }
        let (turn, at) = self.turn;
        if at.is_some_and(|at| now.since(at) < DESCRIBED_EVERY) {
            return Due::These(FxHashSet::default());
        }
        let mut due = wanted.clone();
        due.extend(self.ranked.iter().take(DESCRIBED).map(|(_, id)| *id));
        let rest = self.active.range(FindingId(turn.0.saturating_add(1))..).chain(&self.active);
        let others: Vec<FindingId> = rest.filter(|id| !due.contains(id)).take(IN_TURN).copied().collect();
        self.turn = (others.last().copied().unwrap_or(turn), Some(now));
        due.extend(others);
        Due::These(due)
    }

    /// Whether something must be described anew: it is not known yet, another task speaks for it, it got better or worse, or it
    /// is due.
    pub(super) fn must_describe(
        &self,
        due: &Due,
        id: Option<FindingId>,
        severity: Severity,
        speaker: Option<TaskId>,
    ) -> bool {
        let Some(kept) = id.and_then(|id| self.all.get(&id)) else { return true };
        kept.described != (severity, speaker)
            || match due {
                Due::All => true,
                Due::These(due) => due.contains(&kept.finding.id),
            }
    }

    /// Takes in what a lint reports.
    pub(super) fn raise(
        &mut self,
        lint: usize,
        report: Report,
        speaker: Option<TaskId>,
        moment: Moment,
    ) -> Option<FindingId> {
        let &named = LINTS.get(lint)?;
        let described = (report.severity, speaker);
        let key = report.key;
        if let Some(id) = self.open(lint, key) {
            self.renew(id, report.severity, report.since, moment);
            let kept = Arc::make_mut(self.all.get_mut(&id)?);
            kept.confidence = report.confidence;
            kept.described = described;
            let finding = &mut kept.finding;
            finding.confidence = moment.trust(key, report.confidence);
            finding.subject = report.subject;
            finding.message = report.message;
            finding.evidence = report.evidence;
            finding.related = report.related;
            return Some(id);
        }
        let before = self.over.remove(&(lint, key)).and_then(|id| self.remove(id));
        let confidence = report.confidence;
        let finding = self.begin(named, report, before.as_deref(), moment);
        let id = finding.id;
        self.insert(Arc::new(Kept { finding, lint, key, confidence, described }));
        Some(id)
    }

    fn begin(&mut self, lint: &'static Lint, report: Report, before: Option<&Kept>, moment: Moment) -> Finding {
        let before = before.map(|kept| &kept.finding);
        let id = before.map_or_else(
            || {
                self.next_id += 1;
                FindingId(self.next_id)
            },
            |before| before.id,
        );
        Finding {
            id,
            lint,
            severity: before.map_or(report.severity, |before| before.severity.max(report.severity)),
            confidence: moment.trust(report.key, report.confidence),
            status: Status::Active,
            subject: report.subject,
            since: report.since,
            first_seen: before.map_or(moment.now, |before| before.first_seen),
            last_seen: moment.now,
            episodes: before.map_or(1, |before| before.episodes + 1),
            message: report.message,
            evidence: report.evidence,
            related: report.related,
        }
    }

    /// It goes on, and its words stand.
    pub(super) fn renew(&mut self, id: FindingId, severity: Severity, since: Stamp, moment: Moment) {
        let Some(kept) = self.all.get(&id) else { return };
        let worse = severity > kept.finding.severity;
        let taken = if worse { self.remove(id) } else { None };
        if let Some(mut taken) = taken {
            Arc::make_mut(&mut taken).finding.severity = severity;
            self.insert(taken);
        }
        let Some(kept) = self.all.get_mut(&id) else { return };
        let kept = Arc::make_mut(kept);
        kept.finding.since = since;
        kept.finding.last_seen = moment.now;
        kept.finding.confidence = moment.trust(kept.key, kept.confidence);
    }

    /// How many tasks a finding stands for, which may change while its words stand.
    pub(super) fn count(&mut self, id: FindingId, tasks: usize) {
        if let Some(kept) = self.all.get_mut(&id)
            && kept.finding.related.tasks_total != tasks
        {
            Arc::make_mut(kept).finding.related.tasks_total = tasks;
        }
    }

    /// It is over, and stays to be read.
    pub(super) fn end(&mut self, id: FindingId) {
        let Some(mut kept) = self.remove(id) else { return };
        Arc::make_mut(&mut kept).finding.status = Status::Past;
        self.over.insert((kept.lint, kept.key), id);
        self.insert(kept);
    }

    /// Another finding says it better: it goes out of the list.
    pub(super) fn withdraw(&mut self, id: FindingId) {
        self.remove(id);
    }

    /// Another session begins: all of them are over, and none of them will begin again.
    pub(super) fn end_all(&mut self) {
        let active: Vec<FindingId> = self.active.iter().copied().collect();
        for id in active {
            self.end(id);
        }
        self.over.clear();
    }

    /// Lets go of what was over first.
    pub(super) fn forget(&mut self) {
        while self.past.len() > PAST_MOST {
            let Some(kept) = self.past.first().copied().and_then(|id| self.remove(id)) else { return };
            if self.over.get(&(kept.lint, kept.key)) == Some(&kept.finding.id) {
                self.over.remove(&(kept.lint, kept.key));
            }
        }
    }

    /// The first so many of them, in their order.
    pub(super) fn first(&self, most: usize) -> Self {
        let mut first = Self { next_id: self.next_id, turn: self.turn, ..Self::default() };
        for kept in self.ranked.iter().filter_map(|(_, id)| self.all.get(id)).take(most) {
            first.insert(Arc::clone(kept));
        }
        first.over = self.over.iter().filter(|(_, id)| first.past.contains(id)).map(|(key, id)| (*key, *id)).collect();
        first.reordered = self.reordered;
        first
    }

    fn insert(&mut self, kept: Arc<Kept>) {
        let id = kept.finding.id;
        self.ranked.insert(kept.rank());
        self.reordered += 1;
        match kept.finding.status {
            Status::Active => {
                *self.tally.of(kept.finding.severity) += 1;
                self.active.insert(id);
                if let Some(open) = self.open.get_mut(kept.lint) {
                    open.insert(kept.key, id);
                }
            }
            Status::Past => drop(self.past.insert(id)),
        }
        self.all.insert(id, kept);
    }

    fn remove(&mut self, id: FindingId) -> Option<Arc<Kept>> {
        let kept = self.all.remove(&id)?;
        self.ranked.remove(&kept.rank());
        self.reordered += 1;
        match kept.finding.status {
            Status::Active => {
                *self.tally.of(kept.finding.severity) -= 1;
                self.active.remove(&id);
                if let Some(open) = self.open.get_mut(kept.lint) {
                    open.remove(&kept.key);
                }
            }
            Status::Past => drop(self.past.remove(&id)),
        }
        Some(kept)
    }
}

/// As they are written down: each finding, those that may begin again, the number given last, whose turn it was, and how often their order
/// changed. The rest follows from them.
#[derive(Serialize)]
struct Written<'a>(Vec<&'a Kept>, &'a FxHashMap<(usize, Key), FindingId>, u64, (FindingId, Option<Stamp>), u64);

type Read = (Vec<Kept>, FxHashMap<(usize, Key), FindingId>, u64, (FindingId, Option<Stamp>), u64);

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<&Kept> = self.all.values().map(|kept| &**kept).collect();
        all.sort_unstable_by_key(|kept| kept.finding.id);
        Written(all, &self.over, self.next_id, self.turn, self.reordered).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Findings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (all, over, next_id, turn, reordered) = Read::deserialize(from)?;
        let mut findings = Self { next_id, turn, ..Self::default() };
        for kept in all {
            let id = kept.finding.id;
            let is_active = kept.finding.status == Status::Active;
            let is_twice = findings.all.contains_key(&id) || is_active && findings.open(kept.lint, kept.key).is_some();
            if is_twice || kept.lint >= LINTS.len() || id.0 > next_id || next_id == u64::MAX {
                return Err(D::Error::custom("findings that do not hold together"));
            }
            findings.insert(Arc::new(kept));
        }
        let is_past = |id: &FindingId| findings.past.contains(id);
        findings.over = over.into_iter().filter(|(_, id)| is_past(id)).collect();
        findings.reordered = reordered;
        Ok(findings)
    }
}

impl Tally {
    fn of(&mut self, severity: Severity) -> &mut usize {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::Warning => &mut self.warning,
            Severity::Note => &mut self.note,
        }
    }
}
