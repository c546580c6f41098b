//! One task: what it is, where its time goes, its wakers, what it holds and waits for, and what was found.
//!
//! ```text
//! ╭ task 9 writer ────────────────────────────────────── idle for 1.20 s ╮
//! │ kind      task · number 9 · id 4294967297                            │
//! │ spawned   12.3 s ago · src/main.rs:7                                 │
//! │ times     total 12.3 s · █ busy 3.42 s 27% · ▒ sched 1.02 ms <1% · … │
//! │           ███████████████▒░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ │
//! │ polls     12,003 · 14/s · longest 3.42 ms                            │
//! │ ─ Findings ───────────────────────────────────────────────────────── │
//! │ ▲ warning  held-across-await  held for 1.20 s by a task that sleeps  │
//! │ ─ Locks and waits ─────────────────────────────────────────────────  │
//! │ ─ Poll times ─────────────────────── Scheduled times ──────────────  │
//! ╰──────────────────────────────────────────────────────────────────────╯
//! ```

use crate::{
    app::{
        frame::{LastFrame, Pace},
        histogram::Distribution,
        options::{Charset, StackForm},
        scroll::Scroll,
        tasks::page::{AwaitedOp, HeldLock, Histograms, Presence, TaskDetail},
    },
    diagnose::humanize_bytes,
    model::TaskState,
    update::{Access, Across, Known, Stamp, TaskId},
    view::{
        locks::page::basis,
        style::{numbers, theme::Theme},
        widget::{
            bars::{self, Share},
            facts::{self, Piece, Text},
            sparkline::sparkline,
        },
        workers::list::stall_lines,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

/// Two histograms stand side by side from this width on.
const SIDE_BY_SIDE: usize = 74;

/// The page can be scrolled: a stack is shown whole.
const FRAMES_MOST: usize = 400;

/// A name that is no wider stands in the frame alone.
const NAME_MOST: usize = 30;

/// Draws the page. `detail` is `None` where nothing is known of a task with this id.
pub fn render(
    buffer: &mut Buffer,
    area: Rect,
    (id, detail, form): (TaskId, Option<&TaskDetail>, StackForm),
    now: Stamp,
    scroll: Scroll,
    theme: &Theme,
    shown: &mut LastFrame,
) {
    let Some(detail) = detail else {
        let mut text = Text::new(area.width.saturating_sub(4) as usize, theme);
        text.prose(
            "",
            "Nothing is known of this task: it ended before it was looked at, or the target never spoke of it.",
            theme.dim(),
        );
        return facts::render(buffer, area, (&format!("task {id}"), ""), &text.lines(), scroll, theme, shown);
    };
    if detail.presence != Presence::Evicted {
        shown.hurry(match detail.state {
            TaskState::Running | TaskState::Scheduled => Pace::Fast,
            TaskState::Idle | TaskState::Ended => Pace::Slow,
        });
    }
    let title = format!("{} {} {}", detail.kind.name(), detail.number, detail.name);
    let lines = lines(detail, form, now, area.width.saturating_sub(4) as usize, theme);
    facts::render(buffer, area, (title.trim_end(), &standing(detail, theme)), &lines, scroll, theme, shown);
}

/// What it is doing, in a few words.
fn standing(detail: &TaskDetail, theme: &Theme) -> String {
    let state = detail.state.name();
    match (detail.presence, detail.state_for) {
        (Presence::Evicted, _) => format!("{state}, let go of"),
        (Presence::Doubtful, _) => format!("{state}?"),
        (_, Some(time)) if detail.state == TaskState::Ended => format!("ended {} ago", numbers::duration(time, theme)),
        // Since when is known from one look to the next alone.
        (_, Some(time)) if detail.times.busy.value().is_none() => {
            format!("{state} for at least {}", numbers::duration(time, theme))
        }
        (_, Some(time)) => format!("{state} for {}", numbers::duration(time, theme)),
        (_, None) => state.to_owned(),
    }
}

fn lines(detail: &TaskDetail, form: StackForm, now: Stamp, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut text = Text::new(width, theme);
    presence(&mut text, detail, theme);
    identity(&mut text, detail, theme);
    times(&mut text, detail, theme);
    polls(&mut text, detail, theme);
    if let Some(stall) = &detail.stall {
        text.section(if stall.ended.is_some() { "Kept its worker" } else { "Keeps its worker" });
        for line in stall_lines(stall, form, width, FRAMES_MOST, theme) {
            text.line(line);
        }
    }
    if let Some(look) = &detail.look {
        super::look::look(&mut text, look, form, width, theme);
    }
    if let Some(values) = &detail.values {
        super::values::values(&mut text, values, width, theme);
    }
    if !detail.findings.is_empty() {
        text.section("Findings");
        text.findings(&detail.findings, now);
    }
    if !(detail.holds.is_empty() && detail.waits.is_empty()) {
        text.section("Locks and waits");
        detail.holds.iter().for_each(|held| hold(&mut text, held, theme));
        detail.waits.iter().for_each(|awaited| wait(&mut text, awaited, theme));
    }
    histograms(&mut text, detail, width, theme);
    text.lines()
}

fn presence(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    let (said, style) = match detail.presence {
        Presence::Known => return,
        Presence::Unannounced => (
            "The target never announced this task: its name, kind and place are not known, only its statistics.",
            theme.notice(),
        ),
        Presence::Doubtful => {
            ("The target lost events since it last spoke of this task: it may have gone on, or ended.", theme.notice())
        }
        Presence::Evicted if detail.state == TaskState::Ended => {
            ("It ended and is no longer kept. This is what was last known of it.", theme.dim())
        }
        Presence::Evicted => ("It is no longer there. This is what was last known of it.", theme.dim()),
    };
    text.prose("", said, style);
}

fn identity(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    let mut pieces = vec![text.plain(detail.kind.name())];
    if detail.number != detail.id.0 {
        pieces.push(text.plain(&format!("number {}", detail.number)));
    }
    pieces.push(text.styled(&format!("id {}", detail.id), theme.dim()));
    if detail.size > 0 {
        pieces.push(text.plain(&humanize_bytes(detail.size.into())));
    }
    if detail.original_size > 0 {
        let size = humanize_bytes(detail.original_size.into());
        pieces.push(text.styled(&format!("its future of {size} was boxed"), theme.notice()));
    }
    text.entry("kind", pieces);
    if crate::view::style::text::columns(&crate::view::style::text::safe(&detail.name, NAME_MOST + 1, theme))
        > NAME_MOST
    {
        text.entry("name", [text.styled(&detail.name, theme.title())]);
    }
    let mut pieces = Vec::new();
    if let Some(spawned) = detail.spawned {
        pieces.push(text.plain(&format!("{} ago", numbers::duration(spawned, theme))));
    }
    pieces.push(match detail.place.as_str() {
        "" => text.styled("place not announced", theme.dim()),
        place => text.place(place),
    });
    // Memory tells where a future is written, and of few where it was spawned.
    let written = detail.look.is_some() && detail.spawned.is_none();
    text.entry(if written { "written" } else { "spawned" }, pieces);
    if let Some(ended) = detail.ended {
        text.entry("ended", [text.plain(&format!("{} ago", numbers::duration(ended, theme)))]);
    }
    if let Some(runtime) = &detail.runtime {
        text.entry("runtime", [text.plain(runtime)]);
    }
    if let Some(parent) = &detail.parent {
        text.entry("parent", [text.plain(parent)]);
    }
    if !detail.spans.is_empty() {
        let pieces: Vec<Piece> = detail.spans.iter().map(|span| text.plain(span)).collect();
        text.entry("span", pieces);
    }
    if !detail.fields.is_empty() {
        let pieces: Vec<Piece> = detail.fields.iter().map(|field| text.plain(field)).collect();
        text.entry("fields", pieces);
    }
}

/// What draws time that was busy, scheduled and idle.
fn fills(theme: &Theme) -> [&'static str; 3] {
    match theme.charset() {
        Charset::Unicode => ["█", "▒", "░"],
        Charset::Ascii => ["#", "+", "."],
    }
}

fn times(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    let times = &detail.times;
    let (total_time, busy_time) = match (times.total, times.busy) {
        (Known::Value(total), Known::Value(busy)) => (total, busy),
        (Known::NotFrom(fact), _) | (_, Known::NotFrom(fact)) => {
            return text.not_known("counts", detail.knows.why_not(fact));
        }
    };
    let [busy, scheduled, idle] = fills(theme);
    let total = total_time.as_secs_f64();
    let share = |part: std::time::Duration| if total > 0.0 { part.as_secs_f64() / total } else { 0.0 };
    let part = |fill: &str, name: &str, time, style| {
        let said = format!("{fill} {name} {} {}", numbers::duration(time, theme), numbers::percent(share(time)));
        Piece::text(&said, style, text.value_width(), theme)
    };
    let styles = [theme.good(), theme.notice(), theme.dim()];
    let (waited, idle_name) = match times.scheduled {
        Known::Value(waited) => (part(scheduled, "sched", waited, styles[1]), "idle"),
        Known::NotFrom(_) => {
            (text.styled(&format!("{scheduled} sched {}", theme.symbols().unknown), theme.dim()), "idle or sched")
        }
    };
    let pieces = [
        text.plain(&format!("total {}", numbers::duration(total_time, theme))),
        part(busy, "busy", busy_time, styles[0]),
        waited,
        part(idle, idle_name, times.idle, styles[2]),
    ];
    text.entry("times", pieces);
    let waited = times.scheduled.value().unwrap_or_default();
    let parts = [(busy_time, busy), (waited, scheduled), (times.idle, idle)];
    let mut drawn = Vec::with_capacity(3);
    for ((time, fill), style) in parts.into_iter().zip(styles) {
        drawn.push(Share { amount: time.as_secs_f64(), fill, style });
    }
    let bar = Piece::drawn(bars::shares(&drawn, text.value_width()));
    text.entry("", [bar]);
}

fn polls(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    let stats = &detail.stats;
    // Who counts no polls counts no wakes, for the same reason, which has been given.
    if detail.times.busy.value().is_none() {
        return;
    }
    let mut pieces = vec![
        text.plain(&numbers::grouped(stats.polls.count)),
        text.plain(&format!("{}/s", numbers::rate(detail.poll_rate))),
    ];
    let told = match &detail.histograms {
        Histograms::Told { polls: Some(polls), .. } => polls.longest,
        _ => None,
    };
    if let Some(longest) = told {
        pieces.push(text.plain(&format!("longest {}", numbers::duration(longest, theme))));
    } else if !detail.longest_poll.is_zero() {
        // From totals it is a lower bound.
        pieces.push(text.plain(&format!("longest at least {}", numbers::duration(detail.longest_poll, theme))));
    }
    if detail.state == TaskState::Running
        && let Some(time) = detail.state_for
    {
        pieces.push(text.styled(&format!("this one {} so far", numbers::duration(time, theme)), theme.good()));
    }
    if detail.spark.iter().any(|&share| share > 0.0) {
        let mut spark = Line::from(Span::styled("last 10 s ", theme.dim()));
        spark.extend(sparkline(&detail.spark, theme));
        pieces.push(Piece::drawn(spark));
    }
    text.entry("polls", pieces);
    turns(text, detail, theme);
    wakers(text, detail, theme);
}

/// How long it waits for its turn: what is below this is how things are, and not worth a line.
const TURN: std::time::Duration = std::time::Duration::from_millis(10);

fn turns(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    let Some((mean, wait)) = detail.turns.filter(|(mean, _)| *mean >= TURN) else { return };
    let mut pieces = vec![text.styled(&format!("{} for each poll", numbers::duration(mean, theme)), theme.notice())];
    if let Some(wait) = wait {
        let said = format!("its workers waited {} of their time for a processor", numbers::percent(wait.least));
        pieces.push(text.plain(&said));
    }
    text.entry("turn", pieces);
}

fn wakers(text: &mut Text, detail: &TaskDetail, theme: &Theme) {
    match detail.wakers {
        Known::Value(wakers) => {
            let pieces = [
                text.plain(&numbers::grouped(wakers.out)),
                text.plain(&facts::plural(wakers.clones, "clone")),
                text.plain(&facts::plural(wakers.drops, "drop")),
            ];
            text.entry("wakers", pieces);
        }
        Known::NotFrom(fact) => text.not_known("wakers", detail.knows.why_not(fact)),
    }
    let wakes = match detail.wakes {
        Known::Value(wakes) => wakes,
        Known::NotFrom(fact) => return text.not_known("wakes", detail.knows.why_not(fact)),
    };
    let mut woken = vec![text.plain(&numbers::grouped(wakes.count))];
    if wakes.own > 0 {
        let share = wakes.own as f64 / wakes.count.max(wakes.own) as f64;
        let own = format!("{} its own, {}", numbers::grouped(wakes.own), numbers::percent(share));
        woken.push(text.plain(&own));
    }
    if let Some(time) = detail.woken {
        woken.push(text.plain(&format!("last {} ago", numbers::duration(time, theme))));
    }
    text.entry("wakes", woken);
    if let Some((by, since)) = &detail.woken_by {
        let since = since.map_or_else(String::new, |since| format!(", in {}", numbers::duration(since, theme)));
        text.prose("woken by", &format!("{by}{since}"), ratatui::style::Style::new());
    }
}

fn hold(text: &mut Text, held: &HeldLock, theme: &Theme) {
    let access = match held.access {
        Access::Exclusive => String::new(),
        Access::Shared => ", to read".to_owned(),
    };
    let mut pieces = vec![
        text.styled(&format!("{}{access}", held.label), theme.title()),
        text.plain(&format!("for {}", numbers::duration(held.held, theme))),
    ];
    pieces.push(match held.across {
        Across::Await => text.styled("across an await", theme.notice()),
        Across::SamePoll => text.styled("in this poll", theme.dim()),
    });
    pieces.push(basis(text, held.basis, theme));
    if held.waiters > 0 {
        let wait = if held.waiters == 1 { "waits" } else { "wait" };
        pieces.push(text.styled(&format!("{} {wait}", numbers::grouped(held.waiters as u64)), theme.notice()));
    }
    text.entry("holds", pieces);
}

fn wait(text: &mut Text, awaited: &AwaitedOp, theme: &Theme) {
    let mut pieces = vec![text.styled(&awaited.source, theme.title())];
    if !awaited.label.is_empty() {
        pieces.push(text.plain(&awaited.label));
    }
    if let Some(waited) = awaited.waited {
        pieces.push(text.plain(&format!("for {}", numbers::duration(waited, theme))));
    }
    text.entry("waits on", pieces);
}

fn histograms(text: &mut Text, detail: &TaskDetail, width: usize, theme: &Theme) {
    let (polls, scheduled) = match &detail.histograms {
        Histograms::Told { polls, scheduled } => (polls, scheduled),
        Histograms::Awaited => {
            text.section("Poll and scheduled times");
            return text.prose("", "Asked the target for them; they come with its next update.", theme.dim());
        }
        Histograms::Missing(reason) => {
            text.section("Poll and scheduled times");
            return text.prose("", &format!("Not to be had: {reason}"), theme.dim());
        }
    };
    if width < SIDE_BY_SIDE {
        for (title, values) in [("Poll times", polls), ("Scheduled times", scheduled)] {
            text.section(&title_of(title, values.as_ref()));
            for line in histogram(values.as_ref(), width, theme) {
                text.line(line);
            }
        }
        return;
    }
    let left = width / 2 - 1;
    let right = width - left - 2;
    let mut title = facts::section(&title_of("Poll times", polls.as_ref()), left, theme);
    title.push_span(Span::styled(theme.symbols().line.repeat(2), theme.border()));
    title.extend(facts::section(&title_of("Scheduled times", scheduled.as_ref()), right, theme));
    text.line(title);
    let columns = [histogram(polls.as_ref(), left, theme), histogram(scheduled.as_ref(), right, theme)];
    let [left_lines, right_lines] = columns;
    let height = left_lines.len().max(right_lines.len());
    let blank = |width: usize| Line::from(" ".repeat(width));
    for at in 0..height {
        let mut line = left_lines.get(at).cloned().unwrap_or_else(|| blank(left));
        line.push_span("  ");
        line.extend(right_lines.get(at).cloned().unwrap_or_else(|| blank(right)));
        text.line(line);
    }
}

fn title_of(title: &str, values: Option<&Distribution>) -> String {
    match values {
        Some(values) if values.count() > 0 => format!("{title} of {}", numbers::grouped(values.count())),
        _ => title.to_owned(),
    }
}

fn histogram(values: Option<&Distribution>, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let said = match values {
        Some(values) if values.count() > 0 => return bars::histogram(values, width, theme),
        Some(_) => "none measured yet",
        None => "the target did not tell, or not in a form that can be read",
    };
    let line = crate::view::style::text::left(said, width, theme);
    vec![Line::from(Span::styled(line, theme.dim()))]
}
