//! A page as the rules see it: its links, what its headings are linked to by, and what it shows between backticks.

use super::source::{Source, files, root};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::fs;

/// Every page that a reader of the repository has: those of the book, and those beside it.
pub(crate) fn pages() -> Vec<Source> {
    let beside = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"];
    let beside = beside
        .map(|path| Source { path: path.into(), text: fs::read_to_string(root().join(path)).expect("it is there") });
    let pages: Vec<Source> = beside.into_iter().chain(of_the_book()).collect();
    assert!(pages.len() > 40, "the pages were not found: {}", pages.len());
    pages
}

/// The pages of the book, and its table of contents.
pub(crate) fn of_the_book() -> Vec<Source> {
    files(&["docs"], ".md")
}

fn events(page: &str) -> Parser<'_> {
    Parser::new_ext(page, Options::ENABLE_TABLES)
}

/// Where a page's links and pictures lead.
pub(crate) fn links(page: &str) -> Vec<String> {
    let to = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    events(page).filter_map(to).collect()
}

/// What its headings can be linked to by, as code hosts and mdBook make it.
pub(crate) fn anchors(page: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::<String>::new(), None::<String>);
    for event in events(page) {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { .. }), _) => open = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(heading)) => heading.push_str(&text),
            (Event::End(TagEnd::Heading(_)), Some(heading)) => {
                let anchor = anchor(heading);
                let before = found.iter().filter(|other| **other == anchor).count();
                found.push(if before == 0 { anchor } else { format!("{anchor}-{before}") });
                open = None;
            }
            _ => {}
        }
    }
    found
}

fn anchor(heading: &str) -> String {
    let letter = |letter: char| match letter {
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
        _ if letter.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.chars().filter_map(letter).collect()
}

/// Its blocks of code, each with the language that it is said to be.
pub(crate) fn blocks(page: &str) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), None::<(String, String)>);
    for event in events(page) {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))), _) => {
                open = Some((language.to_string(), String::new()));
            }
            (Event::Text(text), Some((_, code))) => code.push_str(&text),
            (Event::End(TagEnd::CodeBlock), _) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

/// What stands between backticks in its sentences.
pub(crate) fn spans(page: &str) -> Vec<String> {
    let code = |event| if let Event::Code(text) = event { Some(text.to_string()) } else { None };
    events(page).filter_map(code).collect()
}

#[test]
fn a_page_is_taken_apart() {
    let page = "# A `b` c, and d!\n\n[to](x.md#y) ![p](p.svg)\n\n## Twice\n\n## Twice\n\n```console\n$ a\n```\n\n| `c` |\n|---|\n| [t](t.md) |\n";
    assert_eq!(links(page), ["x.md#y", "p.svg", "t.md"]);
    assert_eq!(anchors(page), ["a-b-c-and-d", "twice", "twice-1"]);
    assert_eq!(blocks(page), [("console".to_owned(), "$ a\n".to_owned())]);
    assert_eq!(spans(page), ["b", "c"]);
}
