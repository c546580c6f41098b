//! One line of text that is being typed.

use super::bindings::Action;

/// Text, and where in it the next character goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// In bytes, at a character's boundary.
    cursor: usize,
}

/// How many bytes a line has room for: more than anyone types. What is pasted beyond that is cut.
pub(crate) const MOST: usize = 1_000;

/// Whether what was put in had room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Fits {
    /// All of it.
    Whole,
    /// Its end was left out.
    Cut,
}

impl Line {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was typed before the cursor, and after it.
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Puts text in at the cursor, as far as there is room. What separates lines separates words here; other control characters are
    /// left out.
    pub(crate) fn insert(&mut self, text: &str) -> Fits {
        let mut room = MOST.saturating_sub(self.text.len());
        let mut taken = String::new();
        let mut fits = Fits::Whole;
        for char in text.chars() {
            let char = if matches!(char, '\n' | '\r' | '\t') { ' ' } else { char };
            if char.is_control() {
                continue;
            }
            if char.len_utf8() > room {
                fits = Fits::Cut;
                break;
            }
            room -= char.len_utf8();
            taken.push(char);
        }
        self.text.insert_str(self.cursor, &taken);
        self.cursor += taken.len();
        fits
    }

    /// Deletes the character to the left.
    pub fn delete_left(&mut self) {
        let before = self.cursor;
        self.left();
        self.text.drain(self.cursor..before);
    }

    /// Deletes the character to the right.
    pub fn delete_right(&mut self) {
        let length = self.text[self.cursor..].chars().next().map_or(0, char::len_utf8);
        self.text.drain(self.cursor..self.cursor + length);
    }

    /// Deletes the word to the left.
    pub fn delete_word(&mut self) {
        let before = self.text[..self.cursor].trim_end();
        let start = before.char_indices().rev().find(|(_, char)| char.is_whitespace());
        let start = start.map_or(0, |(at, char)| at + char.len_utf8());
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }

    /// Deletes everything to the left.
    pub fn delete_all(&mut self) {
        self.text.drain(..self.cursor);
        self.cursor = 0;
    }

    /// The cursor one to the left.
    pub fn left(&mut self) {
        self.cursor -= self.text[..self.cursor].chars().next_back().map_or(0, char::len_utf8);
    }

    /// The cursor one to the right.
    pub fn right(&mut self) {
        self.cursor += self.text[self.cursor..].chars().next().map_or(0, char::len_utf8);
    }

    /// The cursor to the start.
    pub fn start(&mut self) {
        self.cursor = 0;
    }

    /// What a key that edits does to it.
    pub(crate) fn edit(&mut self, action: Action) {
        match action {
            Action::DeleteLeft => self.delete_left(),
            Action::DeleteRight => self.delete_right(),
            Action::DeleteWord => self.delete_word(),
            Action::DeleteAll => self.delete_all(),
            Action::CursorLeft => self.left(),
            Action::CursorRight => self.right(),
            Action::CursorStart => self.start(),
            Action::CursorEnd => self.end(),
            _ => {}
        }
    }

    /// The cursor to the end.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_and_deleting_at_the_cursor() {
        let mut line = Line::new("naïve word");
        line.delete_word();
        assert_eq!(line.text(), "naïve ");
        line.delete_left();
        line.left();
        line.left();
        line.delete_left();
        assert_eq!(line.insert("i"), Fits::Whole);
        assert_eq!(line.halves(), ("nai", "ve"));
        line.delete_right();
        line.start();
        line.left();
        line.delete_left();
        line.right();
        line.delete_all();
        assert_eq!(line.text(), "aie");
        line.end();
        assert_eq!(line.insert("\u{1b}"), Fits::Whole);
        assert_eq!(line.halves(), ("aie", ""));
    }

    #[test]
    fn what_has_no_room_is_cut_at_a_character_and_lines_become_words() {
        let mut line = Line::new("");
        assert_eq!(line.insert("two\r\tlines\n\u{7}"), Fits::Whole);
        assert_eq!(line.text(), "two  lines ");
        line.start();
        assert_eq!(line.insert(&"ï".repeat(MOST)), Fits::Cut);
        assert_eq!((line.text().len(), line.halves().1), (MOST - 1, "two  lines "));
        assert_eq!(line.insert("ï"), Fits::Cut);
        assert_eq!(line.insert("i"), Fits::Whole);
        assert_eq!(line.insert("i"), Fits::Cut);
        assert_eq!(line.text().len(), MOST);
    }
}
