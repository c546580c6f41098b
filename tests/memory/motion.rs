//! Looks at what does not stand still. No contradiction is believed, and nothing is missed that stood still for two looks.

use crate::{
    compare,
    running::{Victim, Way, options},
};
use holdup_memory::{Basis, Chain, ClaimKind, FrameKind, Look, Reader, Task, TaskState, ThingKind, Wants};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// What a client would keep of the looks so far.
#[derive(Default)]
struct Kept {
    chains: Vec<Arc<Chain>>,
    tasks: BTreeMap<u64, Task>,
}

impl Kept {
    fn take(&mut self, look: &Look) {
        self.chains.extend(look.chains.iter().cloned());
        for number in &look.ended {
            self.tasks.remove(number);
        }
        for task in &look.changed {
            self.tasks.insert(task.number, task.clone());
        }
    }
}

/// The way of a chain through the victim's own functions, as the victim writes such down.
fn path(chain: &Chain) -> Vec<(String, u32)> {
    let own = chain.frames.iter().filter(|frame| frame.kind == FrameKind::Async);
    own.filter_map(|frame| {
        let place = frame.place.as_ref().filter(|place| place.file.contains("src/cases/"))?;
        Some((frame.name.to_string(), place.line))
    })
    .collect()
}

/// Whether the victim has ever slept so.
fn is_possible(chain: &Chain, paths: &[Vec<(String, u32)>]) -> bool {
    let path = path(chain);
    paths.iter().any(|known| {
        known.len() == path.len()
            && known.iter().zip(&path).all(|((function, line), (name, at))| line == at && name.contains(function))
    })
}

fn contradictions(look: &Look, kept: &Kept, paths: &[Vec<(String, u32)>], wrong: &mut BTreeSet<String>) {
    for thing in look.things.iter().filter(|thing| thing.kind == ThingKind::Mutex) {
        let proven = thing.holders.iter().filter(|holder| holder.basis == Basis::Proven);
        let held: u64 =
            proven.map(|holder| if let ClaimKind::Permits(count) = holder.what { count.into() } else { 0 }).sum();
        if held > 1 {
            wrong.insert(format!("two have one lock: {thing:?}"));
        }
        if thing.steady && thing.free.is_some_and(|free| free > 1) {
            wrong.insert(format!("a lock that is free twice: {thing:?}"));
        }
    }
    for task in kept.tasks.values() {
        let Some(chain) = task.chain.filter(|_| task.unread.is_empty()) else { continue };
        let Some(chain) = kept.chains.get(chain as usize) else {
            wrong.insert(format!("a chain that was not told: {task:?}"));
            continue;
        };
        if task.state == TaskState::Complete {
            wrong.insert(format!("task {} has ended, and has a chain", task.number));
        }
        // What was spawned and not polled sleeps nowhere yet.
        let unstarted = chain.frames.iter().any(|frame| frame.depth == 0 && frame.name.ends_with("(not started)"));
        if !unstarted && !path(chain).is_empty() && !is_possible(chain, paths) {
            wrong.insert(format!("no task ever slept so: {}", compare::written(chain, &task.waits)));
        }
    }
}

fn watch(time: Duration) {
    let mut victim = Victim::start(Way::profile("release"), &["motion"]);
    let mut reader = victim.reader();
    let (mut kept, mut wrong, mut missed) = (Kept::default(), BTreeSet::new(), BTreeSet::new());
    let (mut looks, mut walked, mut still) = (0, 0, 0);
    let end = Instant::now() + time;
    while Instant::now() < end {
        let before = victim.truth();
        let look = reader.look(&Wants::default()).unwrap();
        let after = victim.truth();
        kept.take(&look);
        looks += 1;
        walked += look.cost.walked;
        let paths: Vec<Vec<(String, u32)>> = after.paths.iter().map(|path| parsed(path)).collect();
        contradictions(&look, &kept, &paths, &mut wrong);
        // What was so before and after was so in between.
        let mut steady = before.clone();
        steady.frames.retain(|who, frames| after.frames.get(who) == Some(frames));
        steady.holds.retain(|hold| after.holds.contains(hold));
        still += steady.frames.len();
        let whole = Look { changed: kept.tasks.values().cloned().collect(), ..look };
        let verdict = compare::chains(&whole, &kept.chains, &steady);
        wrong.extend(verdict.wrong);
        let asleep = verdict.absent.iter().filter(|absent| absent.text.contains("asleep"));
        wrong.extend(asleep.map(|absent| format!("stood still, and is absent: {}", absent.text)));
        // A list that changes while it is followed may hide a task from one look, and not from the next.
        let (lacking, other): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut wrong).into_iter().partition(|wrong| wrong.contains(" is not there"));
        wrong = other;
        wrong.extend(
            lacking
                .intersection(&missed)
                .map(|lacking| format!("missing twice in a row: {}", lacking.replace(" is not there", ""))),
        );
        missed = lacking;
    }
    eprintln!("{looks} looks, {walked} walks, {still} that stood still");
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.into_iter().take(12).collect::<Vec<_>>().join("\n")
    );
    assert!(still >= looks * 20, "20 tasks sleep");
}

/// `function:line` by words; of a function its own name.
fn parsed(path: &str) -> Vec<(String, u32)> {
    let one = |word: &str| {
        let (function, line) = word.rsplit_once(':')?;
        let name = function.split("::").filter(|part| *part != "{{closure}}").last()?;
        Some((name.into(), line.parse().ok()?))
    };
    path.split(' ').filter_map(one).collect()
}

#[test]
fn nothing_contradicts_itself() {
    watch(Duration::from_secs(5));
}

#[test]
#[ignore = "ten minutes"]
fn nothing_contradicts_itself_for_long() {
    watch(Duration::from_mins(10));
}

#[test]
fn two_may_look_at_once() {
    let victim = Victim::start(Way::profile("release"), &["motion"]);
    let pid = victim.pid();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                let mut reader = Reader::open(pid, &options()).unwrap();
                let mut kept = Kept::default();
                for _ in 0..20 {
                    kept.take(&reader.look(&Wants::default()).unwrap());
                }
                let asleep = kept.tasks.values().filter(|task| {
                    let chain = task.chain.and_then(|chain| kept.chains.get(chain as usize));
                    task.unread.is_empty()
                        && chain.is_some_and(|chain| chain.frames.iter().any(|frame| frame.name.contains("asleep")))
                });
                assert_eq!(asleep.count(), 20);
            });
        }
    });
}
