//! The tree as text.
//!
//! ```text
//! orders, pid 4242, tokio 1.54.1, debug information: full
//! 1,204 of 1,310 tasks wait, in one chain, for Mutex<Conn> conn of orders::slow; task 9 has it, at src/report.rs:88.
//!
//! 1,204 tasks orders::serve  17 18 19 20 and 1,200 more
//! ├ orders::serve                        src/main.rs:31
//! ├ … 5 frames of axum, tower and hyper
//! ├ orders::load                         src/store.rs:22
//! ╰ waits for Mutex<Conn> conn of orders::slow, 1,204 in its queue
//!     held by task 9 orders::report, proven, in `guard`, at src/report.rs:88
//! ```

use super::{
    ChainFrame, ChainRow, ThingRow, TreeOf,
    rows::{HolderRow, ValuesRow},
};
use crate::{
    app::options::Charset,
    number::{grouped, plural},
    report::{location::Location, text::plain},
};
use std::fmt::Write;

/// So many numbers of tasks are written out.
const NAMED_MOST: usize = 8;

/// So many who hold something are named.
const HOLDERS_MOST: usize = 5;

/// Where places begin, where a name is not longer than that.
const NAMES: usize = 44;

/// Deeper frames are drawn no further in.
const INDENT_MOST: u16 = 12;

/// What draws the tree.
struct Lines {
    branch: &'static str,
    last: &'static str,
    trunk: &'static str,
    more: &'static str,
}

const UNICODE: Lines = Lines { branch: "├ ", last: "╰ ", trunk: "│ ", more: "…" };
const ASCII: Lines = Lines { branch: "|- ", last: "`- ", trunk: "|  ", more: "..." };

/// A tree as text, safe to be shown by a terminal.
pub(crate) fn render(told: &TreeOf, charset: Charset) -> String {
    let lines = if charset == Charset::Unicode { UNICODE } else { ASCII };
    let mut out = String::new();
    head(&mut out, told);
    for chain in &told.tree.chains {
        out.push('\n');
        row(&mut out, chain, &told.tree.things, &lines);
    }
    if !told.tree.unread.is_empty() {
        out.push('\n');
    }
    for unread in &told.tree.unread {
        let _ = writeln!(out, "not read: {} ({})", plain(&unread.what), plain(&unread.because));
    }
    out
}

fn head(out: &mut String, told: &TreeOf) {
    let mut parts = vec![told.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| told.target.clone())];
    parts.extend(told.pid.map(|pid| format!("pid {pid}")));
    parts.extend(told.tokio_version.as_ref().filter(|version| !version.is_empty()).map(|it| format!("tokio {it}")));
    parts.extend(told.debug_information.as_ref().map(|grade| format!("debug information: {grade}")));
    let _ = writeln!(out, "{}", plain(&parts.join(", ")));
    let _ = writeln!(out, "{}", plain(&told.tree.summary));
}

fn row(out: &mut String, chain: &ChainRow, things: &[ThingRow], lines: &Lines) {
    let mut title = match chain.thread {
        Some(thread) => format!("block_on of thread {thread}"),
        None => format!("{} task{}", grouped(chain.count), if chain.count == 1 { "" } else { "s" }),
    };
    if !chain.future.is_empty() {
        let _ = write!(title, " {}", chain.future);
    }
    if chain.state != "idle" {
        let _ = write!(title, " ({})", chain.state);
    }
    if !chain.tasks.is_empty() {
        let named: Vec<String> = chain.tasks.iter().take(NAMED_MOST).map(u64::to_string).collect();
        let _ = write!(title, "  {}", named.join(" "));
        let more = chain.count.saturating_sub(named.len() as u64);
        if more > 0 {
            let _ = write!(title, " and {} more", grouped(more));
        }
    }
    let _ = writeln!(out, "{}", plain(&title));
    let ends = chain.waits.len() + usize::from(chain.unread.is_some());
    let shown = folded(&chain.frames);
    for (at, line) in shown.iter().enumerate() {
        let is_last = ends == 0 && at + 1 == shown.len();
        let mark = if is_last { lines.last } else { lines.branch };
        match line {
            Shown::Frame(frame) => frame_line(out, frame, mark),
            Shown::Folded(count, of) => {
                let said = format!("{} {} of {of}", lines.more, plural(*count as u64, "frame"));
                let _ = writeln!(out, "{mark}{}", plain(&said));
            }
        }
    }
    for (at, wait) in chain.waits.iter().enumerate() {
        let is_last = at + 1 == ends;
        let mark = if is_last { lines.last } else { lines.branch };
        let thing = wait.id.and_then(|id| things.iter().find(|thing| thing.key == id));
        let mut said = format!("waits for {}", wait.what);
        if wait.certainty != "proven" {
            let _ = write!(said, ", {}", wait.certainty);
        }
        if let Some(queued) = thing.map(|thing| thing.queue.len()).filter(|&queued| queued > 1) {
            let _ = write!(said, ", {} in its queue", grouped(queued as u64));
        }
        let _ = writeln!(out, "{mark}{}", plain(&said));
        if let Some(thing) = thing {
            holders(out, thing, if is_last { "  " } else { lines.trunk });
        }
    }
    if let Some(unread) = &chain.unread {
        let _ = writeln!(out, "{}not known: {}", lines.last, plain(unread));
    }
    if let Some(told) = &chain.values {
        values(out, told);
    }
}

/// What frames hold, where that was asked for.
fn values(out: &mut String, told: &ValuesRow) {
    let whose = match (told.task, told.thread) {
        (Some(task), _) => format!("task {task}"),
        (None, Some(thread)) => format!("the future of thread {thread}"),
        (None, None) => "nobody".into(),
    };
    if let Some(unread) = &told.unread {
        let _ = writeln!(out, "  values of {whose}: not known: {}", plain(unread));
        return;
    }
    let _ = writeln!(out, "  values of {whose}, those with ? as they were left if they were moved or dropped:");
    for frame in &told.frames {
        let at = frame.location.as_ref().map_or_else(String::new, |location| format!(" {}", place(location)));
        let _ = writeln!(out, "    {}{}", plain(&frame.name), plain(&at));
        for variable in &frame.variables {
            let mark = if variable.owns { " ?" } else { "" };
            let (name, ty, value) = (plain(&variable.name), plain(&variable.ty), plain(&variable.value));
            let _ = writeln!(out, "      {name}: {ty} = {value}{mark}");
        }
        if frame.left_out > 0 {
            let _ = writeln!(out, "      and {} more", frame.left_out);
        }
    }
}

fn frame_line(out: &mut String, frame: &ChainFrame, mark: &str) {
    let indent = "  ".repeat(usize::from(frame.indent.min(INDENT_MOST)));
    let reach = match frame.reach {
        "held" => " (kept, not polled)",
        "disabled" => " (branch switched off)",
        "maybe" => " (may be polled)",
        _ => "",
    };
    let name = plain(&frame.name);
    let name = format!("{indent}{name}{reach}");
    let place = frame.location.as_ref().map_or_else(String::new, place);
    let _ = writeln!(out, "{}", format!("{mark}{name:NAMES$} {}", plain(&place)).trim_end());
}

fn holders(out: &mut String, thing: &ThingRow, indent: &str) {
    // Who listens has a receiver, and waits for whoever has a sender; for room in it one waits the other way round.
    let is_listened_to = thing.kind.ends_with("channel") && !thing.kind.starts_with("room");
    let counts = |holder: &&HolderRow| !(is_listened_to && holder.has == "receiver");
    let count = thing.holders.iter().filter(counts).count();
    for holder in thing.holders.iter().filter(counts).take(HOLDERS_MOST) {
        let has = match holder.has {
            "permits" => "held by".to_owned(),
            end => format!("its {end} is in"),
        };
        let mut said = format!("{has} {}, {}", holder.words, holder.certainty);
        if let Some(local) = &holder.local {
            let _ = write!(said, ", in `{local}`");
        }
        if let Some(location) = &holder.location {
            let _ = write!(said, ", at {}", place(location));
        }
        let _ = writeln!(out, "{indent}  {}", plain(&said));
    }
    if count > HOLDERS_MOST {
        let _ = writeln!(out, "{indent}  and {} more", count - HOLDERS_MOST);
    }
    if thing.unseen > 0 && is_listened_to {
        let are = if thing.unseen == 1 { "is" } else { "are" };
        let _ = writeln!(out, "{indent}  {} {are} in no frame that was read", plural(thing.unseen, "sender"));
    } else if thing.unseen > 0 {
        let has = if thing.unseen == 1 {
            "is held, and no frame that was read has it"
        } else {
            "are held, and no frame has them"
        };
        let _ = writeln!(out, "{indent}  {} {has}", plural(thing.unseen, "permit"));
    }
    if let Some(doubt) = thing.doubt.as_ref().filter(|_| !thing.holders.is_empty()) {
        let _ = writeln!(out, "{indent}  not proven: {}", plain(doubt));
    }
}

fn place(location: &Location) -> String {
    match location.line {
        Some(line) => format!("{}:{line}", location.file),
        None => location.file.clone(),
    }
}

/// A line of a chain.
enum Shown<'a> {
    Frame(&'a ChainFrame),
    /// So many frames of these libraries.
    Folded(usize, String),
}

/// The service's own frames, and what is several at once, kept or not known; of the rest how many there are.
fn folded(frames: &[ChainFrame]) -> Vec<Shown<'_>> {
    let (mut shown, mut run): (Vec<Shown>, Vec<&ChainFrame>) = (Vec::new(), Vec::new());
    let fold = |run: &mut Vec<&ChainFrame>, shown: &mut Vec<Shown>| {
        if run.is_empty() {
            return;
        }
        let mut of: Vec<&str> = run.iter().map(|frame| library(&frame.name)).collect();
        of.sort_unstable();
        of.dedup();
        shown.push(Shown::Folded(run.len(), of.join(", ")));
        run.clear();
    };
    for frame in frames {
        let speaks = frame.service || frame.kind == "several" || frame.kind == "opaque" || frame.reach != "polled";
        if speaks {
            fold(&mut run, &mut shown);
            shown.push(Shown::Frame(frame));
        } else if frame.kind != "leaf" {
            run.push(frame);
        }
    }
    fold(&mut run, &mut shown);
    shown
}

/// The crate of a function, or what a wrapper is called.
fn library(name: &str) -> &str {
    let end = name.find(['<', ' ']).unwrap_or(name.len());
    let plain = name.get(..end).unwrap_or(name);
    plain.split("::").next().unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Model, Retention},
        report::tree::rows::thing_row,
        update::{
            Place,
            look::{Certainty, ClaimKind, Holder, Thing, ThingId, ThingKind, Who},
        },
    };

    fn told(kind: ThingKind) -> String {
        let end = |task: u64, what| Holder {
            who: Who::Task(task.try_into().expect("a number")),
            what,
            certainty: Certainty::Likely,
            place: Place::default(),
            local: "".into(),
        };
        let thing = Thing {
            id: ThingId(0x100),
            kind,
            ty: "".into(),
            names: Vec::new(),
            of: None,
            free: None,
            total: None,
            held: None,
            channel: None,
            holders: vec![end(12, ClaimKind::Receiver), end(11, ClaimKind::Sender)],
            unseen: 0,
            perhaps: Vec::new(),
            doubt: "".into(),
            queue: Vec::new(),
            steady: true,
        };
        let mut out = String::new();
        holders(&mut out, &thing_row(&Model::new(Retention::default()), &thing), "");
        out
    }

    #[test]
    fn who_waits_for_a_message_is_told_who_could_send_it_and_not_that_they_have_the_receiver() {
        assert_eq!(told(ThingKind::Oneshot), "  its sender is in task 11, likely\n");
        let both = "  its receiver is in task 12, likely\n  its sender is in task 11, likely\n";
        assert_eq!(told(ThingKind::Room), both, "who receives makes room");
    }
}
