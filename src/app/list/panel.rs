//! Lists that are made anew, as panels: the workers, the locks, the resources; and the lists of a page.

use super::rows::{ListRow, RowList};
use crate::{
    app::{
        frame::{RowId, Window},
        input::bindings::Context,
        panel::{List, Opening, PageSubject, Panel, Upkeep},
    },
    model::Model,
    session::{Scope, Session},
    update::Stamp,
};
use std::time::{Duration, Instant};

/// How long a list that is made anew stays as it was made, if no update comes.
const LISTED: Duration = Duration::from_secs(1);

/// How long each row of it keeps it from being made anew: to make one costs some hundred nanoseconds, of which no key should wait
/// for too many, and a list of a hundred thousand is made anew once a second.
const REST: Duration = Duration::from_micros(10);

/// A row that stands for something of which there is a list on a screen of its own.
pub(crate) trait ScreenRow: ListRow {
    /// All rows, in any order.
    fn all(model: &Model, now: Stamp) -> Vec<Self>
    where
        Self: Sized;
    /// What its page is about.
    fn page(id: Self::Id, model: &Model) -> PageSubject;
}

/// A screen's list that is made anew after an update, and for the times in it once a second.
#[derive(Debug)]
pub struct ListPanel<R: ListRow> {
    /// The rows.
    pub rows: RowList<R>,
    /// When they were made.
    made: Option<Instant>,
    /// Whether something changed since.
    changed: bool,
}

impl<R: ListRow> Default for ListPanel<R> {
    fn default() -> Self {
        Self { rows: RowList::default(), made: None, changed: true }
    }
}

impl<R: ScreenRow> Panel for ListPanel<R> {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Table, Context::List]
    }
    fn is_empty(&self) -> bool {
        self.rows.rows().is_empty()
    }
    fn changed(&mut self, _: &Session, scope: Scope) {
        if matches!(scope, Scope::Rows | Scope::Everything) {
            self.changed = true;
        }
    }
    fn restart(&mut self) {
        *self = Self::default();
    }
    fn refresh(&mut self, Upkeep { session, now, at }: Upkeep) {
        let rest = REST * u32::try_from(self.rows.rows().len()).unwrap_or(u32::MAX);
        let stays = if self.changed { rest.min(LISTED) } else { LISTED };
        let fresh = self.made.is_some_and(|made| at.saturating_duration_since(made) < stays);
        if let (Some(now), false) = (now, fresh) {
            self.rows.show(R::all(session.model(), now), session.model());
            (self.made, self.changed) = (Some(at), false);
        }
    }
    fn list<'a>(&'a mut self, model: &'a Model) -> Option<Box<dyn List + 'a>> {
        Some(Box::new(Sortable { rows: &mut self.rows, model }))
    }
    fn subject(&self, _: &Session) -> Option<RowId> {
        self.rows.selected().map(R::row)
    }
    fn opening(&self, session: &Session) -> Option<Opening> {
        self.rows.selected().map(|id| Opening::Page(R::page(id, session.model())))
    }
}

/// A list with columns to sort by.
pub(crate) struct Sortable<'a, R: ListRow> {
    pub rows: &'a mut RowList<R>,
    pub model: &'a Model,
}

impl<R: ListRow> List for Sortable<'_, R> {
    fn step(&mut self, by: isize) {
        self.rows.step(by);
    }
    fn scroll(&mut self, by: isize) {
        self.rows.scroll(by);
    }
    fn first(&mut self) {
        self.rows.cursor.first();
    }
    fn shown(&mut self, window: Window) {
        self.rows.cursor.shown(window);
    }
    fn choose(&mut self, row: RowId) {
        if let Some(id) = R::of_row(row) {
            self.rows.choose(id);
        }
    }
    fn step_column(&mut self, by: isize) {
        self.rows.step_column(by, self.model);
    }
    fn sort_by_nth(&mut self, column: usize) {
        if let Some(spec) = R::COLUMNS.get(column) {
            self.rows.sort_by(spec.column, self.model);
        }
    }
    fn invert(&mut self) {
        self.rows.invert(self.model);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::list::column::{Align, ColumnSpec, Direction, Width},
        diagnose::Settings,
        model::Retention,
        update::{Event, Update},
    };
    use std::{cell::Cell, cmp::Ordering};

    thread_local! {
        /// How many rows there are, how often they were made, and how often a text was.
        static MADE: Cell<(u32, u32, u32)> = const { Cell::new((0, 0, 0)) };
    }

    #[derive(Debug)]
    struct Row(u32);

    impl ListRow for Row {
        type Id = u32;
        type Column = u8;
        const COLUMNS: &'static [ColumnSpec<u8>] = &[ColumnSpec::new(0, "N", Align::Right, Width::Fixed(3), 0)];
        const ORDER: (u8, Direction) = (0, Direction::Descending);

        fn id(&self) -> u32 {
            self.0
        }
        fn row(id: u32) -> RowId {
            RowId::Line(id as usize)
        }
        fn of_row(_: RowId) -> Option<u32> {
            None
        }
        fn text(&self, _: u8, _: &Model) -> Option<String> {
            let (rows, made, texts) = MADE.get();
            MADE.set((rows, made, texts + 1));
            Some(format!("{:03}", self.0 * 7 % 1_000))
        }
        fn compare(&self, _: &Self, _: u8, _: &Model) -> Ordering {
            Ordering::Equal
        }
    }

    impl ScreenRow for Row {
        fn all(_: &Model, _: Stamp) -> Vec<Self> {
            let (rows, made, texts) = MADE.get();
            MADE.set((rows, made + 1, texts));
            (0..rows).map(Row).collect()
        }
        fn page(_: u32, _: &Model) -> PageSubject {
            PageSubject::Lock(crate::update::ResourceId(1))
        }
    }

    /// How often a list of so many rows is made while a second of updates goes by, fifty of them.
    fn made_in_a_second(rows: u32) -> (u32, u32) {
        MADE.set((rows, 0, 0));
        let mut session = Session::new(&Settings::default(), Retention::default());
        let mut panel = ListPanel::<Row>::default();
        let begin = Instant::now();
        for millis in (0..1_000).step_by(20) {
            let now = Stamp::from_nanos(1_000_000_000 + millis * 1_000_000);
            let scope = session.apply(Event::Update(Box::new(Update { now: Some(now), ..Update::default() })));
            panel.changed(&session, scope);
            let at = begin + Duration::from_millis(millis);
            panel.refresh(Upkeep { session: &session, now: Some(now), at });
        }
        (MADE.get().1, MADE.get().2)
    }

    #[test]
    fn a_long_list_is_made_less_often_and_puts_each_text_together_once() {
        assert_eq!(made_in_a_second(100).0, 50);
        assert_eq!(made_in_a_second(10_000).0, 10, "every 100 ms");
        let (made, texts) = made_in_a_second(100_000);
        assert_eq!(made, 1);
        assert!(texts <= 100_001, "{texts}");
    }
}
