//! Who waits for the end of somebody, and for nothing else. They keep nobody, so that the graph leaves them out; where somebody is stuck, so
//! are they.

use super::{Actor, Graphs, Knot};
use crate::{
    model::Model,
    update::{
        TaskId,
        look::{Certainty, Wait, WaitOn},
    },
};
use rustc_hash::{FxHashMap, FxHashSet};

impl Graphs {
    /// Those who wait for the end of one of a set, and for theirs in turn.
    pub(in crate::diagnose) fn joiners(&self, model: &Model, knot: &Knot) -> Vec<TaskId> {
        let joiners = self.joiners.get_or_init(|| joiners(model));
        let task = |actor: Actor| if let Actor::Task(task) = actor { Some(task) } else { None };
        let mut todo: Vec<TaskId> = knot.members().chain(knot.behind.iter().copied()).filter_map(task).collect();
        let mut seen: FxHashSet<TaskId> = todo.iter().copied().collect();
        let mut found = Vec::new();
        while let Some(ends) = todo.pop() {
            let new = joiners.get(&ends).into_iter().flatten().copied().filter(|&joins| seen.insert(joins));
            let new: Vec<TaskId> = new.collect();
            found.extend(&new);
            todo.extend(new);
        }
        found.sort_unstable();
        found
    }
}

/// Who waits for the end of whom.
fn joiners(model: &Model) -> FxHashMap<TaskId, Vec<TaskId>> {
    let mut joiners: FxHashMap<TaskId, Vec<TaskId>> = FxHashMap::default();
    for task in model.tasks().iter().filter(|task| !task.has_ended()) {
        let Some([Wait { on: WaitOn::Join(Some(ends)), certainty: Certainty::Proven, .. }]) =
            task.look().map(|look| &*look.waits)
        else {
            continue;
        };
        joiners.entry(model.task_of_number(*ends)).or_default().push(task.id());
    }
    joiners
}
