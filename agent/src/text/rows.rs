//! Tasks and what they wait for, locks, and what could not be kept, as text.

use super::{
    stalls::stack,
    words::{owner, place, plain, span, task, task_of},
};
use crate::{
    clock::Nanos,
    collect::task::spawn::WORKERS,
    read::changes,
    settings::Detail,
    view::{Access, LockView, OpView, ResourceView, TaskView, Waking, WokenBy},
};
use rustc_hash::FxHashMap;
use std::io::{self, Write};

/// Waiters of a lock that are told by name.
const WAITERS: usize = 16;

/// Locks that somebody holds or waits for.
pub(super) fn locks(out: &mut dyn Write, now: Nanos) -> io::Result<()> {
    let (mut in_use, mut all) = (Vec::new(), 0_u64);
    changes::locks(&mut |view| {
        all += 1;
        if !(view.holders.is_empty() && view.waiters.is_empty() && view.unknown_holders == 0) {
            in_use.push(view);
        }
    });
    writeln!(out, "\nlocks: {} of {all} held or waited for", in_use.len())?;
    in_use.iter().try_for_each(|view| lock(out, view, now))
}

fn lock(out: &mut dyn Write, view: &LockView, now: Nanos) -> io::Result<()> {
    let of = changes::resource(view.resource);
    writeln!(out, "  {}", of.as_ref().map_or_else(|| "a lock that is gone".into(), resource))?;
    for holder in &view.holders {
        let how = if holder.access == Access::Shared { "read by" } else { "held by" };
        let across = if holder.is_across_await { ", across an await" } else { "" };
        writeln!(out, "    {how} {} for {}{across}", owner(&holder.owner), span(now.since(holder.since)))?;
        for (said, captured) in [("acquired at", &holder.acquired_at), ("asleep at", &holder.suspended_at)] {
            if let Some(captured) = captured {
                write!(out, "    {said}\n{}", stack(Some(captured), "      "))?;
            }
        }
    }
    if view.unknown_holders > 0 {
        writeln!(out, "    held {} times by those who had it before the agent came", view.unknown_holders)?;
    }
    for waiter in view.waiters.iter().take(WAITERS) {
        writeln!(out, "    waits: {} for {}", task_of(waiter.task), span(now.since(waiter.since)))?;
    }
    match view.more_waiters + view.waiters.len().saturating_sub(WAITERS) as u64 {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

fn resource(view: &ResourceView) -> String {
    format!("{} {}", view.concrete_type, place(view.location))
}

/// Operations that tasks wait in, by task.
type Waits = FxHashMap<u64, Vec<OpView>>;

/// Every task that lives, and what it waits in.
pub(super) fn tasks(out: &mut dyn Write, detail: Detail, now: Nanos) -> io::Result<()> {
    let mut waits = Waits::default();
    changes::ops(&mut |op| {
        // A part of another one says nothing new.
        if op.dropped.is_none() && op.task != 0 && op.parent == 0 {
            waits.entry(op.task).or_default().push(op);
        }
    });
    writeln!(out, "\ntasks")?;
    let (mut count, mut result) = (0_u64, Ok(()));
    changes::tasks(&mut |view| {
        let is_worker = view.function.is_some_and(|function| function.starts_with(WORKERS));
        if view.dropped.is_none() && !is_worker && result.is_ok() {
            count += 1;
            result = row(out, &view, detail, now).and_then(|()| waits_of(out, view.id, &waits, now));
        }
    });
    result?;
    writeln!(out, "  {count} tasks live")
}

fn row(out: &mut dyn Write, view: &TaskView, detail: Detail, now: Nanos) -> io::Result<()> {
    write!(
        out,
        "  {}: {}; lives for {}, {} polls, busy {}",
        task(view),
        doing(view, detail, now),
        span(now.since(view.created)),
        view.polls.count,
        span(view.polls.busy),
    )?;
    if detail == Detail::Full {
        write!(out, ", waited {} for its turn, woken {} times", span(view.scheduled), view.wakes.wakes)?;
    }
    writeln!(out)?;
    let Some(kept) = &view.woken_by else { return Ok(()) };
    let by = |by| match by {
        WokenBy::Task(id) if id == view.id => "itself".into(),
        WokenBy::Task(id) => task_of(id),
        WokenBy::Runtime => "the runtime (I/O, a timer, or a turn that was yielded)".into(),
        WokenBy::Outside => "code outside of any task".into(),
    };
    for Waking { by: waker, count, last } in &kept.latest {
        writeln!(out, "    woken {count} times by {}, {} ago", by(*waker), span(now.since(*last)))?;
    }
    Ok(())
}

fn waits_of(out: &mut dyn Write, task: u64, waits: &Waits, now: Nanos) -> io::Result<()> {
    for op in waits.get(&task).into_iter().flatten() {
        let of = changes::resource(op.resource);
        let of = of.as_ref().map_or_else(|| "what is gone".into(), resource);
        writeln!(out, "    waits in {} of {of} for {}", plain(op.source), span(now.since(op.created)))?;
    }
    Ok(())
}

/// What a task does.
fn doing(view: &TaskView, detail: Detail, now: Nanos) -> String {
    let polls = &view.polls;
    match polls.last_started {
        None => "not polled yet".into(),
        Some(started) if polls.last_ended.is_none_or(|ended| ended < started) => {
            format!("in one poll for {}", span(now.since(started)))
        }
        Some(started) => {
            let ended = polls.last_ended.unwrap_or(started);
            match view.wakes.last.filter(|woken| *woken > started) {
                Some(woken) => format!("woken, and not polled for {}", span(now.since(woken.max(ended)))),
                None if detail == Detail::Full => format!("idle for {}", span(now.since(ended))),
                // When it was woken is not known.
                None => format!("not polled for {}", span(now.since(ended))),
            }
        }
    }
}

/// What could not be kept.
pub(super) fn losses(out: &mut dyn Write) -> io::Result<()> {
    let losses = changes::losses();
    if losses.unseen + losses.deep_spans == 0 {
        return Ok(());
    }
    writeln!(out, "\nnot seen: {} for want of room, {} spans that were too deep", losses.unseen, losses.deep_spans)
}
