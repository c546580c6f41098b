//! Text from the wire, made fit for a terminal: it says nothing to the terminal itself, it is as wide as it is said to be, and
//! it costs what its width costs, not what its length does. Everything that a target sent goes through here before it is drawn.
//!
//! A width is a number of terminal columns. What would not be seen, or would change what is seen (control characters, escape
//! sequences, bidirectional overrides, zero-width characters), is drawn as a mark of one column.

use super::theme::Theme;
use crate::app::options::Charset;
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// A character needs a column, except for the marks that combine with it. There are at most this many of those.
const COMBINING_MOST: usize = 2;

/// The text in at most `width` columns. What does not fit is cut off at the end.
pub(crate) fn safe<'a>(text: &'a str, width: usize, theme: &Theme) -> Cow<'a, str> {
    if is_plain(text, width) {
        return Cow::Borrowed(text);
    }
    let (fits, cut) = head(text, width, theme.charset());
    if !cut {
        return Cow::Owned(fits);
    }
    let (mut fits, _) = head(text, width.saturating_sub(1), theme.charset());
    if width > 0 {
        fits.push_str(theme.symbols().ellipsis);
    }
    Cow::Owned(fits)
}

/// The text in at most `width` columns. What does not fit is cut off at the beginning: the end of a path says more than its root.
pub(crate) fn safe_end<'a>(text: &'a str, width: usize, theme: &Theme) -> Cow<'a, str> {
    if is_plain(text, width) {
        return Cow::Borrowed(text);
    }
    let (fits, cut) = tail(text, width, theme.charset());
    if !cut {
        return Cow::Owned(fits);
    }
    if width == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(theme.symbols().ellipsis.to_owned() + &tail(text, width - 1, theme.charset()).0)
}

/// The text in exactly `width` columns, at their left.
pub(crate) fn left(text: &str, width: usize, theme: &Theme) -> String {
    let mut fits = safe(text, width, theme).into_owned();
    pad(&mut fits, width);
    fits
}

/// The text in exactly `width` columns, at their left, with its end kept.
pub(crate) fn left_end(text: &str, width: usize, theme: &Theme) -> String {
    let mut fits = safe_end(text, width, theme).into_owned();
    pad(&mut fits, width);
    fits
}

/// The text in exactly `width` columns, at their right.
pub(crate) fn right(text: &str, width: usize, theme: &Theme) -> String {
    let fits = safe(text, width, theme);
    let mut padded = " ".repeat(width.saturating_sub(columns(&fits)));
    padded.push_str(&fits);
    padded
}

/// How many columns text takes that has been made safe.
pub(crate) fn columns(safe: &str) -> usize {
    safe.chars().map(|char| char.width().unwrap_or(0)).sum()
}

/// Text that may be drawn as it is, told without looking at more of it than fits.
fn is_plain(text: &str, width: usize) -> bool {
    text.len() <= width && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn pad(text: &mut String, width: usize) {
    let missing = width.saturating_sub(columns(text));
    text.extend(std::iter::repeat_n(' ', missing));
}

/// What fits into `width` columns from the beginning, and whether something was left over.
fn head(text: &str, width: usize, charset: Charset) -> (String, bool) {
    let mut fits = String::new();
    let mut used = 0;
    for cell in Cells::new(text, charset) {
        if used + cell.width > width {
            return (fits, true);
        }
        used += cell.width;
        fits.push(cell.char);
    }
    (fits, false)
}

/// What fits into `width` columns up to the end, and whether something was left over.
fn tail(text: &str, width: usize, charset: Charset) -> (String, bool) {
    // No cell of the last ones that fit is further from the end than this.
    let reach = (width + 1) * (COMBINING_MOST + 1);
    let start = text.char_indices().rev().nth(reach).map_or(0, |(at, _)| at);
    let cells: Vec<Cell> = Cells::new(&text[start..], charset).collect();
    let mut used = 0;
    let mut first = cells.len();
    for (at, cell) in cells.iter().enumerate().rev() {
        if used + cell.width > width {
            break;
        }
        used += cell.width;
        // A combining mark belongs to the character before it and is only taken together with it.
        if cell.width > 0 {
            first = at;
        }
    }
    let cut = start > 0 || first > 0;
    (cells[first..].iter().map(|cell| cell.char).collect(), cut)
}

/// A character as it is drawn.
#[derive(Debug, Clone, Copy)]
struct Cell {
    char: char,
    width: usize,
}

/// The characters of a text as they are drawn.
struct Cells<'a> {
    chars: std::str::Chars<'a>,
    charset: Charset,
    /// How many more marks may combine with the character before.
    combining: usize,
}

impl<'a> Cells<'a> {
    fn new(text: &'a str, charset: Charset) -> Self {
        Self { chars: text.chars(), charset, combining: 0 }
    }
}

impl Iterator for Cells<'_> {
    type Item = Cell;

    fn next(&mut self) -> Option<Cell> {
        let char = self.chars.next()?;
        if self.charset == Charset::Unicode && self.combining > 0 && is_combining(char) {
            self.combining -= 1;
            return Some(Cell { char, width: 0 });
        }
        let width = char.width().unwrap_or(0);
        let visible = width > 0 && !is_unsafe(char) && (self.charset == Charset::Unicode || char.is_ascii());
        self.combining = if visible && char.is_alphanumeric() { COMBINING_MOST } else { 0 };
        Some(if visible { Cell { char, width } } else { Cell { char: mark(char, self.charset), width: 1 } })
    }
}

/// What is drawn in place of a character.
fn mark(char: char, charset: Charset) -> char {
    match (charset, char) {
        (Charset::Ascii, _) => '?',
        (Charset::Unicode, '\0'..='\x1f') => {
            char::from_u32(0x2400 + char as u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        (Charset::Unicode, '\x7f') => '\u{2421}',
        (Charset::Unicode, _) => char::REPLACEMENT_CHARACTER,
    }
}

/// Characters that have a width and must not be drawn all the same: those that a terminal obeys, those that it may not show, and
/// those that change the width of their neighbours.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}'                     // soft hyphen
            | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' // Arabic number signs: they enclose what follows
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // bidirectional control
            | '\u{2028}' | '\u{2029}'    // line and paragraph separator
            | '\u{ff9e}' | '\u{ff9f}'    // halfwidth voicing marks: whether they have a column of their own is told differently
            | '\u{fff9}'..='\u{fffb}'    // interlinear annotation
            | '\u{110bd}' | '\u{110cd}'  // Kaithi number signs
            | '\u{1f3fb}'..='\u{1f3ff}'  // skin tones: they merge into the emoji before them
            | '\u{e0000}'..='\u{e0fff}'  // tags and variation selectors
        )
}

/// Accents, vowel signs and points without a width of their own, in the scripts that need them to be read.
fn is_combining(char: char) -> bool {
    let in_script = matches!(char,
        '\u{300}'..='\u{36f}'            // Latin, Greek, Cyrillic
        | '\u{483}'..='\u{487}'          // Cyrillic
        | '\u{591}'..='\u{5c7}'          // Hebrew
        | '\u{64b}'..='\u{65f}' | '\u{670}' // Arabic
        | '\u{900}'..='\u{dff}'          // the scripts of India
        | '\u{e31}'..='\u{e4e}'          // Thai
        | '\u{eb1}'..='\u{ecd}'          // Lao
        | '\u{3099}'..='\u{309a}'        // Japanese, decomposed
    );
    in_script && char.width() == Some(0) && char != '\u{34f}'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::options::Palette;
    use proptest::prelude::*;
    use ratatui::{
        buffer::Buffer,
        layout::{Position, Rect},
        style::Style,
    };

    fn themes() -> [Theme; 2] {
        [Charset::Unicode, Charset::Ascii].map(|charset| Theme::new(Palette::Off, charset))
    }

    /// How many columns a terminal buffer gives to the text.
    fn drawn(text: &str) -> usize {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 400, 1));
        buffer.set_string(0, 0, text, Style::new());
        let (end, _) = buffer.set_stringn(0, 0, text, 400, Style::new());
        usize::from(end)
    }

    fn is_harmless(text: &str) -> bool {
        let mut combining = COMBINING_MOST;
        text.chars().all(|char| {
            if is_combining(char) {
                combining = combining.saturating_sub(1);
                return combining < COMBINING_MOST;
            }
            combining = COMBINING_MOST;
            !is_unsafe(char) && char.width().is_some_and(|width| width > 0)
        })
    }

    #[test]
    fn what_is_drawn_of_what_was_sent() {
        let [unicode, ascii] = themes();
        let table = [
            ("worker", 6, "worker", "worker"),
            ("worker-17", 6, "worke…", "worke~"),
            ("", 3, "", ""),
            ("x", 0, "", ""),
            ("\x1b[2Jgone", 20, "␛[2Jgone", "?[2Jgone"),
            ("a\nb\tc\x7f", 20, "a␊b␉c␡", "a?b?c?"),
            ("\u{9b}31m", 20, "\u{fffd}31m", "?31m"),
            ("user\u{202e}nimda", 20, "user\u{fffd}nimda", "user?nimda"),
            ("a\u{200b}b\u{feff}", 20, "a\u{fffd}b\u{fffd}", "a?b?"),
            ("cafe\u{301}", 20, "cafe\u{301}", "cafe?"),
            ("z\u{301}\u{302}\u{303}", 20, "z\u{301}\u{302}\u{fffd}", "z???"),
            ("監視タスク", 10, "監視タスク", "?????"),
            ("監視タスク", 9, "監視タス…", "?????"),
            ("監視タスク", 8, "監視タ…", "?????"),
            ("naïve-größe", 20, "naïve-größe", "na?ve-gr??e"),
            ("\u{ff76}\u{ff9e}", 20, "\u{ff76}\u{fffd}", "??"),
            ("👍\u{1f3fd}", 20, "👍\u{fffd}", "??"),
            ("❤\u{fe0f}", 20, "❤\u{fffd}", "??"),
        ];
        for (sent, width, in_unicode, in_ascii) in table {
            assert_eq!(safe(sent, width, &unicode), in_unicode, "{sent:?}");
            assert_eq!(safe(sent, width, &ascii), in_ascii, "{sent:?}");
        }
    }

    #[test]
    fn the_end_of_a_path_is_kept() {
        let [unicode, ascii] = themes();
        assert_eq!(safe_end("src/service/state.rs:21", 12, &unicode), "…state.rs:21");
        assert_eq!(safe_end("src/service/state.rs:21", 12, &ascii), "~state.rs:21");
        assert_eq!(safe_end("src/a.rs:1", 12, &unicode), "src/a.rs:1");
        assert_eq!(safe_end("quelle/cafe\u{301}", 5, &unicode), "…cafe\u{301}");
        assert_eq!(left_end("监视监视", 6, &unicode), "…监视 ");
    }

    #[test]
    fn padding_is_to_the_column() {
        let [theme, _] = themes();
        assert_eq!(left("タスク", 8, &theme), "タスク  ");
        assert_eq!(right("タスク", 8, &theme), "  タスク");
        assert_eq!(right("タスク", 5, &theme), "タス…");
        assert_eq!(right("タスク", 4, &theme), " タ…", "a wide character does not fit into one column");
    }

    #[test]
    fn a_megabyte_is_not_looked_at() {
        let [theme, _] = themes();
        for unit in ["x", "\u{301}", "\u{1b}[31m", "監", "a\u{301}"] {
            let long = unit.repeat(1 << 20);
            // As far as 40 columns can reach, and what stands beyond changes nothing.
            let near: String = long.chars().take(200).collect();
            assert_eq!(safe(&long, 40, &theme), safe(&near, 40, &theme));
            let far: String = long.chars().skip(long.chars().count() - 200).collect();
            assert_eq!(safe_end(&long, 40, &theme), safe_end(&far, 40, &theme));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn nothing_harmful_gets_through_and_every_width_is_exact(text in text(), width in 0_usize..80) {
            for theme in themes() {
                for fits in [safe(&text, width, &theme), safe_end(&text, width, &theme)] {
                    prop_assert!(is_harmless(&fits), "{fits:?}");
                    prop_assert!(theme.charset() == Charset::Unicode || fits.is_ascii());
                    prop_assert!(columns(&fits) <= width);
                    prop_assert_eq!(columns(&fits), drawn(&fits), "{:?}", fits);
                }
                for padded in [left(&text, width, &theme), left_end(&text, width, &theme), right(&text, width, &theme)] {
                    prop_assert_eq!(drawn(&padded), width, "{:?}", padded);
                }
            }
        }

        #[test]
        fn what_fits_is_not_cut(text in "[a-z0-9:/ ]{0,40}") {
            for theme in themes() {
                prop_assert_eq!(safe(&text, text.len(), &theme), text.as_str());
                prop_assert_eq!(safe_end(&text, text.len(), &theme), text.as_str());
            }
        }
    }

    /// Text with more than its share of what does harm.
    fn text() -> impl Strategy<Value = String> {
        let harmful = prop::sample::select(
            "\u{0}\u{7}\n\r\t\u{1b}\u{7f}\u{80}\u{9b}\u{9d}\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\
             \u{fe0f}\u{301}\u{e0041}\u{1f3fd}\u{34f}\u{1160}\u{1f1e9}\u{1f1ea}\u{600}\u{644}\u{627}\u{5d0}\u{915}\u{94d}\u{937}\u{e33}👩🚀監a"
                .chars()
                .collect::<Vec<_>>(),
        );
        prop::collection::vec(prop_oneof![harmful, any::<char>()], 0..60).prop_map(|chars| chars.into_iter().collect())
    }

    #[test]
    fn a_buffer_gives_each_character_the_cell_that_is_counted() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        let [theme, _] = themes();
        buffer.set_string(0, 0, left("監a", 10, &theme), Style::new());
        assert_eq!(buffer.cell(Position::new(2, 0)).map(ratatui::buffer::Cell::symbol), Some("a"));
    }
}
