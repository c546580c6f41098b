//! A list that is made anew after each update while somebody looks at it: locks, resources, operations.

use super::cursor::{Cursor, Rows};
use crate::{
    app::{
        frame::RowId,
        list::column::{ColumnSpec, Direction},
    },
    model::Model,
};
use std::{cmp::Ordering, fmt::Debug, ops::Range};

/// A row of such a list: plain data, and few bytes. What it says in words is told by the model when it is drawn.
pub trait ListRow {
    /// What tells it from the others.
    type Id: Copy + PartialEq + Ord + Debug;
    /// The list's columns.
    type Column: Copy + PartialEq + Debug + 'static;
    /// The columns from left to right.
    const COLUMNS: &'static [ColumnSpec<Self::Column>];
    /// What decides the order until the user says otherwise, and which end comes first.
    const ORDER: (Self::Column, Direction);

    /// What tells it from the others.
    fn id(&self) -> Self::Id;
    /// The row, as it can be clicked.
    fn row(id: Self::Id) -> RowId;
    /// The other way round; `None` where it is no row of such a list.
    fn of_row(row: RowId) -> Option<Self::Id>;
    /// The text that a column is sorted by, where it has to be put together: that is done once for each row, and not for each
    /// comparison. `None` where [`ListRow::compare`] knows.
    fn text(&self, _: Self::Column, _: &Model) -> Option<String> {
        None
    }
    /// Which of two rows comes first in ascending order of a column.
    fn compare(&self, other: &Self, column: Self::Column, model: &Model) -> Ordering;
}

/// Rows in order, and where the user is among them.
#[derive(Debug)]
pub struct RowList<R: ListRow> {
    rows: Vec<R>,
    column: R::Column,
    direction: Direction,
    /// Where the user is.
    pub cursor: Cursor<R::Id>,
}

impl<R: ListRow> Default for RowList<R> {
    fn default() -> Self {
        let (column, direction) = R::ORDER;
        Self { rows: Vec::new(), column, direction, cursor: Cursor::default() }
    }
}

/// Rows as a cursor sees them.
impl<R: ListRow> Rows<R::Id> for Vec<R> {
    fn len(&self) -> usize {
        self.len()
    }
    fn at(&self, index: usize) -> Option<R::Id> {
        self.get(index).map(ListRow::id)
    }
    fn position(&self, id: R::Id) -> Option<usize> {
        self.iter().position(|row| row.id() == id)
    }
}

impl<R: ListRow> RowList<R> {
    /// Puts these rows in the place of those before. The selection stays on its row.
    pub fn show(&mut self, rows: Vec<R>, model: &Model) {
        self.rows = rows;
        self.order(model);
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// The rows to show where there is room for so many.
    pub fn visible(&self, room: usize) -> Range<usize> {
        self.cursor.visible(self.rows.len(), room)
    }

    /// The column that decides the order, and which end comes first.
    pub fn sorted(&self) -> (R::Column, Direction) {
        (self.column, self.direction)
    }

    /// The selected row.
    pub fn selected(&self) -> Option<R::Id> {
        self.cursor.selected(&self.rows)
    }

    /// Sorts by a column; by the one that decides already, the other way round.
    pub fn sort_by(&mut self, column: R::Column, model: &Model) {
        if column == self.column {
            self.direction = self.direction.inverted();
        }
        self.column = column;
        self.order(model);
    }

    /// Sorts by the column that is so many to the right, or to the left where it is negative, around the end.
    pub fn step_column(&mut self, by: isize, model: &Model) {
        let at = R::COLUMNS.iter().position(|spec| spec.column == self.column).unwrap_or_default() as isize;
        self.column = R::COLUMNS[(at + by).rem_euclid(R::COLUMNS.len() as isize) as usize].column;
        self.order(model);
    }

    /// Turns the order round.
    pub fn invert(&mut self, model: &Model) {
        self.direction = self.direction.inverted();
        self.order(model);
    }

    /// Moves the selection some rows down, or up where it is negative.
    pub fn step(&mut self, by: isize) {
        self.cursor.step(by, &self.rows);
    }

    /// Moves the window; the selection stays inside it.
    pub fn scroll(&mut self, by: isize) {
        self.cursor.scroll(by, &self.rows);
    }

    /// Selects a row.
    pub fn choose(&mut self, id: R::Id) {
        self.cursor.choose(id, &self.rows);
    }

    fn order(&mut self, model: &Model) {
        let (column, direction) = (self.column, self.direction);
        let directed = |ordering: Ordering| match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        };
        // Equal rows stand still, whichever way round.
        if self.rows.first().is_some_and(|row| row.text(column, model).is_some()) {
            let mut with_text: Vec<(Option<String>, R)> =
                self.rows.drain(..).map(|row| (row.text(column, model), row)).collect();
            with_text
                .sort_unstable_by(|(a, row), (b, other)| directed(a.cmp(b)).then_with(|| row.id().cmp(&other.id())));
            self.rows.extend(with_text.into_iter().map(|(_, row)| row));
        } else {
            self.rows.sort_unstable_by(|a, b| directed(a.compare(b, column, model)).then_with(|| a.id().cmp(&b.id())));
        }
        self.cursor.follow(&self.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::list::column::{Align, Width},
        model::Retention,
    };

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Column {
        Number,
        Rest,
    }

    #[derive(Debug, PartialEq)]
    struct Row(u32);

    impl ListRow for Row {
        type Id = u32;
        type Column = Column;
        const COLUMNS: &'static [ColumnSpec<Column>] = &[
            ColumnSpec::new(Column::Number, "N", Align::Right, Width::Fixed(3), 0),
            ColumnSpec::new(Column::Rest, "R", Align::Right, Width::Fixed(3), 0),
        ];
        const ORDER: (Column, Direction) = (Column::Rest, Direction::Descending);

        fn id(&self) -> u32 {
            self.0
        }
        fn row(id: u32) -> RowId {
            RowId::Line(id as usize)
        }
        fn of_row(_: RowId) -> Option<u32> {
            None
        }
        fn compare(&self, other: &Self, column: Column, _: &Model) -> Ordering {
            match column {
                Column::Number => self.0.cmp(&other.0),
                Column::Rest => (self.0 % 3).cmp(&(other.0 % 3)),
            }
        }
    }

    #[test]
    fn the_selection_follows_its_row_through_every_order() {
        let model = Model::new(Retention::default());
        let mut list: RowList<Row> = RowList::default();
        list.show((0..7).map(Row).collect(), &model);
        let ids = |list: &RowList<Row>| list.rows().iter().map(Row::id).collect::<Vec<_>>();
        assert_eq!(ids(&list), [2, 5, 1, 4, 0, 3, 6], "of equal ones the lower comes first");
        list.choose(4);
        list.sort_by(Column::Number, &model);
        assert_eq!((ids(&list), list.cursor.index()), (vec![6, 5, 4, 3, 2, 1, 0], 2));
        list.sort_by(Column::Number, &model);
        assert_eq!((ids(&list), list.selected()), (vec![0, 1, 2, 3, 4, 5, 6], Some(4)));
        list.step_column(1, &model);
        list.step_column(1, &model);
        assert_eq!(list.sorted(), (Column::Number, Direction::Ascending));
        list.show(vec![Row(9), Row(1)], &model);
        assert_eq!((list.selected(), list.visible(5)), (Some(9), 0..2));
    }
}
