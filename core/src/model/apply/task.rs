//! Tasks: what is announced of one, and what is reported.

use crate::{
    model::{
        Model, Origin, Slot, Task, TaskState, budget,
        tasks::{Announced, Delays},
    },
    update::{NewTask, Stamp, TaskId, TaskKind, TaskStats},
};

/// At most so many jobs are known to be tokio's workers.
const WORKER_JOBS_MOST: usize = 4_096;

impl Model {
    pub(in crate::model) fn announce_task(&mut self, new: NewTask, now: Stamp) {
        if self.tasks.get(new.id).is_some_and(Task::has_ended) {
            self.returned.tasks.insert(new.id, new);
            return;
        }
        if self.tasks.slot(new.id).is_none() && !self.takes_task(now) {
            self.health.event();
            return;
        }
        self.note_early_task(&new);
        self.announce_row(new, now);
    }

    /// Writes what is announced of a task to its row.
    pub(super) fn announce_row(&mut self, mut new: NewTask, now: Stamp) {
        let is_new = self.tasks.slot(new.id).is_none();
        self.descriptions.resolve(&mut new);
        let kind = new.kind.or_else(|| self.descriptions.task_kind(new.metadata?));
        let name = self.names.intern(&new.name);
        let place = new.place.map(|place| self.places.intern(place)).unwrap_or_default();
        let mut kind = kind.unwrap_or_default();
        // So many workers nobody has: what claims to be another is not taken for one.
        if self.worker_jobs.len() < WORKER_JOBS_MOST || self.worker_jobs.contains(&new.id) {
            kind = kind.spawned_in(&self.place(place).file);
        }
        if kind == TaskKind::Worker {
            self.worker_jobs.insert(new.id);
        } else {
            self.worker_jobs.remove(&new.id);
        }
        let slot = self.tasks.slot_or_begin(new.id, now);
        let Some(task) = self.tasks.at(slot) else { return };
        let (before, announced) = (task.place(), task.origin() == Origin::Announced);
        let counted_at = announced.then_some(before);
        let (number, size, original_size) = (new.number, new.size, new.original_size);
        self.tasks.announce(slot, &Announced { name, place, kind, number, size, original_size });
        self.memory.learn_number(number, new.id);
        if counted_at.is_none() {
            self.health.event();
        }
        if counted_at != Some(place) {
            self.spawns.born(place, now);
            if let Some(before) = counted_at {
                self.spawns.died(before, now);
            }
        }
        if before != place && !is_new {
            self.changes.left.push((slot, new.id, before));
        }
        if !new.fields.is_empty() || self.tasks.at(slot).is_some_and(|task| !task.fields().is_empty()) {
            self.loose_bytes += budget::fields(&new.fields);
            self.loose_bytes -= self.tasks.at(slot).map_or(0, |task| budget::fields(task.fields()));
            self.tasks.set_fields(slot, new.fields);
            self.note_more(slot);
        }
        self.changes.tasks.push(slot);
    }

    pub(in crate::model) fn report_task(&mut self, id: TaskId, stats: TaskStats, now: Stamp) {
        // The end of a task that we never knew, or have let go of.
        if stats.dropped.is_some() && self.tasks.slot(id).is_none() {
            return;
        }
        if let Some(over) = self.tasks.get(id).filter(|task| task.has_ended()) {
            let created = over.created();
            let again = self.returned.tasks.remove(&id);
            if created == stats.created {
                return;
            }
            self.remove_task(id);
            if let Some(new) = again {
                self.announce_task(new, now);
            }
        }
        // Of a task that there was no room for the target goes on to speak.
        if self.tasks.slot(id).is_none() && (self.evicted.new_tasks > 0 || !self.takes_task(now)) {
            return;
        }
        let slot = self.tasks.slot_or_begin(id, now);
        let Some(task) = self.tasks.at(slot) else { return };
        let (is_first, ended_before) = (task.created().is_none(), task.has_ended());
        let polls = stats.polls.count.saturating_sub(task.polls());
        let (had_recent, origin, place) = (task.has_recent(), task.origin(), task.place());
        if is_first {
            self.health.announced(stats.created);
            self.health.unannounced_tasks += u64::from(origin == Origin::StatisticsOnly);
        } else {
            self.standstills.polled(polls);
            if !task.kind().may_block() {
                self.activity.spent(stats.polls.busy.saturating_sub(task.stats().polls.busy));
            }
        }
        let waited = self.off_processor(id);
        self.tasks.report(slot, &stats, now, &Delays { stood: &self.standstills, waited });
        let Some(task) = self.tasks.at(slot) else { return };
        if !had_recent && task.has_recent() {
            self.recents.push_back((now, id));
        }
        match task.state() {
            TaskState::Running | TaskState::Scheduled => self.hot.insert(slot),
            TaskState::Idle | TaskState::Ended => self.hot.remove(&slot),
        };
        match task.state() {
            TaskState::Running => self.running.insert(slot),
            _ => self.running.remove(&slot),
        };
        if let (Some(dropped), false) = (stats.dropped, ended_before) {
            if origin == Origin::Announced {
                self.spawns.died(place, now);
            }
            self.ended.push_back((dropped, id));
            self.ended_rows += 1;
            if task.kind() == TaskKind::Blocking {
                let began = stats.polls.last_started.map_or(stats.polls.busy, |started| dropped.since(started));
                self.ended_job(slot, began.max(stats.polls.busy));
            }
        }
        self.changes.tasks.push(slot);
    }

    /// Notes whether a task has fields or spans.
    pub(in crate::model) fn note_more(&mut self, slot: Slot) {
        let Some(task) = self.tasks.at(slot) else { return };
        let more = !task.fields().is_empty() || self.agent.has_spans(task.id());
        if more != task.has_more()
            && let Some(noted) = self.tasks.more_mut(slot)
        {
            *noted = more;
        }
    }

    /// A task has ended, and how it was then is not known any more: it is shown as it last was.
    pub(in crate::model) fn end_task(&mut self, id: TaskId, now: Stamp) {
        let alive = self.tasks.get(id).filter(|task| !task.has_ended()).map(Task::stats);
        if let Some(stats) = alive {
            self.report_task(id, TaskStats { dropped: Some(now), ..stats }, now);
        }
    }
}
