//! Where the user is in a list: on a row, by its id, so that the selection follows the row and not its place.

use crate::app::frame::Window;
use std::ops::Range;

/// More rows than a terminal has.
const MARGIN: usize = 512;

/// A list as a cursor sees it.
pub trait Rows<Id> {
    /// How many rows there are.
    fn len(&self) -> usize;
    /// The row at a place.
    fn at(&self, index: usize) -> Option<Id>;
    /// The place of a row.
    fn position(&self, id: Id) -> Option<usize>;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<Id: Copy + PartialEq> Rows<Id> for [Id] {
    fn len(&self) -> usize {
        <[Id]>::len(self)
    }
    fn at(&self, index: usize) -> Option<Id> {
        self.get(index).copied()
    }
    fn position(&self, id: Id) -> Option<usize> {
        self.iter().position(|&other| other == id)
    }
}

/// A selection in a list, and the window onto it.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<Id> {
    chosen: Option<Id>,
    index: usize,
    window: Window,
}

impl<Id> Default for Cursor<Id> {
    fn default() -> Self {
        Self { chosen: None, index: 0, window: Window { offset: 0, rows: 1 } }
    }
}

impl<Id: Copy + PartialEq> Cursor<Id> {
    /// The place of the selected row.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The selected row. Before anything was chosen it is the first one, whichever that is.
    pub fn selected(&self, rows: &(impl Rows<Id> + ?Sized)) -> Option<Id> {
        rows.at(self.index)
    }

    /// The row that was chosen; `None` before any was.
    pub fn chosen(&self) -> Option<Id> {
        self.chosen
    }

    /// Finds the chosen row again after the list changed. If it is gone, the one in its place is chosen.
    pub fn follow(&mut self, rows: &(impl Rows<Id> + ?Sized)) {
        let Some(chosen) = self.chosen else {
            self.index = 0;
            return;
        };
        if let Some(index) = rows.position(chosen) {
            self.index = index;
        } else {
            self.index = self.index.min(rows.len().saturating_sub(1));
            self.chosen = rows.at(self.index);
        }
    }

    /// Chooses a row.
    pub fn choose(&mut self, id: Id, rows: &(impl Rows<Id> + ?Sized)) {
        self.chosen = Some(id);
        self.follow(rows);
    }

    /// Back to the first row, whichever it is.
    pub fn first(&mut self) {
        self.chosen = None;
        self.index = 0;
    }

    /// Some rows down, or up where it is negative.
    pub fn step(&mut self, by: isize, rows: &(impl Rows<Id> + ?Sized)) {
        let last = rows.len().saturating_sub(1);
        self.go(self.index.saturating_add_signed(by).min(last), rows);
    }

    /// The rows that can come into sight when the selection or the window moves by so many.
    pub fn around(&self, by: isize, length: usize) -> Range<usize> {
        let margin = self.window.rows.max(MARGIN);
        let last = length.saturating_sub(1);
        let to = |from: usize| from.saturating_add_signed(by).min(last);
        let (index, offset) = (to(self.index), to(self.visible(length, self.window.rows).start));
        index.min(offset).saturating_sub(margin)..(index.max(offset) + margin).min(length)
    }

    /// Moves the window; the selection stays inside it.
    pub fn scroll(&mut self, by: isize, rows: &(impl Rows<Id> + ?Sized)) {
        let most = rows.len().saturating_sub(self.window.rows);
        let offset = self.visible(rows.len(), self.window.rows).start;
        self.window.offset = offset.saturating_add_signed(by).min(most);
        let last = (self.window.offset + self.window.rows).saturating_sub(1).max(self.window.offset);
        let index = self.index.clamp(self.window.offset, last).min(rows.len().saturating_sub(1));
        if index != self.index {
            self.go(index, rows);
        }
    }

    fn go(&mut self, index: usize, rows: &(impl Rows<Id> + ?Sized)) {
        self.index = index;
        self.chosen = rows.at(index);
    }

    /// The rows to show of a list this long where there is room for so many: the selection is among them.
    pub fn visible(&self, length: usize, room: usize) -> Range<usize> {
        let index = self.index.min(length.saturating_sub(1));
        let least = (index + 1).saturating_sub(room.max(1));
        let offset = self.window.offset.clamp(least, index).min(length.saturating_sub(room));
        offset..length.min(offset + room)
    }

    /// Takes note of the window that was shown.
    pub fn shown(&mut self, window: Window) {
        self.window = window;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_follows_its_row_and_the_window_follows_the_selection() {
        let mut cursor = Cursor::default();
        let list: Vec<u32> = (0..100).collect();
        cursor.step(7, &list[..]);
        assert_eq!(cursor.selected(&list[..]), Some(7));
        let reversed: Vec<u32> = (0..100).rev().collect();
        cursor.follow(&reversed[..]);
        assert_eq!((cursor.index(), cursor.selected(&reversed[..])), (92, Some(7)));
        assert_eq!(cursor.visible(100, 10), 83..93);
    }

    #[test]
    fn a_row_that_is_gone_leaves_the_selection_in_its_place() {
        let mut cursor = Cursor::default();
        cursor.choose(3_u32, &[1, 2, 3, 4][..]);
        cursor.follow(&[1, 2, 4][..]);
        assert_eq!(cursor.selected(&[1, 2, 4][..]), Some(4));
        cursor.follow(&[1][..]);
        assert_eq!(cursor.selected(&[1][..]), Some(1));
        let nothing: &[u32] = &[];
        cursor.follow(nothing);
        assert_eq!(cursor.selected(nothing), None);
        assert_eq!(cursor.visible(0, 5), 0..0);
    }

    #[test]
    fn before_anything_is_chosen_the_first_row_is_selected_whichever_it_is() {
        let mut cursor = Cursor::default();
        cursor.follow(&[5_u32, 6][..]);
        cursor.follow(&[9, 5, 6][..]);
        assert_eq!(cursor.selected(&[9, 5, 6][..]), Some(9));
    }

    #[test]
    fn a_selection_that_jumped_takes_the_rows_around_it_along_and_not_those_in_between() {
        let mut cursor = Cursor::default();
        let list: Vec<u32> = (0..1_000_000).collect();
        cursor.shown(Window { offset: 0, rows: 40 });
        cursor.choose(500_000, &list[..]);
        let around = cursor.around(0, list.len());
        assert!(around.len() < 3 * MARGIN, "{around:?}");
        let visible = cursor.visible(list.len(), 40);
        assert!(around.start <= visible.start && visible.end <= around.end, "{around:?}");
        cursor.scroll(3, &list[..]);
        assert_eq!(cursor.visible(list.len(), 40).start, visible.start + 3);
    }

    #[test]
    fn scrolling_takes_the_selection_along_at_the_edge_of_the_window() {
        let mut cursor = Cursor::default();
        let list: Vec<u32> = (0..100).collect();
        cursor.shown(Window { offset: 0, rows: 10 });
        cursor.scroll(3, &list[..]);
        assert_eq!(cursor.selected(&list[..]), Some(3));
        cursor.scroll(1_000, &list[..]);
        assert_eq!(cursor.visible(100, 10), 90..100);
        cursor.step(-10, &list[..]);
        assert_eq!((cursor.index(), cursor.visible(100, 10)), (80, 80..90));
    }
}
