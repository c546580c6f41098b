//! Tasks that live and that the agent knows nothing of, since they were spawned before it was there: tokio counts them, and tells nothing of them.

use crate::{
    clock,
    read::changes,
    runtimes,
    slots::free_list,
    view::{TaskKind, TaskView},
};
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// They are counted again after this long at the earliest: it means going through all tasks, for whoever asks.
const AGAIN: Duration = Duration::from_secs(1);

/// A task that has ended is still among tokio's for a moment.
const MOMENT: Duration = Duration::from_millis(5);

static COUNTED: Mutex<Option<(Instant, u64)>> = Mutex::new(None);

/// What is to be said of them, if there are any.
pub(super) fn limitation() -> Option<String> {
    said(counted())
}

fn said(count: u64) -> Option<String> {
    let tasks = match count {
        0 => return None,
        1 => "at least one task that lives is not seen: it was".to_owned(),
        _ => format!("at least {count} tasks that live are not seen: they were"),
    };
    Some(format!(
        "{tasks} spawned before the agent was started, or where another subscriber is in use. Start the agent before anything is spawned"
    ))
}

fn counted() -> u64 {
    let mut counted = COUNTED.lock();
    match *counted {
        Some((at, count)) if at.elapsed() < AGAIN => count,
        _ => {
            let count = count();
            *counted = Some((Instant::now(), count));
            count
        }
    }
}

/// At least so many: what is counted as known is what may have lived at any time while tokio was asked.
fn count() -> u64 {
    // What found no room is counted elsewhere, and not told from these.
    if free_list::TASKS.refused() > 0 {
        return 0;
    }
    let begun = clock::now();
    let alive = runtimes::alive_tasks();
    let mut known = 0;
    let lived = |task: &TaskView| task.dropped.is_none_or(|dropped| begun.since(dropped) <= MOMENT);
    let is_told_of = |task: &TaskView| matches!(task.kind, TaskKind::Task | TaskKind::Local) && lived(task);
    changes::tasks(&mut |task| known += u64::from(is_told_of(&task)));
    alive.saturating_sub(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_in_words() {
        assert_eq!(said(0), None);
        assert!(said(1).unwrap().starts_with("at least one task"));
        assert!(said(20).unwrap().starts_with("at least 20 tasks"));
    }
}
