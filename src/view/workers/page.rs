//! One worker: what it is doing, a minute of its busy share, the stack of the poll that keeps it, and the stalls before.
//!
//! ```text
//! ╭ Worker 2 ──────────────────────────────────────────── stalled for 3.42 s ╮
//! │ polls     task 17 report · for 3.42 s                                    │
//! │ minute    ▁▁▂▁▁▁▂▁▁▁▁▁▁▁▁▁▁▁▅██████████  busy 100% of late               │
//! │ ─ In one poll ────────────────────────────────────────────────────────── │
//! │ thread    sleeps on purpose, as by std::thread::sleep                    │
//! │    4 frames of libc and std, in std::thread::sleep                       │
//! │  ▌ report::render             src/report.rs:88                           │
//! │ ─ When asked ─────────────────────────────────────────────────────────── │
//! │ then      running · task 17 report · 1.20 s ago                          │
//! ╰──────────────────────────────────────────────────────────────────────────╯
//! ```

use super::list::{cpu_wait_style, stall_lines, worker_state_style};
use crate::{
    app::{
        frame::{LastFrame, Pace},
        options::StackForm,
        scroll::Scroll,
        workers::{
            list::WorkerState,
            page::{AskedLine, StallLine, ThreadLine, WorkerDetail},
        },
    },
    update::{Frame, Stamp, WorkerId},
    view::{
        style::{numbers, text, theme::Theme},
        widget::{
            facts::{self, Piece, Text},
            sparkline::sparkline,
            stack,
        },
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// A page can be scrolled: its stack is shown whole.
const FRAMES_MOST: usize = 400;

/// Draws the page. `detail` is `None` where no such worker was ever told of.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    (id, detail, form): (WorkerId, Option<&WorkerDetail>, StackForm),
    now: Stamp,
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let width = area.width.saturating_sub(4) as usize;
    let Some(detail) = detail else {
        let mut text = Text::new(width, theme);
        text.prose("", "Nothing is known of this worker, or no longer.", theme.dim());
        return facts::render(buffer, area, (&format!("Worker {}", id.index), ""), &text.lines(), scroll, theme, shown);
    };
    shown.hurry(if detail.row.doing == WorkerState::Stalled { Pace::Fast } else { Pace::Slow });
    let title = format!("Worker {}", detail.label);
    let right = match detail.row.polling {
        Some(time) => format!("{} for {}", detail.row.doing.name(), numbers::duration(time, theme)),
        None => detail.row.doing.name().to_owned(),
    };
    facts::render(buffer, area, (&title, &right), &lines(detail, form, now, width, theme), scroll, theme, shown);
}

fn lines(detail: &WorkerDetail, form: StackForm, now: Stamp, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut text = Text::new(width, theme);
    identity(&mut text, detail, theme);
    counters(&mut text, detail, theme);
    if !detail.findings.is_empty() {
        text.section("Findings");
        text.findings(&detail.findings, now);
    }
    if let Some(stall) = &detail.stall {
        text.section("In one poll");
        for line in stall_lines(stall, form, width, FRAMES_MOST, theme) {
            text.line(line);
        }
    }
    if let Some(asked) = &detail.asked {
        asked_lines(&mut text, asked, form, width, theme);
    }
    if let (None, Some(thread)) = (&detail.stall, &detail.thread) {
        thread_lines(&mut text, thread, form, width, theme);
    }
    if !detail.before.is_empty() {
        text.section("Stalls before");
        for stall in &detail.before {
            text.line(before(stall, width, theme));
        }
        if let (None, Some(latest)) = (&detail.stall, detail.before.first()) {
            text.section("The latest of them");
            for line in stall_lines(latest, form, width, FRAMES_MOST, theme) {
                text.line(line);
            }
        }
    }
    text.lines()
}

/// What the worker was doing when somebody asked: no stall, and nobody's fault.
fn asked_lines(text: &mut Text, asked: &AskedLine, form: StackForm, width: usize, theme: &Theme) {
    text.section("When asked");
    let mut pieces = vec![text.plain(asked.doing)];
    pieces.extend(asked.task.as_ref().map(|task| text.styled(task, theme.title())));
    pieces.push(text.styled(&format!("{} ago", numbers::duration(asked.ago, theme)), theme.dim()));
    text.entry("then", pieces);
    if let Some(stack) = &asked.stack {
        for line in stack::lines(stack, form, width, FRAMES_MOST, theme) {
            text.line(line);
        }
    }
}

/// What the thread does, and its stack.
fn thread_lines(text: &mut Text, thread: &ThreadLine, form: StackForm, width: usize, theme: &Theme) {
    text.section("Its thread");
    let mut pieces = vec![text.plain(&thread.doing)];
    if let Some(stopped) = thread.stopped {
        let said = format!("was stopped for {} to be read", numbers::duration(stopped, theme));
        pieces.push(text.styled(&said, theme.notice()));
    }
    text.entry("does", pieces);
    if let Some(stack) = &thread.stack {
        for line in stack::lines(stack, form, width, FRAMES_MOST, theme) {
            text.line(line);
        }
    }
}

fn identity(text: &mut Text, detail: &WorkerDetail, theme: &Theme) {
    let row = &detail.row;
    let mut pieces = vec![text.styled(row.doing.name(), worker_state_style(row.doing, theme))];
    pieces.extend(detail.task.as_ref().map(|task| text.styled(task, theme.title())));
    pieces.extend(row.polling.map(|time| text.plain(&format!("for {}", numbers::duration(time, theme)))));
    text.entry("state", pieces);
    let thread = match &detail.stats.thread {
        Some(thread) if thread.tid > 0 => {
            vec![text.plain(&thread.name), text.styled(&format!("tid {}", thread.tid), theme.dim())]
        }
        Some(thread) => vec![text.plain(&thread.name)],
        None => vec![text.styled("none at the moment", theme.dim())],
    };
    text.entry("thread", thread);
    text.entry("runtime", [text.plain(&detail.runtime)]);
    for (kind, lasted) in &detail.verdicts {
        text.prose("", &format!("{}, for {}", kind.in_words(), numbers::duration(*lasted, theme)), theme.bad());
    }
    if detail.uncounted.is_some() {
        return;
    }
    let shown = detail.lane.len().min(text.value_width());
    let mut lane = sparkline(&detail.lane[detail.lane.len() - shown..], theme);
    lane.push_span(Span::raw(""));
    text.entry("minute", [Piece::drawn(lane), text.plain(&format!("{} busy of late", numbers::percent(row.busy)))]);
}

/// How long its thread waited for a processor.
fn cpu_wait(text: &mut Text, detail: &WorkerDetail, theme: &Theme) {
    let Some(waited) = detail.stats.cpu_wait else {
        return text.not_known("CPU wait", "the system does not count it, or nobody asked it");
    };
    let mut pieces = vec![text.plain(&format!("{} since its thread began", numbers::duration(waited, theme)))];
    if let Some(share) = detail.row.cpu_wait {
        pieces.insert(0, text.styled(&format!("{} of late", numbers::percent(share)), cpu_wait_style(share, theme)));
    }
    text.entry("CPU wait", pieces);
}

fn counters(text: &mut Text, detail: &WorkerDetail, theme: &Theme) {
    let (row, stats) = (&detail.row, &detail.stats);
    if let Some(because) = detail.uncounted {
        text.entry("queue", [text.plain(&format!("{} in its own", numbers::grouped(stats.queue)))]);
        cpu_wait(text, detail, theme);
        return text.not_known("counts", because);
    }
    let both = |count: u64, rate: f64| format!("{}, {}/s", numbers::grouped(count), numbers::rate(rate));
    let queued = if stats.queue > 0 { theme.notice() } else { Style::new() };
    text.entry(
        "queue",
        [
            text.styled(&format!("{} in its own", numbers::grouped(stats.queue)), queued),
            text.plain(&format!("{} scheduled here", numbers::grouped(stats.local_schedules))),
            text.plain(&facts::plural(stats.overflows, "overflow")),
        ],
    );
    text.entry("polls", [text.plain(&both(stats.polls, row.polls))]);
    text.entry(
        "steals",
        [
            text.plain(&both(stats.steals, row.steals)),
            text.plain(&format!("in {}", facts::plural(stats.steal_operations, "attempt"))),
        ],
    );
    text.entry(
        "parks",
        [
            text.plain(&both(stats.parks, row.parks)),
            text.plain(&format!("{} for nothing", facts::plural(stats.noops, "wake"))),
        ],
    );
    cpu_wait(text, detail, theme);
}

fn before(stall: &StallLine, width: usize, theme: &Theme) -> Line<'static> {
    let ago = stall.ended.map_or_else(String::new, |ended| format!("{} ago", numbers::duration(ended, theme)));
    let at = stall.stack.as_ref().and_then(|stack| stack.top()).map_or_else(String::new, Frame::in_words);
    let said = [stall.label.as_str(), stall.short, at.as_str()].join(&format!(" {} ", theme.symbols().dot));
    let room = width.saturating_sub(24);
    Line::from(vec![
        Span::styled(text::right(&numbers::duration(stall.lasted, theme), 8, theme), theme.notice()),
        Span::styled(text::right(&ago, 13, theme), theme.dim()),
        Span::raw("  "),
        Span::raw(text::safe(said.trim_end_matches([' ', '·', '-']), room, theme).into_owned()),
    ])
}
