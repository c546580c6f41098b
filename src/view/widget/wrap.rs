//! Text in lines.

use crate::view::style::{text, theme::Theme};
use std::borrow::Cow;

/// What a number is of.
const UNITS: [&str; 12] = ["ns", "µs", "us", "ms", "s", "m", "h", "d", "B", "KiB", "MiB", "GiB"];

/// The words of a line; a number and its unit are one, where a line has room for both.
fn words(line: &str, width: usize) -> impl Iterator<Item = Cow<'_, str>> {
    let is_number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let is_unit = |word: &str| UNITS.contains(&word.trim_end_matches([',', ';', ':', '.', ')']));
    let mut words = line.split_whitespace().peekable();
    std::iter::from_fn(move || {
        let word = words.next()?;
        let fits =
            |unit: &&str| is_number(word) && is_unit(unit) && text::columns(word) + 1 + text::columns(unit) <= width;
        let unit = words.next_if(fits);
        Some(unit.map_or(Cow::Borrowed(word), |unit| Cow::Owned(format!("{word} {unit}"))))
    })
}

/// The text in lines of at most `width` columns, broken between words where that is possible. Newlines are kept.
pub(crate) fn wrap(given: &str, width: usize, theme: &Theme) -> Vec<String> {
    if width == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for paragraph in given.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in words(paragraph, width) {
            let word = text::safe(&word, width, theme);
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

    #[test]
    fn a_number_and_its_unit_stay_together() {
        let theme = Theme::default();
        assert_eq!(wrap("held for 2.80 s; by it", 14, &theme), ["held for", "2.80 s; by it"]);
        assert_eq!(wrap("so 4 tasks", 4, &theme), ["so 4", "tas…"], "tasks are counted, not measured");
        assert_eq!(wrap("12 KiB", 4, &theme), ["12", "KiB"], "where there is room");
    }
}
