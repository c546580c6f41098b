//! Texts and lists within the client's bounds: everything in which a peer can hide a megabyte.

use crate::update::DecodeIssues;

/// The longest text that is kept, in bytes. What is longer is cut where a character ends.
pub(super) const MAX_TEXT: usize = 4096;

/// The most fields, attributes or field names of one entry that are kept.
pub(super) const MAX_ITEMS: usize = 128;

/// A text within the client's bound.
pub(super) fn text(mut text: String, issues: &mut DecodeIssues) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.shrink_to_fit();
        issues.cut_text += 1;
    }
    text
}

/// The first [`MAX_ITEMS`] of them; the others are counted.
pub(super) fn items<T>(items: Vec<T>, issues: &mut DecodeIssues) -> impl Iterator<Item = T> + use<T> {
    issues.cut_text += items.len().saturating_sub(MAX_ITEMS) as u64;
    items.into_iter().take(MAX_ITEMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_where_a_character_ends() {
        let mut issues = DecodeIssues::default();
        assert_eq!(text("a".repeat(MAX_TEXT), &mut issues).len(), MAX_TEXT);
        assert_eq!(issues.cut_text, 0);
        // Three bytes each, and 4096 is no multiple of three.
        let cut = text("値".repeat(400_000), &mut issues);
        assert_eq!(cut.len(), 4095);
        assert_eq!(issues.cut_text, 1);
    }
}
