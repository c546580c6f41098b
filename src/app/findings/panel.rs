//! The findings, the worst first. Those of one lint that are many are one row, which opens into them: a note of each of a thousand
//! spawn locations must not hide what is worse, nor what is rarer.

use crate::{
    app::{
        frame::RowId,
        input::bindings::Context,
        list::cursor::Cursor,
        panel::{List, Opening, PageSubject, Panel, Plain, Upkeep},
    },
    diagnose::{Finding, FindingId, Severity, Status},
    model::Model,
    session::{Scope, Session},
};
use rustc_hash::{FxHashMap, FxHashSet};

/// What findings have in common that are one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kin {
    lint: &'static str,
    severity: Severity,
    status: Status,
}

impl Kin {
    fn of(finding: &Finding) -> Self {
        Self { lint: finding.lint.name, severity: finding.severity, status: finding.status }
    }

    /// So many of them are one row.
    fn many(self) -> usize {
        match (self.severity, self.status) {
            (Severity::Note, _) => 2,
            (Severity::Warning, _) | (_, Status::Past) => 5,
            // What is stuck is named, each by itself.
            (Severity::Critical, _) => usize::MAX,
        }
    }
}

/// The findings, and where the user is among them.
#[derive(Debug, Default)]
pub struct FindingList {
    /// The rows, the worst first: a finding each, or the first of several that are one row.
    pub ids: Vec<FindingId>,
    /// Where the user is.
    pub cursor: Cursor<FindingId>,
    /// How often the engine's order had changed when they were listed.
    reordered: u64,
    /// Every finding in that order.
    all: Vec<(FindingId, Kin)>,
    /// How many findings a row stands for, where it stands for several.
    folded: FxHashMap<FindingId, usize>,
    /// Those that are listed one by one although they are many.
    unfolded: FxHashSet<Kin>,
}

impl FindingList {
    /// The selected finding.
    pub fn selected<'a>(&self, session: &'a Session) -> Option<&'a Finding> {
        session.engine().finding(self.cursor.selected(&self.ids[..])?)
    }

    /// Those around the window.
    pub fn visible(&self) -> impl Iterator<Item = FindingId> {
        self.ids.get(self.cursor.around(0, self.ids.len())).unwrap_or_default().iter().copied()
    }

    /// How many findings there are that hold, and how many that are over, whether they have a row each or not.
    pub fn counts(&self) -> (usize, usize) {
        let past = self.all.iter().filter(|(_, kin)| kin.status == Status::Past).count();
        (self.all.len() - past, past)
    }

    /// How many findings a row stands for, where it stands for several.
    pub fn folded(&self, row: FindingId) -> Option<usize> {
        self.folded.get(&row).copied()
    }

    /// Lists those one by one that the selected row stands for.
    pub(crate) fn unfold(&mut self) {
        let selected = self.cursor.selected(&self.ids[..]);
        let kin = self.all.iter().find(|(id, _)| Some(*id) == selected).map(|&(_, kin)| kin);
        self.unfolded.extend(kin);
        self.make_rows();
    }

    fn make_rows(&mut self) {
        let mut counts: FxHashMap<Kin, usize> = FxHashMap::default();
        for &(_, kin) in &self.all {
            *counts.entry(kin).or_default() += 1;
        }
        counts.retain(|kin, count| *count >= kin.many() && !self.unfolded.contains(kin));
        self.ids.clear();
        self.folded.clear();
        let mut told = FxHashSet::default();
        for &(id, kin) in &self.all {
            match counts.get(&kin) {
                None => self.ids.push(id),
                Some(&count) if told.insert(kin) => {
                    self.ids.push(id);
                    self.folded.insert(id, count);
                }
                Some(_) => {}
            }
        }
        self.cursor.follow(&self.ids[..]);
    }
}

impl Panel for FindingList {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Findings, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    fn changed(&mut self, session: &Session, scope: Scope) {
        if matches!(scope, Scope::Rows | Scope::Everything) {
            // As long as nothing moved, the list stands as it is.
            if scope == Scope::Everything || self.reordered != session.engine().reordered() {
                self.reordered = session.engine().reordered();
                self.all.clear();
                self.all.extend(session.engine().findings().map(|finding| (finding.id, Kin::of(finding))));
                self.make_rows();
            }
        }
    }
    fn refresh(&mut self, _: Upkeep) {}
    fn list<'a>(&'a mut self, _: &'a Model) -> Option<Box<dyn List + 'a>> {
        let id = |row| if let RowId::Finding(id) = row { Some(id) } else { None };
        Some(Box::new(Plain { cursor: &mut self.cursor, rows: &self.ids[..], id }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        self.cursor.selected(&self.ids[..]).map(RowId::Finding)
    }
    fn widen(&mut self) -> bool {
        let widens = !self.unfolded.is_empty();
        self.unfolded.clear();
        self.make_rows();
        widens
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        if self.cursor.selected(&self.ids[..]).is_some_and(|row| self.folded.contains_key(&row)) {
            return Some(Opening::Unfold);
        }
        Some(Opening::Page(PageSubject::Finding(self.selected(session)?.id)))
    }
}
