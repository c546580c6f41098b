//! The part of a task's page that is read in memory: the chain as a tree, what it waits for and who has that, what it has.
//!
//! ```text
//! ─ Awaits ──────────────────────────────────────────────
//!  orders::serve                     src/main.rs:31
//!    … 5 frames of axum, tower
//!    orders::load                    src/store.rs:22
//! waits for Mutex<Conn> conn of orders::slow · proven · 2nd of 14
//! held by   task 9 orders::report · proven
//! ```

use crate::{
    app::{
        options::{Charset, StackForm},
        tasks::look::{FrameLine, LookLines, WaitLine, Whose},
    },
    number::ordinal,
    update::look::Certainty,
    view::{
        style::{text, theme::Theme},
        widget::facts::{Piece, Text},
    },
};
use ratatui::{
    style::Style,
    text::{Line, Span},
};

/// Deeper frames are drawn no further in.
const INDENT_MOST: u16 = 12;

/// Draws it.
pub(super) fn look(out: &mut Text, told: &LookLines, form: StackForm, width: usize, theme: &Theme) {
    out.section("Awaits");
    for line in chain(&told.frames, form, width, theme) {
        out.line(line);
    }
    if !told.unread.is_empty() {
        out.prose("not known", &told.unread, theme.dim());
    }
    if let Some(fate) = told.fate {
        out.prose("", fate, theme.notice());
    }
    if !told.queued.is_empty() {
        out.entry("queued", [out.plain(&told.queued)]);
    }
    for awaited in &told.waits {
        wait(out, awaited, theme);
    }
    for claim in &told.claims {
        let pieces = [out.plain(claim), out.styled("by what its frames have", theme.dim())];
        out.entry("has", pieces);
    }
}

fn wait(out: &mut Text, awaited: &WaitLine, theme: &Theme) {
    let mut pieces = vec![out.styled(&awaited.what, theme.title()), certainty(out, awaited.certainty, theme)];
    if let Some((at, of)) = awaited.place {
        pieces.push(out.plain(&format!("{} of {of} in its queue", ordinal(at as u64))));
    }
    out.entry("waits for", pieces);
    for (holder, known) in &awaited.holders {
        let pieces = [out.plain(holder), certainty(out, *known, theme)];
        out.entry("held by", pieces);
    }
}

fn certainty(out: &Text, certainty: Certainty, theme: &Theme) -> Piece {
    match certainty {
        Certainty::Proven => out.styled("proven", theme.good()),
        Certainty::Likely | Certainty::Sampled => out.styled(certainty.name(), theme.notice()),
    }
}

/// The chain: the service's own frames, and of the libraries between them how many there are, unless all are wanted.
fn chain(frames: &[FrameLine], form: StackForm, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut run: Vec<&FrameLine> = Vec::new();
    for frame in frames {
        match (form, frame.whose) {
            (StackForm::Folded, Whose::Library) => {
                run.push(frame);
                continue;
            }
            (StackForm::Folded, Whose::Leaf) => continue,
            _ => {}
        }
        lines.extend(folded(&run, width, theme));
        run.clear();
        lines.push(line(frame, width, theme));
    }
    lines.extend(folded(&run, width, theme));
    lines
}

fn indent(steps: u16) -> String {
    " ".repeat(1 + 2 * usize::from(steps.min(INDENT_MOST)))
}

fn folded(run: &[&FrameLine], width: usize, theme: &Theme) -> Option<Line<'static>> {
    let first = run.first()?;
    let mut of: Vec<&str> = run.iter().map(|frame| library(&frame.name)).collect();
    of.sort_unstable();
    of.dedup();
    let more = match theme.charset() {
        Charset::Unicode => "…",
        Charset::Ascii => "...",
    };
    let frames = if run.len() == 1 { "frame" } else { "frames" };
    let said = format!("{}{more} {} {frames} of {}", indent(first.indent), run.len(), of.join(", "));
    Some(Line::styled(text::safe(&said, width, theme).into_owned(), theme.dim()))
}

/// The crate of a function, or what a wrapper is called.
fn library(name: &str) -> &str {
    let end = name.find(['<', ' ']).unwrap_or(name.len());
    let plain = name.get(..end).unwrap_or(name);
    plain.split("::").next().unwrap_or(plain)
}

fn line(frame: &FrameLine, width: usize, theme: &Theme) -> Line<'static> {
    let (style, place_style) = match frame.whose {
        Whose::Service => (theme.title(), Style::new()),
        Whose::Shape => (Style::new(), theme.dim()),
        Whose::Library | Whose::Leaf => (theme.dim(), theme.dim()),
    };
    let names = (width / 2).clamp(10, 60);
    let note = if frame.note.is_empty() { String::new() } else { format!(" ({})", frame.note) };
    let name = format!("{}{}{note}", indent(frame.indent), frame.name);
    let room = width.saturating_sub(names + 1);
    Line::from(vec![
        Span::styled(text::left(&name, names, theme), style),
        Span::raw(" "),
        Span::styled(text::safe_end(&frame.place, room, theme).into_owned(), place_style),
    ])
}
