//! The workers: a lane each, below them their runtimes, and the stack of one that is stalled.
//!
//! ```text
//! ╭ Workers ──────────────────────────────────────── 4 · 1 stalled · 67% busy ╮
//! │ Worker State    Last minute  Busy Polls          For Queue Polls/s Parks/s │
//! │▌0      stalled  ▁▁▂▂▁▅████  100% report       3.42 s    14       0       0 │
//! │ 1      polling  ▁▂▁▂▁▂▁▂▁▂   31% conn-3        12 µs     0   1,203     402 │
//! ├ Runtimes ─────────────────────────────────────────────────────────────────┤
//! │ main      multi-thread · 4 workers · 118 tasks · 0 queued                  │
//! ├ Worker 0: 3.42 s in one poll of task 17 report ────────────────────────────┤
//! │ ▌ report::render          src/report.rs:88                                 │
//! ╰────────────────────────────────────────────────────────────────────────────╯
//! ```

use crate::{
    app::{
        frame::{LastFrame, Pace, RowId},
        labels::task_short,
        list::rows::{ListRow, RowList},
        options::StackForm,
        screens::Screen,
        state::App,
        workers::{
            list::{WorkerColumn, WorkerRow, WorkerState, workers_load},
            page::StallLine,
        },
    },
    model::{Model, Runtime},
    update::{Fact, RuntimeStats, Stamp},
    view::{
        locks::list::render_list,
        shell::empty::{self, Empty},
        style::{numbers, theme::Theme},
        widget::{
            facts::{self, Piece, Text},
            pane, stack,
            table::{Cell, Row},
        },
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};
use std::time::Duration;

/// The list keeps at least this many rows, its heads included, when other parts want more.
const LIST_LEAST: u16 = 5;

/// What the screen shows.
pub struct Subject<'a> {
    /// The workers.
    pub list: &'a RowList<WorkerRow>,
    /// The target.
    pub model: &'a Model,
    /// The target's clock.
    pub now: Stamp,
    /// What is said besides where there can be none.
    pub advice: &'static [&'static str],
    /// How stacks are shown.
    pub stacks: StackForm,
}

impl<'a> Subject<'a> {
    /// What an app shows at `now`.
    pub fn of(app: &'a App, now: Stamp) -> Self {
        let (list, model) = (&app.panels.workers.rows, app.session().model());
        // Who has an agent needs no advice to get one.
        let has_agent = app.session().status().begun.as_ref().is_some_and(|begun| begun.process.is_some());
        Self { list, model, now, advice: if has_agent { &[] } else { ADVICE }, stacks: app.stacks }
    }
}

/// How there come to be workers.
const ADVICE: &[&str] = &[
    "It tells which task each worker polls and for how long, how busy it is, and the stack of one that is stalled.",
    "In the service, put it in the place of console-subscriber: `cargo add holdup-agent`, and in main, before anything is spawned, `holdup_agent::init()`.",
    "It serves the console's format too, so that everything else goes on as before.",
];

/// Draws the screen.
pub fn render(buffer: &mut Buffer, area: Rect, subject: &Subject, theme: &Theme, shown: &mut LastFrame) {
    let &Subject { list, model, now, .. } = subject;
    let inner = pane::render(buffer, area, "Workers", &heading(list, model, theme), theme);
    if model.agent().workers().is_empty() && model.agent().runtimes().is_empty() {
        return nobody(buffer, inner, subject, theme);
    }
    shown.hurry(Pace::Slow);
    let text = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let runtimes = runtimes(model, now, text.width as usize, inner.height as usize * 2 / 5, theme);
    let stalled = stalled(list, model, now);
    if stalled.is_some() {
        shown.hurry(Pace::Fast);
    }
    let rows = (list.rows().len() as u16).saturating_add(1);
    let least = rows.min(LIST_LEAST);
    let mut left = inner.height.saturating_sub(least);
    let runtimes_height = (runtimes.len() as u16 + 1).min(left);
    left -= runtimes_height;
    let stack = stalled.map(|(title, stall)| {
        let frames = stall.stack.as_ref().map_or(0, |stack| stack::height(stack, subject.stacks)) + 4;
        // The lanes come first; what room they leave is the stack's.
        let room = left.saturating_sub(rows.saturating_sub(least).min(left / 2)).min(frames as u16 + 1);
        (title, stall, room)
    });
    let stack_height = stack.as_ref().map_or(0, |(.., room)| *room);
    let height = inner.height - runtimes_height - stack_height;
    render_list(buffer, Rect { height, ..inner }, list, theme, shown, |row| worker(row, model, now, theme));
    titled(buffer, text, inner.y + height, runtimes_height, "Runtimes", &runtimes, theme);
    if let Some((title, stall, room)) = stack {
        let lines = stall_lines(&stall, subject.stacks, text.width as usize, room.saturating_sub(1) as usize, theme);
        titled(buffer, text, inner.y + height + runtimes_height, room, &title, &lines, theme);
    }
}

fn heading(list: &RowList<WorkerRow>, model: &Model, theme: &Theme) -> String {
    if list.rows().is_empty() {
        return String::new();
    }
    let stalled = list.rows().iter().filter(|row| row.doing == WorkerState::Stalled).count();
    let mut parts = vec![numbers::grouped(list.rows().len() as u64)];
    if stalled > 0 {
        parts.push(format!("{stalled} stalled"));
    }
    parts.extend(workers_load(model).map(|load| format!("{} busy", numbers::percent(load))));
    parts.join(&format!(" {} ", theme.symbols().dot))
}

fn titled(buffer: &mut Buffer, area: Rect, y: u16, height: u16, title: &str, lines: &[Line<'static>], theme: &Theme) {
    if height < 2 {
        return;
    }
    facts::rule(buffer, area, y, title, theme);
    for (line, y) in lines.iter().zip(y + 1..y + height) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// Nobody is known: why, and what to do about it.
fn nobody(buffer: &mut Buffer, area: Rect, subject: &Subject, theme: &Theme) {
    let empty = Empty {
        screen: Screen::Workers,
        knows: subject.model.knows(),
        otherwise: &["Waiting for the agent's first report."],
        advice: subject.advice,
    };
    empty::list(buffer, area, empty, theme);
}

/// The stall to show: the selected worker's, or else the first that there is.
fn stalled(list: &RowList<WorkerRow>, model: &Model, now: Stamp) -> Option<(String, StallLine)> {
    let selected = list.selected().filter(|&id| model.agent().stall_of_worker(id).is_some());
    let id = selected.or_else(|| list.rows().iter().find(|row| row.doing == WorkerState::Stalled).map(|row| row.id))?;
    let stall = StallLine::of(model, model.agent().stall_of_worker(id)?, now);
    Some((format!("Worker {}, stalled by {}", model.agent().worker_label(id), stall.label), stall))
}

/// A stall in at most so many lines: what the thread is doing, and its stack.
pub(crate) fn stall_lines(
    stall: &StallLine,
    form: StackForm,
    width: usize,
    most: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut text = Text::new(width, theme);
    let lasted = numbers::duration(stall.lasted, theme);
    let mut pieces = vec![match stall.ended {
        Some(_) => text.plain(&format!("{lasted} in one poll")),
        None => text.styled(&format!("{lasted} in one poll"), theme.bad()),
    }];
    if stall.queued > 0 {
        pieces.push(text.styled(&format!("{} behind it", facts::plural(stall.queued, "task")), theme.notice()));
    }
    if !stall.on_cpu.is_zero() {
        pieces.push(text.plain(&format!("{} on a CPU", numbers::duration(stall.on_cpu, theme))));
    }
    text.entry("stalled", pieces);
    text.prose("thread", &stall.cause, Style::new());
    if let Some(span) = &stall.span {
        text.prose("span", span, Style::new());
    }
    if !stall.limitation.is_empty() {
        text.prose("not known", &stall.limitation, theme.dim());
    }
    let mut lines = text.lines();
    match &stall.stack {
        Some(stack) => lines.extend(stack::lines(stack, form, width, most.saturating_sub(lines.len()), theme)),
        None => lines.push(Line::styled("no stack was captured", theme.dim())),
    }
    lines.truncate(most);
    lines
}

/// What there is to say of the runtimes, in brief where that would take more than `most` lines.
fn runtimes(model: &Model, now: Stamp, width: usize, most: usize, theme: &Theme) -> Vec<Line<'static>> {
    let told = |one: fn(&mut Text, &Runtime, Stamp, &Theme)| {
        let mut text = Text::new(width, theme);
        for runtime in model.agent().runtimes() {
            one(&mut text, runtime, now, theme);
        }
        for (kind, count) in model.agent().losses().since_attached() {
            text.entry("not kept", [text.styled(&format!("{} {kind}", numbers::grouped(count)), theme.dim())]);
        }
        text.lines()
    };
    let lines = told(runtime);
    if lines.len() <= most { lines } else { told(in_brief) }
}

/// A runtime's numbers, and what holds of the whole of it.
pub(crate) fn runtime(text: &mut Text, runtime: &Runtime, now: Stamp, theme: &Theme) {
    let stats = &runtime.stats;
    let count = |number: u64, noun: &str| facts::plural(number, noun);
    let queued = |text: &Text, number: u64, said: &str| {
        let style = if number > 0 { theme.notice() } else { Style::new() };
        text.styled(&format!("{} {said}", numbers::grouped(number)), style)
    };
    let mut pieces = vec![text.styled(&runtime.label(), theme.title())];
    pieces.extend(stats.flavor.map(|flavor| text.plain(flavor.name())));
    pieces.push(text.plain(&count(stats.workers, "worker")));
    pieces.push(text.plain(&count(stats.alive_tasks, "task")));
    pieces.push(queued(text, stats.global_queue, "in the global queue"));
    let busy = stats.blocking_threads.saturating_sub(stats.idle_blocking_threads);
    pieces.push(text.plain(&format!(
        "blocking {} of {} busy",
        numbers::grouped(busy),
        count(stats.blocking_threads, "thread")
    )));
    if stats.blocking_queue > 0 {
        pieces.push(queued(text, stats.blocking_queue, "blocking queued"));
    }
    // Memory tells of no events.
    if stats.io_registered > 0 || stats.io_ready > 0 {
        let io = numbers::rate(runtime.io_rate.per_second(now));
        pieces.push(text.plain(&format!("I/O {} watched, {io} events/s", numbers::grouped(stats.io_registered))));
    }
    if stats.budget_yields > 0 {
        pieces.push(text.plain(&format!("{} forced", count(stats.budget_yields, "yield"))));
    }
    pieces.extend(unserved(text, stats, theme));
    text.entry("runtime", pieces);
    verdicts(text, stats, now, theme);
}

/// Timers are looked at once a millisecond, by a thread that may have to wait for a processor: this late they are late.
const LATE: Duration = Duration::from_millis(10);

/// That nobody drives a runtime, or that it is late.
fn unserved(text: &Text, stats: &RuntimeStats, theme: &Theme) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if stats.driven == Some(false) {
        pieces.push(text.styled("driven by no thread", theme.notice()));
    }
    if let Some(lag) = stats.timer_lag.filter(|lag| *lag >= LATE) {
        pieces.push(text.styled(&format!("timers {} late", numbers::duration(lag, theme)), theme.notice()));
    }
    pieces
}

/// The same where there is room for little more than a line.
fn in_brief(text: &mut Text, runtime: &Runtime, now: Stamp, theme: &Theme) {
    let stats = &runtime.stats;
    let mut pieces = vec![text.styled(&runtime.label(), theme.title())];
    pieces.push(text.plain(&facts::plural(stats.workers, "worker")));
    pieces.push(text.plain(&facts::plural(stats.alive_tasks, "task")));
    for (number, said) in [(stats.global_queue, "in the global queue"), (stats.blocking_queue, "blocking queued")] {
        if number > 0 {
            pieces.push(text.styled(&format!("{} {said}", numbers::grouped(number)), theme.notice()));
        }
    }
    pieces.extend(unserved(text, stats, theme));
    text.entry("runtime", pieces);
    verdicts(text, stats, now, theme);
}

fn verdicts(text: &mut Text, stats: &RuntimeStats, now: Stamp, theme: &Theme) {
    for verdict in &stats.verdicts {
        let lasted = verdict.since.map(|since| format!(", for {}", numbers::duration(now.since(since), theme)));
        let said = format!("{}{}", verdict.kind.in_words(), lasted.unwrap_or_default());
        text.prose("", &said, theme.bad());
    }
}

fn worker(row: &WorkerRow, model: &Model, now: Stamp, theme: &Theme) -> Row {
    let counts = model.knows().has(Fact::WorkerCounts);
    let cell = |column| match column {
        WorkerColumn::Worker => Cell::text(&model.agent().worker_label(row.id), theme.title(), theme),
        WorkerColumn::State => Cell::Text(row.doing.name().into(), worker_state_style(row.doing, theme)),
        WorkerColumn::Lane => match model.agent().worker(row.id) {
            _ if !counts => Cell::Text(theme.symbols().unknown.to_owned(), theme.dim()),
            Some(worker) => Cell::Lane(worker.lane.shares(now)),
            None => Cell::Empty,
        },
        WorkerColumn::Busy | WorkerColumn::Polls | WorkerColumn::Steals | WorkerColumn::Parks if !counts => {
            Cell::Text(theme.symbols().unknown.to_owned(), theme.dim())
        }
        WorkerColumn::Busy => Cell::Text(numbers::percent(row.busy), theme.heat(row.busy)),
        WorkerColumn::Task => match row.task {
            Some(task) => Cell::text(&task_short(model, task), Style::new(), theme),
            None => Cell::Empty,
        },
        WorkerColumn::For => match row.polling {
            Some(time) => Cell::Text(numbers::duration(time, theme), worker_state_style(row.doing, theme)),
            None => Cell::Empty,
        },
        WorkerColumn::Queue => {
            Cell::Text(numbers::count(row.queue), if row.queue > 0 { theme.notice() } else { Style::new() })
        }
        WorkerColumn::Polls => Cell::Text(numbers::rate(row.polls), Style::new()),
        WorkerColumn::Steals => Cell::Text(numbers::rate(row.steals), Style::new()),
        WorkerColumn::Parks => Cell::Text(numbers::rate(row.parks), Style::new()),
        WorkerColumn::CpuWait => match row.cpu_wait {
            Some(share) => Cell::Text(numbers::percent(share), cpu_wait_style(share, theme)),
            None => Cell::Text(theme.symbols().unknown.to_owned(), theme.dim()),
        },
    };
    Row {
        id: RowId::Worker(row.id),
        cells: WorkerRow::COLUMNS.iter().map(|spec| cell(spec.column)).collect(),
        style: Style::new(),
    }
}

/// From this share of its time on a worker that waits for a processor is worth a look.
const WAITS: f64 = 0.1;

/// How the share is drawn in which a worker waited for a processor.
pub(crate) fn cpu_wait_style(share: f64, theme: &Theme) -> Style {
    if share >= WAITS { theme.notice() } else { Style::new() }
}

/// How what a worker is doing is drawn.
pub(crate) fn worker_state_style(doing: WorkerState, theme: &Theme) -> Style {
    match doing {
        WorkerState::Stalled => theme.bad(),
        WorkerState::Polling => theme.good(),
        WorkerState::Idle => Style::new(),
        WorkerState::NoThread => theme.dim(),
    }
}
