//! The Markdown that explanations are written in, as lines: headings, paragraphs, lists, code. What is Markdown and what is not
//! is `pulldown-cmark`'s business; here it is only laid out.

use crate::view::style::{text, theme::Theme};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

/// The text in lines of at most `width` columns.
pub(crate) fn lines(markdown: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut page = Page::new(width, theme);
    for event in Parser::new(markdown) {
        page.take(event);
    }
    page.flush();
    page.lines
}

/// Lines under way.
struct Page<'a> {
    width: usize,
    theme: &'a Theme,
    lines: Vec<Line<'static>>,
    /// The block under way.
    words: Vec<Word>,
    /// Whether the next text belongs to the word before it.
    joins: Joins,
    style: Style,
    strong: usize,
    emphasized: usize,
    /// The lists that we are in, with the number of their next item.
    lists: Vec<Option<u64>>,
    /// What stands before the first line of the block under way, once.
    mark: String,
    /// How far the blocks of the items that we are in are indented.
    indents: Vec<usize>,
    code: Option<String>,
}

/// Pieces without a space between them, each in its style.
type Word = Vec<(String, Style)>;

/// How a text goes on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    /// As the same word.
    Word,
    /// As another word.
    Space,
}

impl<'a> Page<'a> {
    fn new(width: usize, theme: &'a Theme) -> Self {
        Self {
            width,
            theme,
            lines: Vec::new(),
            words: Vec::new(),
            joins: Joins::Space,
            style: Style::new(),
            strong: 0,
            emphasized: 0,
            lists: Vec::new(),
            mark: String::new(),
            indents: Vec::new(),
            code: None,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.text(&text, self.style()),
            },
            Event::Code(code) => self.text(&code, self.style().add_modifier(Modifier::BOLD)),
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::FootnoteReference(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => self.text(&text, self.style()),
            Event::SoftBreak | Event::TaskListMarker(_) => self.joins = Joins::Space,
            Event::HardBreak => self.flush(),
            Event::Rule => self.block(),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.block();
                self.style = self.theme.head();
            }
            Tag::List(first) => {
                self.block();
                self.lists.push(*first);
            }
            Tag::Item => {
                self.flush();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.indents.push(mark.len());
                self.mark = mark;
            }
            Tag::CodeBlock(_) => {
                self.block();
                self.code = Some(String::new());
            }
            Tag::Strong => self.strong += 1,
            Tag::Emphasis => self.emphasized += 1,
            Tag::Paragraph | Tag::BlockQuote(_) | Tag::HtmlBlock => self.block(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.flush();
                self.style = Style::new();
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.indents.pop();
            }
            TagEnd::CodeBlock => self.code_lines(),
            TagEnd::Strong => self.strong -= 1,
            TagEnd::Emphasis => self.emphasized -= 1,
            TagEnd::Paragraph | TagEnd::BlockQuote(_) | TagEnd::HtmlBlock => self.flush(),
            _ => {}
        }
    }

    fn style(&self) -> Style {
        let mut style = self.style;
        if self.strong > 0 {
            style = style.add_modifier(Modifier::BOLD);
        }
        if self.emphasized > 0 {
            style = style.add_modifier(Modifier::ITALIC);
        }
        style
    }

    /// Takes in text: its words, of which the first and the last may be parts of longer ones.
    fn text(&mut self, given: &str, style: Style) {
        for (at, piece) in given.split(char::is_whitespace).enumerate() {
            if at > 0 {
                self.joins = Joins::Space;
            }
            if piece.is_empty() {
                continue;
            }
            let piece = (piece.to_owned(), style);
            match (self.joins, self.words.last_mut()) {
                (Joins::Word, Some(word)) => word.push(piece),
                _ => self.words.push(vec![piece]),
            }
            self.joins = Joins::Word;
        }
    }

    /// Another block begins: an empty line stands before it, except inside of an item.
    fn block(&mut self) {
        self.flush();
        if self.indents.is_empty() && !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
    }

    /// Ends the block under way.
    fn flush(&mut self) {
        self.joins = Joins::Space;
        let words = std::mem::take(&mut self.words);
        if words.is_empty() {
            return;
        }
        let indent = self.indents.iter().sum::<usize>().min(self.width);
        let room = self.width - indent;
        let (mut line, mut used) = (self.lead(indent), 0);
        for word in words {
            let word = self.cut(word, room);
            let columns: usize = word.iter().map(Span::width).sum();
            if used > 0 && used + 1 + columns > room {
                let next = self.lead(indent);
                self.lines.push(std::mem::replace(&mut line, next));
                used = 0;
            }
            if used > 0 {
                line.push_span(Span::raw(" "));
                used += 1;
            }
            line.extend(word);
            used += columns;
        }
        self.lines.push(line);
    }

    /// What stands before a line's text: an item's mark, once, or as much room.
    fn lead(&mut self, indent: usize) -> Line<'static> {
        let mark = std::mem::take(&mut self.mark);
        Line::from(text::safe(&format!("{mark:>indent$}"), indent, self.theme).into_owned())
    }

    /// A word in at most so many columns.
    fn cut(&self, word: Word, mut room: usize) -> Vec<Span<'static>> {
        let mut pieces = Vec::new();
        for (piece, style) in word {
            let piece = Span::styled(text::safe(&piece, room, self.theme).into_owned(), style);
            room -= piece.width().min(room);
            pieces.push(piece);
        }
        pieces
    }

    fn code_lines(&mut self) {
        let indent = 2 + self.indents.iter().sum::<usize>();
        for line in self.code.take().unwrap_or_default().lines() {
            let line = format!("{:indent$}{line}", "");
            self.lines.push(Line::styled(
                text::safe(line.trim_end(), self.width, self.theme).into_owned(),
                self.theme.label(),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str, width: usize) -> Vec<String> {
        lines(markdown, width, &Theme::default()).iter().map(ToString::to_string).collect()
    }

    /// What is bold, in one line.
    fn bold(markdown: &str, width: usize) -> String {
        let lines = lines(markdown, width, &Theme::default());
        let bold = |span: &&Span| span.style.add_modifier.contains(Modifier::BOLD);
        let spans = lines.iter().flat_map(|line| line.spans.iter().filter(bold));
        spans.map(|span| span.content.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn headings_lists_and_code_are_told_apart() {
        let text = "# What\n\nOne two\nthree.\n\n- a `b` c\n  d\n\n```rust\nlet x = 1;\n```\n";
        assert_eq!(shown(text, 12), ["What", "", "One two", "three.", "", "- a b c d", "", "  let x = 1;"]);
    }

    #[test]
    fn code_that_wraps_is_bold_on_both_lines_and_nothing_else_is() {
        for width in 6..40 {
            assert_eq!(bold("Call `lock and wait` and then **be** patient, as `x`.", width), "lock and wait be x");
        }
        assert_eq!(bold("one `` two ` `` three", 4), "two `", "a mark inside of code is code");
        assert_eq!(bold("one ` two", 4), "", "a mark without a partner is itself");
        assert_eq!(bold("a * b ** c", 4), "");
    }

    #[test]
    fn items_are_numbered_and_what_follows_a_mark_is_indented() {
        let text = "1. one two\n2. three\n   - four five\n\nsix";
        assert_eq!(shown(text, 9), ["1. one", "   two", "2. three", "   - four", "     five", "", "six"]);
    }

    #[test]
    fn a_word_is_not_broken_where_its_style_changes() {
        assert_eq!(shown("ab `cd`, e", 6), ["ab cd,", "e"]);
        assert_eq!(shown("a `bcdefgh`, g", 5), ["a", "bcde…", "g"]);
    }

    #[test]
    fn every_explanation_fits() {
        let theme = Theme::default();
        for lint in crate::diagnose::LINTS {
            assert!(lines(lint.explanation, 60, &theme).iter().all(|line| line.width() <= 60), "{}", lint.name);
        }
    }
}
