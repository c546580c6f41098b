//! A look held against the truth: each thing that it says is right, or is not there and says why, or is wrong.

use crate::truth::{Frame, Truth, What};
use holdup_memory::{Basis, Chain, ClaimKind, FrameKind, Interest, Look, Reach, Wait, WaitOn, Waiter, Who};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Chains that are all right.
    pub(crate) right: usize,
    /// Not there, or not whole, and the reason is told.
    pub(crate) absent: Vec<Absent>,
    pub(crate) wrong: Vec<String>,
}

/// A chain that is not there, or not whole.
#[derive(Debug)]
pub(crate) struct Absent {
    /// The path of the outermost function, without what stands for its code.
    pub(crate) function: String,
    /// All of it, and the reason.
    pub(crate) text: String,
}

impl Absent {
    fn new(frames: &[Frame], text: String) -> Self {
        Self {
            function: frames.first().map(|frame| frame.function.replace("::{{closure}}", "")).unwrap_or_default(),
            text,
        }
    }
}

impl Verdict {
    pub(crate) fn assert_nothing_wrong(&self, what: &str) {
        eprintln!("{what}: {} right, {} absent, {} wrong", self.right, self.absent.len(), self.wrong.len());
        for line in &self.absent {
            eprintln!("  absent: {}", line.text);
        }
        assert!(self.wrong.is_empty(), "{what}:\n{}", self.wrong.join("\n"));
    }
}

/// One who awaits, as the look tells of it.
struct Told<'a> {
    chain: Option<&'a Chain>,
    unread: &'a str,
    waits: &'a [Wait],
}

/// How far a deadline may be off: it was told to a millisecond, and tokio's wheel turns by milliseconds.
const CLOSE: u64 = 4;

/// Holds every chain and every wait against the truth. `chains` are all that were told so far.
pub(crate) fn chains(look: &Look, chains: &[Arc<Chain>], truth: &Truth) -> Verdict {
    let mut verdict = Verdict::default();
    let chain = |index: Option<u32>| index.and_then(|index| chains.get(index as usize)).map(|chain| &**chain);
    let mut told = BTreeMap::new();
    for task in &look.changed {
        let its = Told { chain: chain(task.chain), unread: &task.unread, waits: &task.waits };
        told.insert(Who::Task(task.number), its);
    }
    for root in &look.roots {
        let its = Told { chain: chain(root.chain), unread: &root.unread, waits: &root.waits };
        told.insert(Who::Root(root.thread), its);
    }
    for (who, frames) in &truth.frames {
        match told.get(who) {
            // Of a root it can be that its bytes were not found; a task is always there.
            None if matches!(who, Who::Root(_)) => {
                verdict.absent.push(Absent::new(frames, format!("{who:?}: {}", frames[0].function)));
            }
            None => verdict.wrong.push(format!("{who:?} is not there: {}", frames[0].function)),
            Some(told) => one(&mut verdict, *who, told, frames),
        }
    }
    verdict
}

fn one(verdict: &mut Verdict, who: Who, told: &Told<'_>, frames: &[Frame]) {
    let names: Vec<String> = frames.iter().map(|frame| format!("{}:{}", frame.function, frame.line)).collect();
    let name = format!("{who:?} {}", names.join(" > "));
    let Some(chain) = told.chain else {
        let none = Chain { frames: Vec::new() };
        let said = verdict.wrong.len();
        waits(&none, told.waits, frames, &mut |text| verdict.wrong.push(format!("{name}: {text}")));
        if told.unread.is_empty() {
            verdict.wrong.push(format!("{name}: no chain, and no reason"));
        } else if verdict.wrong.len() == said {
            verdict.absent.push(Absent::new(frames, format!("{name}: {}", told.unread)));
        }
        return;
    };
    let wrong = verdict.wrong.len();
    let mut says = |text: String| verdict.wrong.push(format!("{name}: {text}\n{}", written(chain, told.waits)));
    let mut matched: BTreeMap<usize, &Frame> = BTreeMap::new();
    let mut missing = Vec::new();
    for frame in frames {
        let found = (0..chain.frames.len()).find(|at| !matched.contains_key(at) && is(&chain.frames[*at], frame));
        match found {
            Some(at) => drop(matched.insert(at, frame)),
            None => missing.push(format!("{}:{}", frame.function, frame.line)),
        }
    }
    for (at, frame) in chain.frames.iter().enumerate().filter(|(_, frame)| is_own(frame)) {
        match (matched.get(&at), frame.reach) {
            (None, Reach::Polled) => says(format!("{} at {:?} does not sleep", frame.name, frame.place)),
            (Some(truth), Reach::Polled) if truth.held => says(format!("{} is not polled", truth.function)),
            (Some(truth), Reach::Held | Reach::Disabled) if !truth.held => {
                says(format!("{} is polled, not {:?}", truth.function, frame.reach));
            }
            _ => {}
        }
    }
    // Whoever awaits began before what it awaits.
    for (at, frame) in matched.iter().filter(|(_, frame)| !frame.held) {
        let mut depth = chain.frames[*at].depth;
        for above in (0..*at).rev().filter(|above| {
            let nearer = chain.frames[*above].depth < depth;
            depth = depth.min(chain.frames[*above].depth);
            nearer
        }) {
            if matched.get(&above).is_some_and(|above| above.id > frame.id && above.function != frame.function) {
                says(format!("{} does not stand within {}", frame.function, matched[&above].function));
            }
        }
    }
    let opaque = chain.frames.iter().any(|frame| frame.kind == FrameKind::Opaque);
    let other = told.waits.iter().any(|wait| wait.what == WaitOn::Other);
    let cut = opaque || other || !told.unread.is_empty();
    if !missing.is_empty() && !cut {
        says(format!("not there, and no reason: {}", missing.join(", ")));
    }
    let lacks = waits(chain, told.waits, frames, &mut says);
    if !lacks.is_empty() && !cut {
        says(format!("it waits for {}", lacks.join(", ")));
    }
    if verdict.wrong.len() == wrong {
        if missing.is_empty() && lacks.is_empty() {
            verdict.right += 1;
        } else {
            let text = format!("{name}: cut: {}\n{}", told.unread, written(chain, told.waits));
            verdict.absent.push(Absent::new(frames, text));
        }
    }
}

/// Whether the frame is of the victim's own functions.
fn is_own(frame: &holdup_memory::Frame) -> bool {
    let own = |file: &str| ["src/cases/", "plugin/src/", "stale/src/"].iter().any(|part| file.contains(part));
    frame.kind == FrameKind::Async && frame.place.as_ref().is_some_and(|place| own(&place.file))
}

/// Of a function's path its own name.
fn own_name(truth: &Frame) -> &str {
    truth.function.split("::").filter(|part| *part != "{{closure}}").last().unwrap_or_default()
}

fn is(frame: &holdup_memory::Frame, truth: &Frame) -> bool {
    let Some(place) = frame.place.as_ref().filter(|_| frame.kind == FrameKind::Async) else { return false };
    let function = own_name(truth);
    let file = place.file.rsplit('/').next().unwrap_or_default();
    place.line == truth.line && truth.file.ends_with(file) && frame.name.contains(function)
}

/// What the truth waits for, and the look does not say. What the look says and the truth does not is said to be wrong.
fn waits(chain: &Chain, told: &[Wait], frames: &[Frame], says: &mut impl FnMut(String)) -> Vec<String> {
    let mut left: Vec<&What> = frames.iter().filter(|frame| !frame.held).flat_map(|frame| &frame.waits).collect();
    let opaque = left.iter().any(|what| what.kind == "opaque");
    left.retain(|what| what.kind != "opaque");
    for wait in told {
        let reach = chain.frames.get(usize::from(wait.frame)).map(|frame| frame.reach);
        // Which tasks are in a set the program does not say.
        let is_told = !matches!(wait.what, WaitOn::Other | WaitOn::Nothing | WaitOn::JoinOneOf(_));
        if matches!(reach, Some(Reach::Held | Reach::Disabled)) || !is_told {
            continue;
        }
        if let Some(at) = left.iter().position(|what| waits_for(&wait.what, what)) {
            left.remove(at);
        } else if !opaque && (reach == Some(Reach::Polled) || wait.basis == Basis::Proven) {
            says(format!("it does not wait for {:?}", wait.what));
        }
    }
    left.iter().map(|what| format!("{what:?}")).collect()
}

fn waits_for(told: &WaitOn, truth: &What) -> bool {
    match (&*truth.kind, told) {
        ("mutex" | "oncecell", WaitOn::Permits { of, .. }) | ("room", WaitOn::Permits { of, .. }) => truth.is_at(*of),
        ("rwlock" | "semaphore", WaitOn::Permits { of, wanted, .. }) => {
            truth.is_at(*of) && u64::from(*wanted) == truth.number
        }
        ("notify", WaitOn::Notified(at))
        | ("oneshot", WaitOn::Oneshot(at))
        | ("mpsc", WaitOn::Message(at))
        | ("watch", WaitOn::Watch(at))
        | ("broadcast", WaitOn::Broadcast(at))
        | ("closed", WaitOn::Closed(at))
        | ("barrier", WaitOn::Barrier(at)) => truth.is_at(*at),
        ("local-set", WaitOn::LocalSet(_)) => true,
        ("timer", WaitOn::Timer(due)) => truth.number.abs_diff(due.as_millis() as u64) <= CLOSE,
        ("join", WaitOn::Join { task, .. }) => *task == Some(truth.number),
        ("join-any", WaitOn::JoinAny(count)) => *count == truth.number,
        ("io", WaitOn::Io { fd, interest, .. }) => {
            let wanted = if truth.other == "read" { Interest::Read } else { Interest::Write };
            fd.is_none_or(|fd| fd as u64 == truth.number) && (*interest == Interest::Any || *interest == wanted)
        }
        _ => false,
    }
}

/// What came of the descriptors that are waited for, where no chains are told.
#[derive(Debug, Default)]
pub(crate) struct Descriptors {
    pub(crate) right: usize,
    pub(crate) missing: Vec<String>,
    pub(crate) wrong: Vec<String>,
}

/// Holds each wait for a descriptor against the truth: whose it is, which descriptor, and for what.
pub(crate) fn descriptors(look: &Look, truth: &Truth) -> Descriptors {
    let mut verdict = Descriptors::default();
    for task in &look.changed {
        let frames = truth.frames.get(&Who::Task(task.number)).into_iter().flatten().filter(|frame| !frame.held);
        let mut left: Vec<&What> = frames.flat_map(|frame| &frame.waits).collect();
        // The victim does not say by what something of a library is waited for.
        let opaque = left.iter().any(|what| what.kind == "opaque");
        let others = !opaque && left.iter().any(|what| what.kind != "io");
        left.retain(|what| what.kind == "io");
        let says_others = task.waits.iter().any(|wait| wait.what == WaitOn::Other);
        if others && !task.waits.is_empty() && !says_others {
            verdict.wrong.push(format!("task {} waits for something else as well", task.number));
        }
        for wait in task.waits.iter().filter(|wait| wait.what != WaitOn::Other) {
            let is_it = |what: &&What| waits_for(&wait.what, what) && is_exact(&wait.what);
            match left.iter().position(is_it) {
                Some(at) => {
                    left.remove(at);
                    verdict.right += 1;
                }
                None if opaque => {}
                None => verdict.wrong.push(format!("task {} does not wait for {wait:?}", task.number)),
            }
        }
        verdict.missing.extend(left.iter().map(|what| format!("task {} waits for {what:?}", task.number)));
    }
    verdict
}

/// Whether it says which descriptor, and for what.
fn is_exact(told: &WaitOn) -> bool {
    matches!(told, WaitOn::Io { fd: Some(_), interest: Interest::Read | Interest::Write, .. })
}

/// A chain as text.
pub(crate) fn written(chain: &Chain, waits: &[Wait]) -> String {
    let mut text = String::new();
    for (at, frame) in chain.frames.iter().enumerate() {
        let place = frame.place.as_ref().map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default();
        let indent = "  ".repeat(usize::from(frame.depth) + 2);
        let _ = writeln!(text, "{indent}{} [{:?} {:?}] {place}", frame.name, frame.kind, frame.reach);
        for wait in waits.iter().filter(|wait| usize::from(wait.frame) == at) {
            let _ = writeln!(text, "{indent}  … {:?} {:?}", wait.what, wait.basis);
        }
    }
    text
}

/// What a look says of who has what.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// Named, proven, and true.
    pub(crate) proven: BTreeSet<(u64, Who)>,
    /// Named as likely, and true.
    pub(crate) likely: BTreeSet<(u64, Who)>,
    /// Named as likely, and not true.
    pub(crate) doubtful: Vec<String>,
    /// Named as proven, and not true.
    pub(crate) wrong: Vec<String>,
    /// Those who wait for each other in a circle, if every holder on the way is proven.
    pub(crate) circle: Option<Vec<Who>>,
}

/// Holds every holder that is named against the truth.
pub(crate) fn holders(look: &Look, truth: &Truth) -> Holders {
    let mut said = Holders::default();
    let mut waits: BTreeMap<Who, BTreeSet<Who>> = BTreeMap::new();
    for thing in &look.things {
        for holder in &thing.holders {
            let (kind, count) = match holder.what {
                ClaimKind::Permits(count) => ("", u64::from(count)),
                ClaimKind::Sender => ("sender", 1),
                ClaimKind::Receiver => ("receiver", 1),
            };
            let is_true = truth.holds.iter().any(|hold| {
                let same = match kind {
                    "" => hold.what.kind != "sender" && hold.what.kind != "receiver" && hold.what.number == count,
                    kind => hold.what.kind == kind,
                };
                same && hold.who == Some(holder.who) && hold.what.is_at(thing.at)
            });
            let is_told =
                |kind: &str| truth.holds.iter().any(|hold| hold.what.kind == kind && hold.what.is_at(thing.at));
            // Whoever lacks some permits has the others.
            let lacks = |waiter: &Waiter| {
                waiter.who == holder.who && waiter.missing > 0 && u64::from(waiter.wanted - waiter.missing) == count
            };
            let is_part = kind.is_empty() && thing.queue.iter().any(lacks);
            let is_true = is_true || is_part && truth.waits(holder.who, thing.at);
            let text = || format!("{:?} {:#x} of {:?}: {holder:?}", thing.kind, thing.at, thing.names);
            match (is_true, holder.basis) {
                (true, Basis::Proven) => drop(said.proven.insert((thing.at, holder.who))),
                (true, _) => drop(said.likely.insert((thing.at, holder.who))),
                // Of most ends the programs do not say who has them.
                (false, Basis::Proven) if kind.is_empty() || is_told(kind) => said.wrong.push(text()),
                (false, _) => said.doubtful.push(text()),
            }
            if holder.basis == Basis::Proven && !is_part && matches!(holder.what, ClaimKind::Permits(_)) {
                for waiter in &thing.queue {
                    waits.entry(waiter.who).or_default().insert(holder.who);
                }
            }
        }
    }
    said.circle = circle(&waits);
    said
}

fn circle(waits: &BTreeMap<Who, BTreeSet<Who>>) -> Option<Vec<Who>> {
    waits.keys().find_map(|start| {
        let mut way = vec![*start];
        let mut seen = BTreeSet::new();
        while let Some(next) = waits.get(way.last()?).and_then(|next| next.iter().find(|who| seen.insert(**who))) {
            if next == start {
                return Some(way);
            }
            way.push(*next);
        }
        None
    })
}
