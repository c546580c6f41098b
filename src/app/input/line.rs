//! One line of text that is being typed.

/// Text, and where in it the next character goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// In bytes, at a character's boundary.
    cursor: usize,
}

/// Longer than anyone types; what is pasted beyond it is cut.
const MOST: usize = 1_000;

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

    /// Puts a character in at the cursor.
    pub fn insert(&mut self, char: char) {
        if self.text.len() < MOST && !char.is_control() {
            self.text.insert(self.cursor, char);
            self.cursor += char.len_utf8();
        }
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
        line.insert('i');
        assert_eq!(line.halves(), ("nai", "ve"));
        line.delete_right();
        line.start();
        line.left();
        line.delete_left();
        line.right();
        line.delete_all();
        assert_eq!(line.text(), "aie");
        line.end();
        line.insert('\u{1b}');
        assert_eq!(line.halves(), ("aie", ""));
    }
}
