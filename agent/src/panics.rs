//! Tasks that ended in a panic, with message and place. The panic hook is chained: what the service's own hook does, and
//! tokio's catching of the panic, stay as they were.

use crate::{
    clock::{self, Nanos},
    collect::{has_ended, redaction::Redaction, thread_state::current_thread},
    read::changes,
    view::Location,
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    panic::PanicHookInfo,
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
};

/// Panics that are kept: the latest ones.
const MOST: usize = 1024;

/// Tasks that may be about to be left by the same panic once more: one for each thread.
const UNWOUND: usize = 256;

/// Bytes of a message that are kept.
const LONGEST: usize = 1024;

/// One panic in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic {
    /// Counts up in the process.
    pub(crate) number: u64,
    /// The task's id in the console's format.
    pub(crate) task: u64,
    pub(crate) message: Box<str>,
    pub(crate) file: Box<str>,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) at: Nanos,
    /// The task's name, where it has one; the task is soon let go of.
    pub(crate) name: Option<Arc<str>>,
    /// Where it was spawned, where that is known.
    pub(crate) spawned_at: Option<&'static Location>,
}

#[derive(Debug)]
struct Ring {
    /// Panics of which it is not known yet whether the task caught it itself.
    raised: VecDeque<Panic>,
    /// Panics in which a task ended.
    ended: VecDeque<Panic>,
    /// Tasks that a panic ended, the latest ones: what a task was made of is dropped inside of its span as well, and that is left by the same panic.
    unwound: VecDeque<u64>,
    count: u64,
}

/// Tasks that a panic ended without a message of it, since there was one of any panic.
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// What is not known of the service's panics, if there is anything.
pub(crate) fn limitation() -> Option<String> {
    untold(UNTOLD.load(Ordering::Relaxed))
}

fn untold(count: u64) -> Option<String> {
    let tasks = match count {
        0 => return None,
        1 => "a task was".to_owned(),
        _ => format!("{count} tasks were"),
    };
    Some(format!(
        "{tasks} ended by a panic of which the agent was not told: the service has set a panic hook after the agent was started that does not call the one \
         before it, or passes panics on by resume_unwind, for which no hook is called"
    ))
}

static RING: Mutex<Ring> =
    Mutex::new(Ring { raised: VecDeque::new(), ended: VecDeque::new(), unwound: VecDeque::new(), count: 0 });

/// Chains the hook, once in the process. `task` tells the task that the calling thread polls.
pub(crate) fn hook(task: fn() -> Option<u64>) {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // It is called, so that what was passed by it before was no fault of the hook.
            UNTOLD.store(0, Ordering::Relaxed);
            match task().filter(|_| !has_ended()) {
                Some(task) => {
                    raised(task, info);
                    match current_thread() {
                        Some(thread) => thread.run_panic_hook(|| previous(info)),
                        None => previous(info),
                    }
                }
                None => previous(info),
            }
        }));
    });
}

fn raised(task: u64, info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    let message = Redaction::get().panic_message(message);
    let (file, line, column) = info.location().map_or(("", 0, 0), |place| (place.file(), place.line(), place.column()));
    let (message, file) = (bounded(message).into(), bounded(file).into());
    let mut ring = RING.lock();
    if ring.raised.len() == MOST {
        ring.raised.pop_front();
    }
    let at = clock::now();
    ring.raised.push_back(Panic { number: 0, task, message, file, line, column, at, name: None, spawned_at: None });
}

/// Notes that a poll of this task was left by a panic, and the task has ended with it: to be called while the thread unwinds
/// out of the poll. The first panic of the poll is the one that counts.
pub(crate) fn ended(task: u64) {
    let row = changes::task(task);
    let mut ring = RING.lock();
    let is_again = ring.unwound.contains(&task);
    if !is_again {
        if ring.unwound.len() == UNWOUND {
            ring.unwound.pop_front();
        }
        ring.unwound.push_back(task);
    }
    let Some(at) = ring.raised.iter().rposition(|panic| panic.task == task) else {
        UNTOLD.fetch_add(u64::from(!is_again), Ordering::Relaxed);
        return;
    };
    let Some(mut panic) = ring.raised.remove(at) else { return };
    ring.raised.retain(|earlier| earlier.task != task);
    ring.count += 1;
    panic.number = ring.count;
    if let Some(row) = row {
        (panic.name, panic.spawned_at) = (row.name, row.location);
    }
    if ring.ended.len() == MOST {
        ring.ended.pop_front();
    }
    ring.ended.push_back(panic);
}

/// The first ones with a number above `number`, oldest first.
pub(crate) fn after(number: u64, most: usize) -> Vec<Panic> {
    RING.lock().ended.iter().filter(|panic| panic.number > number).take(most).cloned().collect()
}

fn bounded(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_without_a_message_are_said() {
        assert_eq!(untold(0), None);
        assert!(untold(1).unwrap().starts_with("a task was ended"));
        assert!(untold(2).unwrap().starts_with("2 tasks were ended"));
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(bounded("short"), "short");
        assert_eq!(bounded(""), "");
        let long = "é".repeat(LONGEST);
        assert_eq!(bounded(&format!("x{long}")).len(), LONGEST - 1);
    }
}
