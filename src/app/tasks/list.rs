//! The task list: what it shows, in which order, and where the user is in it.

use super::{
    changed::Changed,
    columns::{TASK_COLUMNS, TaskColumn},
    groups::{GROUP_COLUMNS, GroupBy, GroupColumn, GroupKey, Groups},
    order::Order,
    scan::Source,
};
use crate::{
    app::{
        filter::Filter,
        list::{
            column::Direction,
            cursor::{Cursor, Rows},
        },
    },
    model::Model,
    session::Session,
    update::{Knows, TaskId},
};

/// What a row of the list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// A task.
    #[default]
    Tasks,
    /// What several tasks have in common: where they were spawned, or what they await.
    Groups,
}

/// The task list.
#[derive(Debug, Default)]
pub struct TaskList {
    /// What a row stands for.
    pub listing: Listing,
    /// The tasks, in order.
    pub order: Order,
    /// The spawn locations, in order.
    pub groups: Groups,
    /// Where the user is among the tasks.
    pub cursor: Cursor<TaskId>,
    /// Where the user is among the groups.
    pub group_cursor: Cursor<GroupKey>,
    /// What the rows that are shown are still to be looked at again for.
    pub changed: Changed,
    filter: Filter,
    filter_text: String,
    filter_error: Option<String>,
}

/// The tasks of an order, as a cursor sees them.
pub struct TaskRows<'a> {
    order: &'a Order,
    model: &'a Model,
}

impl<'a> TaskRows<'a> {
    /// The tasks of this order, which was made from this model.
    pub fn new(order: &'a Order, model: &'a Model) -> Self {
        Self { order, model }
    }
}

impl Rows<TaskId> for TaskRows<'_> {
    fn len(&self) -> usize {
        self.order.len()
    }
    fn at(&self, index: usize) -> Option<TaskId> {
        Some(self.model.tasks().at(self.order.at(index)?)?.id())
    }
    fn position(&self, id: TaskId) -> Option<usize> {
        self.order.position(self.model, id)
    }
}

impl TaskList {
    /// What it keeps of each task, about.
    pub(crate) const BYTES_A_TASK: usize = Order::BYTES_A_TASK;

    /// The filter in force.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The filter as typed.
    pub fn filter_text(&self) -> &str {
        &self.filter_text
    }

    /// What is wrong with the filter as typed.
    pub fn filter_error(&self) -> Option<&str> {
        self.filter_error.as_deref()
    }

    /// Sets the filter from what was typed. What of it cannot be read is left out, and [`TaskList::filter_error`] says why.
    pub fn set_filter(&mut self, typed: String) {
        let (filter, wrong) = Filter::read(&typed);
        self.filter_error = wrong.map(|wrong| wrong.to_string());
        self.filter_text = typed;
        if filter != self.filter {
            self.filter = filter;
            self.changed.everything();
        }
    }

    /// The tasks as a cursor sees them.
    pub fn rows<'a>(&'a self, model: &'a Model) -> TaskRows<'a> {
        TaskRows::new(&self.order, model)
    }

    /// The selected task.
    pub fn selected(&self, model: &Model) -> Option<TaskId> {
        self.cursor.selected(&self.rows(model))
    }

    /// The selected group.
    pub fn selected_group(&self) -> Option<GroupKey> {
        self.group_cursor.selected(self.groups.order())
    }

    /// Shows the tasks that a filter lets through, from the first one on.
    pub fn narrow(&mut self, filter: String) {
        if self.listing == Listing::Groups {
            self.show(Listing::Tasks);
        }
        self.set_filter(filter);
        self.cursor.first();
    }

    /// Selects a task.
    pub fn choose(&mut self, id: TaskId, model: &Model) {
        self.cursor.choose(id, &TaskRows { order: &self.order, model });
    }

    /// Takes note of the model's latest update.
    pub fn note(&mut self, session: &Session) {
        self.changed.note(session.model(), session.engine());
    }

    /// Begins anew: the tasks are another process's.
    pub fn restart(&mut self) {
        self.changed.everything();
        self.cursor = Cursor::default();
        self.group_cursor = Cursor::default();
    }

    /// Begins anew with the same tasks: more has changed than was noted.
    pub fn reload(&mut self) {
        self.changed.everything();
    }

    /// Whether so much has changed that it should be looked at even while nobody looks.
    pub fn is_behind(&self) -> bool {
        self.changed.is_behind()
    }

    /// Moves the selection some rows down, or up where it is negative.
    pub fn step(&mut self, by: isize, model: &Model) {
        self.order.look(self.cursor.around(by, self.order.len()), model);
        self.cursor.step(by, &TaskRows { order: &self.order, model });
    }

    /// Moves the window; the selection stays inside it.
    pub fn scroll(&mut self, by: isize, model: &Model) {
        self.order.look(self.cursor.around(by, self.order.len()), model);
        self.cursor.scroll(by, &TaskRows { order: &self.order, model });
    }

    /// Brings everything up to date with the model.
    pub fn settle(&mut self, session: &Session) {
        let model = session.model();
        let source = Source { model, engine: session.engine(), filter: &self.filter };
        match self.listing {
            Listing::Tasks => {
                self.order.settle(&source, &mut self.changed);
                if let Some(chosen) = self.cursor.chosen() {
                    self.order.look_around(chosen, model);
                }
                let rows = TaskRows { order: &self.order, model };
                self.cursor.follow(&rows);
                self.order.look(self.cursor.around(0, self.order.len()), model);
            }
            Listing::Groups => {
                self.groups.settle(&source, &mut self.changed);
                self.group_cursor.follow(self.groups.order());
            }
        }
    }

    /// Shows the next kind of row: tasks, then each kind of group that there is.
    pub fn next_listing(&mut self, knows: &Knows) {
        match (self.listing, self.groups.by.next(knows)) {
            (Listing::Tasks, _) => {
                self.groups.by = GroupBy::default();
                self.show(Listing::Groups);
            }
            (Listing::Groups, Some(next)) => {
                self.groups.by = next;
                self.show(Listing::Groups);
            }
            (Listing::Groups, None) => self.show(Listing::Tasks),
        }
        self.group_cursor = Cursor::default();
    }

    /// Shows one row for each of these.
    pub fn show(&mut self, listing: Listing) {
        self.listing = listing;
        // Only what is shown is kept up; the other is made anew when its turn comes.
        self.changed.everything();
    }

    /// Sorts by a column; by the same one again, the other way around.
    pub fn sort_by(&mut self, column: TaskColumn) {
        if column.compares() == crate::app::tasks::columns::Compares::Nothing {
            return;
        }
        let direction = if column == self.order.column() {
            self.order.direction().inverted()
        } else if column.starts_with_the_largest() {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        self.order.sort(column, direction);
    }

    /// Sorts the spawn locations by a column; by the same one again, the other way around.
    pub fn sort_groups_by(&mut self, column: GroupColumn) {
        if column == self.groups.column {
            self.groups.direction = self.groups.direction.inverted();
        }
        self.groups.column = column;
    }

    /// Sorts by the column this many further to the right.
    pub fn step_column(&mut self, by: isize) {
        match self.listing {
            Listing::Tasks => {
                let columns: Vec<TaskColumn> = TASK_COLUMNS
                    .iter()
                    .map(|spec| spec.column)
                    .filter(|column| column.compares() != crate::app::tasks::columns::Compares::Nothing)
                    .collect();
                let column = step(&columns, self.order.column(), by);
                if column != self.order.column() {
                    self.sort_by(column);
                }
            }
            Listing::Groups => {
                let columns: Vec<_> = GROUP_COLUMNS.iter().map(|spec| spec.column).collect();
                self.groups.column = step(&columns, self.groups.column, by);
            }
        }
    }

    /// Turns the order around.
    pub fn invert(&mut self) {
        match self.listing {
            Listing::Tasks => self.order.sort(self.order.column(), self.order.direction().inverted()),
            Listing::Groups => self.groups.direction = self.groups.direction.inverted(),
        }
    }
}

/// The column this many further to the right, around the end.
pub(crate) fn step<C: Copy + PartialEq>(columns: &[C], from: C, by: isize) -> C {
    let at = columns.iter().position(|&column| column == from).unwrap_or_default() as isize;
    columns[(at + by).rem_euclid(columns.len() as isize) as usize]
}
