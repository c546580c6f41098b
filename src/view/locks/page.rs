//! One lock: its state, who holds it and who waits, who waits for whom, and how long it is held.
//!
//! ```text
//! ╭ Mutex src/state.rs:21 ──────────────────────────────────── asleep ╮
//! │ state     held by task 9 writer · for 1.20 s · inferred          │
//! │ acquired  12,003 times · 14/s · 38% had to wait                  │
//! │ held for  p50 1.02 ms · p99 65.5 ms · in 412 hand-overs          │
//! │ across    an await 14 times · longest 1.20 s                     │
//! ├ Who waits for whom ───────────────────────────────────────────────┤
//! │ Mutex src/state.rs:21                                            │
//! │ ╰─ held by task 9 writer, asleep                                 │
//! │    ╰─ waits for RwLock src/table.rs:9                            │
//! ├ 1 holds it · 14 wait ─────────────────────────────────────────────┤
//! │  Queue       For Access    Task            Location              │
//! ╰───────────────────────────────────────────────────────────────────╯
//! ```

use super::list::{self, render_list};
use crate::{
    app::{
        frame::{LastFrame, Pace, RowId},
        histogram::{Distribution, Percentile},
        labels::{holder_label, task_label},
        list::rows::{ListRow, RowList},
        locks::{
            list::LockRow,
            page::{Counts, LockDetail, LockUserColumn, LockUserRow, Role},
            wait_tree::{Node, TreeLine},
        },
    },
    model::{Basis, LockState, Model, Task},
    update::{Access, Across, ResourceId, Stamp},
    view::{
        style::{numbers, text, theme::Theme},
        widget::{
            bars,
            facts::{self, Text, draw, titled},
            table::{Cell, Row},
            tree,
        },
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// The list keeps at least this many rows, its heads included, when other parts want more.
const LIST_LEAST: u16 = 5;

/// What the page is about.
pub struct Subject<'a> {
    /// The lock.
    pub id: ResourceId,
    /// What is known of it; `None` where there is no lock of this id, or no longer.
    pub detail: Option<&'a LockDetail>,
    /// Who holds it, and who waits for it.
    pub users: &'a RowList<LockUserRow>,
}

/// Draws the page.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    subject: &Subject,
    model: &Model,
    now: Stamp,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let &Subject { id, detail, users } = subject;
    let Some(detail) = detail else {
        let inner = facts::frame(buffer, area, &format!("lock {id}"), "", theme);
        let mut text = Text::new(inner.width as usize, theme);
        text.prose("", "This lock was dropped and let go of, or the target never spoke of it.", theme.dim());
        draw(buffer, inner, &text.lines());
        return;
    };
    if detail.row.held.is_some() || detail.row.waiters > 0 {
        shown.hurry(Pace::Slow);
    }
    let title = format!("{} {}", detail.row.kind.name(), detail.place);
    let inner = facts::frame(buffer, area, &title, &list::state(&detail.row), theme);
    let width = inner.width as usize;
    let facts = facts(detail, now, width, theme);
    let tree = tree(detail, width, theme);
    let histogram = histogram(&detail.hold_times, width, theme);

    let list = (users.rows().len() as u16).saturating_add(2);
    let list_least = list.min(LIST_LEAST);
    let mut left = inner.height;
    let take = |left: &mut u16, wanted: usize, keep: u16| -> u16 {
        let taken = (wanted as u16).min(left.saturating_sub(keep));
        *left -= taken;
        taken
    };
    let facts_height = take(&mut left, facts.len(), list_least);
    // A line for its title.
    let tree_height = if tree.len() > 1 { take(&mut left, tree.len() + 1, list_least) } else { 0 };
    let fits = left > list_least + histogram.len() as u16 && !histogram.is_empty();
    let histogram_height = if fits { take(&mut left, histogram.len() + 1, list_least) } else { 0 };

    let mut y = inner.y;
    let mut part = |height: u16| {
        let area = Rect { y, height, ..inner };
        y += height;
        area
    };
    draw(buffer, part(facts_height), &facts);
    titled(buffer, inner, part(tree_height), "Who waits for whom", &tree, theme);
    let title = format!("Held for, {}", in_hand_overs(detail));
    titled(buffer, inner, part(histogram_height), &title, &histogram, theme);
    let rest = part(left);
    if rest.height < 2 {
        return;
    }
    facts::rule(buffer, inner, rest.y, &users_title(users, detail.row.waiters), theme);
    let list = Rect { x: rest.x.saturating_sub(1), y: rest.y + 1, width: rest.width + 2, height: rest.height - 1 };
    render_list(buffer, list, users, theme, shown, |row| user(row, id, model, theme));
}

fn users_title(users: &RowList<LockUserRow>, all: usize) -> String {
    let listed = users.rows().iter().filter(|row| matches!(row.role, Role::Waits(_))).count();
    let holders = users.rows().len() - listed;
    // An agent lists the first ones, and counts the others.
    let waiters = listed.max(all);
    let verb = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    match (holders, waiters) {
        (0, 0) => "Nobody is known to hold it or to wait".into(),
        (0, waiters) => verb(waiters, "waits", "wait"),
        (holders, waiters) => {
            format!("{}, {}", verb(holders, "holds it", "hold it"), verb(waiters, "waits", "wait"))
        }
    }
}

fn facts(detail: &LockDetail, now: Stamp, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut text = Text::new(width, theme);
    let row = &detail.row;
    let duration = |time| numbers::duration(time, theme);
    let words = state_words(row);
    let words = match (&detail.holder, row.others) {
        (None, _) => words.to_owned(),
        (Some(holder), 0) => format!("{words} by {holder}"),
        (Some(holder), others) => format!("{words} by {holder} and {others} more"),
    };
    let mut state = vec![text.styled(&words, list::state_style(row, theme))];
    if let Some(held) = row.held {
        state.push(text.plain(&format!("for {}", duration(held))));
        state.push(basis(&text, row.basis, theme));
    }
    text.entry("state", state);
    if detail.outlived {
        text.prose("", "That task has ended: its guard is in other hands, or forgotten.", theme.bad());
    }
    if let Some(unknown) = row.unknown {
        text.prose("", unknown.sentence(), theme.dim());
    }
    if let Some(doubt) = detail.doubt.as_ref().filter(|_| row.basis == Basis::Likely) {
        text.prose("not proven", doubt, theme.dim());
    }
    if let Some((ty, name)) = &detail.called {
        let mut pieces = vec![text.plain(ty)];
        pieces.extend((!name.is_empty()).then(|| text.plain(name)));
        pieces.push(text.styled("in memory", theme.dim()));
        text.entry("type", pieces);
    }
    let mut acquired = vec![
        text.plain(&facts::plural(row.acquisitions, "time")),
        text.plain(&format!("{}/s", numbers::rate(row.rate))),
    ];
    if detail.counts == Counts::NotTold {
        acquired.clear();
    }
    if let Some(contended) = row.contended {
        acquired.push(text.plain(&format!("{} had to wait", numbers::percent(contended))));
    }
    if !detail.longest_wait.is_zero() {
        acquired.push(text.plain(&format!("longest wait {}", duration(detail.longest_wait))));
    }
    if let Some(age) = detail.age {
        acquired
            .push(text.styled(&format!("{} {}", if row.gone { "lived" } else { "age" }, duration(age)), theme.dim()));
    }
    acquired.push(text.styled(&format!("number {}", row.number), theme.dim()));
    acquired.push(text.styled(&format!("id {}", row.id), theme.dim()));
    text.entry(if detail.counts == Counts::NotTold { "lock" } else { "acquired" }, acquired);
    if detail.hold_times.count() > 0 {
        let percentile = |percent| match detail.hold_times.percentile(percent) {
            Some(Percentile::AtMost(time) | Percentile::Over(time)) => duration(time),
            None => String::new(),
        };
        let mut held =
            vec![text.plain(&format!("p50 {}", percentile(50))), text.plain(&format!("p99 {}", percentile(99)))];
        if let Some(longest) = detail.hold_times.longest {
            held.push(text.plain(&format!("max {}", duration(longest))));
        }
        held.push(text.styled(&in_hand_overs(detail), theme.dim()));
        text.entry("held for", held);
    }
    across(&mut text, detail, now, theme);
    for places in &detail.places {
        let mut pieces = vec![text.styled(&places.holder, theme.title())];
        pieces.extend(places.acquired.as_ref().map(|at| text.plain(&format!("took it in {at}"))));
        pieces.extend(places.asleep.as_ref().map(|at| text.styled(&format!("sleeps in {at}"), theme.notice())));
        pieces.extend(places.span.as_ref().map(|span| text.plain(span)));
        text.entry("where", pieces);
    }
    text.findings(&detail.findings, now);
    text.lines()
}

/// How it is known who holds a lock.
pub(crate) fn basis(text: &Text, basis: Basis, theme: &Theme) -> facts::Piece {
    match basis {
        Basis::Exact => text.styled("exact", theme.good()),
        Basis::Inferred => text.styled("inferred", theme.dim()),
        Basis::Likely => text.styled("likely", theme.notice()),
    }
}

/// What hold times are known from: without an agent, both ends of a hold are told only there.
fn in_hand_overs(detail: &LockDetail) -> String {
    match detail.row.basis {
        Basis::Exact | Basis::Likely => format!("in {}", facts::plural(detail.hold_times.count(), "hold")),
        Basis::Inferred => format!("in {} to a waiter", facts::plural(detail.hold_times.count(), "hand-over")),
    }
}

fn state_words(row: &LockRow) -> &'static str {
    match (row.gone, row.state) {
        (true, _) => "dropped",
        (_, LockState::Unknown) => "unknown",
        (_, LockState::Free) => "free",
        (_, LockState::Shared(_)) => "held to read",
        (_, LockState::Exclusive) => "held",
    }
}

/// Tasks that were seen asleep with it.
fn across(text: &mut Text, detail: &LockDetail, now: Stamp, theme: &Theme) {
    let across = &detail.across;
    if across.count == 0 {
        return;
    }
    let duration = |time| numbers::duration(time, theme);
    let times = if across.count == 1 { "once".into() } else { format!("{} times", numbers::grouped(across.count)) };
    let mut pieces = vec![
        text.styled(&format!("an await {times}"), theme.notice()),
        text.plain(&format!("longest {}", duration(across.longest))),
    ];
    if let (Some(latest), Some(by)) = (&across.latest, &detail.across_by) {
        pieces.push(text.plain(&format!("last {by}, {} ago", duration(now.since(latest.seen)))));
    }
    if across.most_waiters > 0 {
        let most = format!("up to {} waited up to {}", across.most_waiters, duration(across.longest_wait));
        pieces.push(text.plain(&most));
    }
    text.entry("across", pieces);
}

fn histogram(values: &Distribution, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    if values.count() == 0 { Vec::new() } else { bars::histogram(values, width.min(90), theme) }
}

/// In fewer columns no place can be told from others.
const PLACE_LEAST: usize = 12;

fn tree(detail: &LockDetail, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    detail.tree.iter().map(|line| tree_line(line, width, theme)).collect()
}

fn tree_line(line: &TreeLine, width: usize, theme: &Theme) -> Line<'static> {
    let (drawn, _) = tree::prefix(&line.levels, theme);
    let room = width.saturating_sub(text::columns(&drawn));
    let (said, style) = match &line.node {
        Node::Lock { label, .. } if line.levels.is_empty() => (label.clone(), theme.title()),
        Node::Lock { label, .. } => (waits_for(label, "", room, theme), Style::new()),
        Node::Holder { label, outlived: true, .. } => {
            (format!("held by a guard of {label}, which has ended"), theme.bad())
        }
        Node::Holder { label, across: Across::Await, .. } => (format!("held by {label}, asleep"), theme.notice()),
        Node::Holder { label, across: Across::SamePoll, .. } => (format!("held by {label}, in its poll"), Style::new()),
        Node::Unknown { why } => (format!("nobody can tell who holds it: {why}"), theme.dim()),
        Node::Cycle { label, .. } => (waits_for(label, ", which stands above: a cycle", room, theme), theme.bad()),
        Node::Again { .. } => ("waits for it again".to_owned(), Style::new()),
        Node::Above { label, .. } => (waits_for(label, ", which stands above", room, theme), Style::new()),
        Node::More => ("and so on".to_owned(), theme.dim()),
    };
    Line::from(vec![
        Span::styled(text::safe(&drawn, width, theme).into_owned(), theme.dim()),
        Span::styled(text::safe(&said, room, theme).into_owned(), style),
    ])
}

/// That a lock is waited for, and more of it. Where room is scarce, the place loses its beginning.
fn waits_for(label: &str, more: &str, room: usize, theme: &Theme) -> String {
    let (what, place) = label.rsplit_once(' ').unwrap_or((label, ""));
    let before = format!("waits for {what} ");
    let left = room.saturating_sub(text::columns(&before) + text::columns(more));
    format!("{before}{}{more}", text::safe_end(place, left.max(PLACE_LEAST), theme))
}

fn user(row: &LockUserRow, lock: ResourceId, model: &Model, theme: &Theme) -> Row {
    let task = model.tasks().get(row.task);
    // A thread that runs no task is named by what it holds.
    let label = || {
        let hold = model.lock(lock).and_then(|(_, lock)| lock.holds.iter().find(|hold| hold.acquire.op == row.op));
        hold.map_or_else(|| task_label(model, row.task), |hold| holder_label(model, hold))
    };
    let cell = |column| match column {
        LockUserColumn::Role => match row.role {
            Role::HoldsAsleep => Cell::Text("holds, asleep".into(), theme.notice()),
            Role::Outlived => Cell::Text("holds, ended".into(), theme.bad()),
            Role::Holds => Cell::Text("holds".into(), theme.good()),
            Role::Waits(place) => Cell::Text(format!("{place}"), Style::new()),
        },
        LockUserColumn::Time => match row.time {
            Some(time) => Cell::Text(numbers::duration(time, theme), Style::new()),
            None => Cell::Empty,
        },
        LockUserColumn::Access => {
            let word = match row.access {
                Access::Shared => "read",
                Access::Exclusive => "exclusive",
            };
            Cell::Text(word.into(), Style::new())
        }
        LockUserColumn::Task => Cell::text(&label(), theme.title(), theme),
        LockUserColumn::State => match task.map(Task::state) {
            Some(state) => Cell::Text(format!("{} {}", theme.state_mark(state), state.name()), theme.state(state)),
            None => Cell::Text("unknown".into(), theme.dim()),
        },
        LockUserColumn::Location => match task {
            Some(task) if task.place().is_known() => {
                Cell::path(&model.place(task.place()).to_string(), theme.dim(), theme)
            }
            _ => Cell::Empty,
        },
    };
    Row {
        id: RowId::Op(row.op),
        cells: LockUserRow::COLUMNS.iter().map(|spec| cell(spec.column)).collect(),
        style: Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_waited_for_is_known_by_its_number_and_the_end_of_its_place() {
        let theme = Theme::default();
        let label = "Mutex 26 demo-server/src/scenarios/one_filter_for_all.rs:29";
        assert_eq!(waits_for(label, "", 80, &theme), format!("waits for {label}"));
        assert_eq!(waits_for(label, "", 46, &theme), "waits for Mutex 26 …s/one_filter_for_all.rs:29");
        let more = ", which stands above: a cycle";
        let narrow = waits_for(label, more, 20, &theme);
        assert_eq!(narrow, format!("waits for Mutex 26 …r_all.rs:29{more}"), "what is left of it is cut elsewhere");
    }
}
