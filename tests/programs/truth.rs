//! Who is stuck in a program, and what of it must be told.

use super::{
    oracle::{Leaf, Oracle, State, Timers},
    program::{Length, Phase, Program, Reached, Side, Thing, What},
};
use std::collections::BTreeSet;

/// More tasks that are stuck than these are not taken apart.
const MOST: usize = 10;

/// What is true of a program where it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// Whether all that can happen was gone through.
    pub(crate) is_whole: bool,
    /// Tasks that wait, at one place at least, for what never comes, whatever those do who can go on. Nobody else may be called stuck.
    pub(crate) stuck: BTreeSet<usize>,
    /// The same if no long timer ever fires.
    pub(crate) but_for_timers: BTreeSet<usize>,
    /// The smallest sets of tasks that wait for one another alone, whoever else does whatever.
    pub(crate) knots: Vec<Knot>,
    /// Tasks that have something of somebody else's.
    pub(crate) holders: BTreeSet<usize>,
    /// Tasks that have an end of a channel, or of a value.
    pub(crate) owners: BTreeSet<usize>,
    /// Tasks that wait for permits of something.
    pub(crate) waiters: BTreeSet<usize>,
}

/// Tasks that wait for one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Knot {
    pub(crate) tasks: BTreeSet<usize>,
    pub(crate) shape: Shape,
}

/// How a knot is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shape {
    /// Each waits for one mutex, which another has in a future that it polls.
    Circle,
    /// Of one of the locks guards may be put away, or a frame has what is left of a guard: nobody can be sure.
    Doubt,
    /// The same, and one of the locks may be read by several.
    Readers,
    /// More than one wait in a task.
    Branches,
    /// Somebody waits for a lock behind somebody else, who does not have it.
    Queue,
    /// A lock, or permits of it, are in a future that nobody polls.
    Held,
    /// With permits of a semaphore.
    Permits,
    /// With ends of channels, or tasks that are joined.
    Ends,
}

/// What is true, or why that is not known.
pub(crate) fn truth(program: &Program, reached: &Reached) -> Result<Truth, String> {
    let oracle = Oracle::new(program);
    let state = oracle.state(reached);
    let next = oracle.moves(&state, Timers::Never);
    if let Some(next) = next.first() {
        let other = (0..program.steps).find(|step| next.phase[*step] != state.phase[*step]);
        return Err(format!("it says to have come to rest, and step {other:?} can go on"));
    }
    // Where there are too many ways to go on, anybody may be stuck.
    let nowhere = || vec![false; program.steps];
    let (moved, but_for_timers) = (oracle.moved(&state, Timers::Fire), oracle.moved(&state, Timers::Never));
    let is_whole = moved.is_some() && but_for_timers.is_some();
    let (moved, but_for_timers) = (moved.unwrap_or_else(nowhere), but_for_timers.unwrap_or_else(nowhere));
    let tasks = 0..program.tasks.len();
    let stuck = |moved: &[bool]| -> BTreeSet<usize> {
        let waits = |leaf: &Leaf| matches!(leaf, Leaf::Step(step) if !moved[*step] && !is_sleep(&oracle, *step));
        tasks.clone().filter(|task| oracle.leaves(&state, *task).iter().any(waits)).collect()
    };
    let truth = Truth {
        is_whole,
        stuck: stuck(&moved),
        but_for_timers: stuck(&but_for_timers),
        knots: knots(&oracle, &state),
        holders: tasks.clone().filter(|task| has(&oracle, &state, *task)).collect(),
        owners: program.ends.iter().map(|end| oracle.owner(&state, end)).collect(),
        waiters: (0..program.steps)
            .filter(|step| state.phase[*step] == Phase::Waiting && oracle.needs(*step).is_some())
            .map(|step| oracle.task[step])
            .collect(),
    };
    let stray = truth.knots.iter().flat_map(|knot| &knot.tasks).find(|task| !truth.stuck.contains(*task));
    stray.map_or(Ok(truth.clone()), |task| Err(format!("task {task} stands in a knot, and can go on: {truth:?}")))
}

fn is_sleep(oracle: &Oracle<'_>, step: usize) -> bool {
    matches!(oracle.steps[step].map(|step| &step.what), Some(What::Sleep(_)))
}

fn has(oracle: &Oracle<'_>, state: &State, task: usize) -> bool {
    (0..oracle.program.steps).any(|step| {
        let has =
            oracle.has(state, step) && !matches!(oracle.steps[step].map(|step| &step.what), Some(What::Keep { .. }));
        let given = state.phase[step] == Phase::Waiting && oracle.satisfied(state, step, &|_| true);
        oracle.task[step] == task && (has || given)
    })
}

/// Which other waits count when it is asked whether one can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// Those that came before.
    Queue,
    /// None: as if each were the first.
    Nobody,
}

/// Those of `tasks` that cannot go on, if everybody else does whatever would help, and whoever can go on does so too.
fn remain(oracle: &Oracle<'_>, state: &State, tasks: &BTreeSet<usize>, behind: Behind) -> BTreeSet<usize> {
    let mut left = tasks.clone();
    loop {
        let free = left.iter().copied().find(|task| {
            let leaves = oracle.leaves(state, *task);
            leaves.is_empty() || leaves.iter().any(|leaf| can_end(oracle, state, &left, *leaf, behind))
        });
        match free {
            Some(task) => left.remove(&task),
            None => return left,
        };
    }
}

fn can_end(oracle: &Oracle<'_>, state: &State, left: &BTreeSet<usize>, leaf: Leaf, behind: Behind) -> bool {
    let Leaf::Step(number) = leaf else { return true };
    let Some(step) = oracle.steps[number] else { return true };
    let kind = |thing: usize| oracle.program.things[thing];
    let is_left = |task: &usize| left.contains(task);
    match &step.what {
        What::Sleep(Length::Short | Length::Long) => true,
        What::Join { task } => !left.contains(task),
        What::Take { end } => {
            let thing = oracle.program.ends[*end].thing;
            let mut gives = oracle.ends(state, thing, Side::Gives);
            gives.any(|task| !left.contains(&task))
        }
        _ => {
            let Some((thing, _)) = oracle.needs(number) else { return true };
            let is_channel = matches!(kind(thing), Thing::Channel(_));
            if is_channel && !oracle.ends(state, thing, Side::Takes).all(|task| is_left(&task)) {
                return true;
            }
            let counts = |other: usize| {
                let is_kept = matches!(oracle.steps[other].map(|step| &step.what), Some(What::Keep { .. }));
                let waits = state.phase[other] == Phase::Waiting;
                let is_put_away = is_kept && !waits;
                let skipped = behind == Behind::Nobody && waits && other != number;
                left.contains(&oracle.task[other]) && !is_put_away && !skipped
            };
            oracle.satisfied(state, number, &counts)
        }
    }
}

/// All smallest sets that are stuck by themselves.
fn knots(oracle: &Oracle<'_>, state: &State) -> Vec<Knot> {
    let all = (0..oracle.program.tasks.len()).filter(|task| state.spawned[*task] && !oracle.ended(state, *task));
    let stuck: Vec<usize> = remain(oracle, state, &all.collect(), Behind::Queue).into_iter().collect();
    if stuck.len() > MOST {
        return Vec::new();
    }
    let mut sets: Vec<BTreeSet<usize>> = (1_u32..1 << stuck.len())
        .map(|bits| stuck.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, task)| *task).collect())
        .collect();
    sets.sort_by_key(BTreeSet::len);
    let mut knots: Vec<Knot> = Vec::new();
    for tasks in sets {
        let is_smallest = !knots.iter().any(|knot| knot.tasks.is_subset(&tasks));
        if is_smallest && remain(oracle, state, &tasks, Behind::Queue) == tasks {
            let shape = shape(oracle, state, &tasks);
            knots.push(Knot { tasks, shape });
        }
    }
    knots
}

/// The thing of which permits are waited for.
fn thing_of(oracle: &Oracle<'_>, leaf: Leaf) -> Option<usize> {
    match leaf {
        Leaf::Step(step) => oracle.needs(step).map(|(thing, _)| thing),
        Leaf::Timer(_) | Leaf::Ready => None,
    }
}

fn shape(oracle: &Oracle<'_>, state: &State, tasks: &BTreeSet<usize>) -> Shape {
    let leaves: Vec<Vec<Leaf>> = tasks.iter().map(|task| oracle.leaves(state, *task)).collect();
    let things = leaves.iter().flatten().map(|leaf| thing_of(oracle, *leaf).map(|thing| oracle.program.things[thing]));
    let things: Vec<Option<Thing>> = things.collect();
    let is_lock = |thing: &Option<Thing>| matches!(thing, Some(Thing::Mutex | Thing::KeptMutex | Thing::RwLock));
    if things.iter().any(|thing| !is_lock(thing) && !matches!(thing, Some(Thing::Semaphore(_)))) {
        return Shape::Ends;
    }
    if !things.iter().all(is_lock) {
        return Shape::Permits;
    }
    let awaited: BTreeSet<usize> = leaves.iter().flatten().filter_map(|leaf| thing_of(oracle, *leaf)).collect();
    let is_left = |step: &usize| {
        let of = oracle.needs(*step).map(|(thing, _)| thing);
        state.phase[*step] == Phase::After && of.is_some_and(|thing| awaited.contains(&thing))
    };
    if things.contains(&Some(Thing::KeptMutex)) || (0..oracle.program.steps).any(|step| is_left(&step)) {
        return Shape::Doubt;
    }
    // What is held in futures that nobody polls, and what such a future was handed.
    let polled = |step: usize| oracle.is_polled(state, step);
    let has = |step: &usize| {
        let handed = state.phase[*step] == Phase::Waiting && oracle.satisfied(state, *step, &|_| true);
        tasks.contains(&oracle.task[*step]) && (oracle.has(state, *step) || handed)
    };
    let unpolled_waits = (0..oracle.program.steps).any(|step| {
        let waits = state.phase[step] == Phase::Waiting && oracle.needs(step).is_some();
        tasks.contains(&oracle.task[step]) && waits && !polled(step)
    });
    if unpolled_waits || (0..oracle.program.steps).filter(has).any(|step| !polled(step)) {
        return Shape::Held;
    }
    if remain(oracle, state, tasks, Behind::Nobody) != *tasks {
        return Shape::Queue;
    }
    if leaves.iter().any(|leaves| leaves.len() > 1) {
        return Shape::Branches;
    }
    if things.contains(&Some(Thing::RwLock)) { Shape::Readers } else { Shape::Circle }
}
