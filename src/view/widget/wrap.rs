//! Text in lines.

use crate::view::style::{text, theme::Theme};

/// The text in lines of at most `width` columns, broken between words where that is possible. Newlines are kept.
pub(crate) fn wrap(given: &str, width: usize, theme: &Theme) -> Vec<String> {
    if width == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for paragraph in given.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_whitespace() {
            let word = text::safe(word, width, theme);
            let columns = text::columns(&word);
            if used > 0 && used + 1 + columns > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(&word);
            used += columns;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_no_line_is_too_wide() {
        let theme = Theme::default();
        assert_eq!(wrap("one two  three\n\nfour", 8, &theme), ["one two", "three", "", "four"]);
        assert_eq!(wrap("abcdefghij k", 5, &theme), ["abcd…", "k"]);
        assert!(wrap("x", 0, &theme).is_empty());
    }
}
