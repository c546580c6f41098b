//! What can become of a program from where it is, found by trying everything. It knows what tokio promises (first come, first served;
//! permits are handed to whoever waits, polled or not), and nothing of how anybody else finds out.

use super::program::{End, How, Length, Phase, Program, Reached, Side, Start, Step, Thing, What};
use std::collections::HashSet;

/// More states than these are not gone through.
const MOST: usize = 60_000;
/// All readers that there could be.
const READERS: u64 = 1_000_000;

/// Where a program is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) phase: Vec<Phase>,
    /// By thing: the steps that wait for permits of it, first come first, those that were handed theirs included.
    pub(crate) queue: Vec<Vec<usize>>,
    /// By thing: the messages in it; of a oneshot 1 once it was set.
    pub(crate) messages: Vec<u64>,
    /// By end: a watch has changed since it was asked.
    pub(crate) fresh: Vec<bool>,
    pub(crate) spawned: Vec<bool>,
}

/// Which ways out there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timers {
    Fire,
    /// Long ones never do.
    Never,
}

pub(crate) struct Oracle<'a> {
    pub(crate) program: &'a Program,
    pub(crate) steps: Vec<Option<&'a Step>>,
    /// By step.
    pub(crate) task: Vec<usize>,
}

/// One that waits and is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    Step(usize),
    /// Of a timeout around something.
    Timer(Length),
    /// Not there before it has begun.
    Ready,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        let mut oracle = Self { program, steps: vec![None; program.steps], task: vec![0; program.steps] };
        for (at, task) in program.tasks.iter().enumerate() {
            oracle.add(at, &task.body);
        }
        oracle
    }

    fn add(&mut self, task: usize, block: &'a [Step]) {
        for step in block {
            self.steps[step.number] = Some(step);
            self.task[step.number] = task;
            for inner in step.what.blocks() {
                self.add(task, inner);
            }
        }
    }

    /// The state that was reached.
    pub(crate) fn state(&self, reached: &Reached) -> State {
        let phase: Vec<Phase> = reached.steps.iter().map(|(phase, _)| Phase::of(*phase)).collect();
        let mut state = State {
            queue: vec![Vec::new(); self.program.things.len()],
            messages: vec![0; self.program.things.len()],
            fresh: vec![false; self.program.ends.len()],
            spawned: self.program.tasks.iter().map(|task| task.parent.is_none()).collect(),
            phase,
        };
        let mut spent = vec![0_u64; self.program.things.len()];
        for step in self.steps.iter().flatten() {
            let done = state.phase[step.number] == Phase::Done;
            match &step.what {
                What::Spawn { task, .. } => state.spawned[*task] = state.phase[step.number] != Phase::Idle,
                What::Give { end } if done => state.messages[self.program.ends[*end].thing] += 1,
                What::Take { end } if done => spent[self.program.ends[*end].thing] += 1,
                _ => {}
            }
        }
        for (thing, kind) in self.program.things.iter().enumerate() {
            match kind {
                Thing::Oneshot => {}
                Thing::Watch => state.messages[thing] = 0,
                _ => state.messages[thing] = state.messages[thing].saturating_sub(spent[thing]),
            }
        }
        for (number, end) in self.program.ends.iter().enumerate() {
            let is_of = |step: &&&Step, side: Side| match (&step.what, side) {
                (What::Give { end: other }, Side::Gives) => self.program.ends[*other].thing == end.thing,
                (What::Take { end: other }, Side::Takes) => *other == number,
                _ => false,
            };
            let last = |side| {
                let done = self.steps.iter().flatten().filter(|step| state.phase[step.number] == Phase::Done);
                done.filter(|step| is_of(step, side)).map(|step| reached.steps[step.number].1).max()
            };
            let is_watch = self.program.things[end.thing] == Thing::Watch;
            state.fresh[number] = is_watch && end.side == Side::Takes && last(Side::Gives) > last(Side::Takes);
        }
        for task in &self.program.tasks {
            self.drop_what_is_left(&mut state, &task.body);
        }
        let mut waiting: Vec<usize> = (0..self.program.steps).collect();
        waiting.retain(|step| state.phase[*step] == Phase::Waiting);
        waiting.sort_by_key(|step| reached.steps[*step].1);
        for step in waiting {
            if let Some((thing, _)) = self.needs(step) {
                state.queue[thing].push(step);
            }
        }
        state
    }

    /// Marks what is inside of something that is over.
    fn drop_what_is_left(&self, state: &mut State, block: &[Step]) {
        for step in block {
            let phase = state.phase[step.number];
            match &step.what {
                What::Start { start, first, .. }
                    if phase == Phase::Done || (phase == Phase::Inside && *start == Start::Dropped) =>
                {
                    self.cancel(state, first);
                }
                What::Either { .. } | What::Timeout { .. } if phase == Phase::Done => self.cancel_inside(state, step),
                _ => {}
            }
            for inner in step.what.blocks() {
                self.drop_what_is_left(state, inner);
            }
        }
    }

    fn cancel_inside(&self, state: &mut State, step: &Step) {
        for inner in step.what.blocks() {
            self.cancel(state, inner);
        }
    }

    fn cancel(&self, state: &mut State, block: &[Step]) {
        for step in block {
            let phase = &mut state.phase[step.number];
            let kept = matches!(step.what, What::Keep { .. }) && *phase == Phase::After;
            if *phase != Phase::Done && !kept {
                *phase = Phase::Gone;
                if let Some((thing, _)) = self.needs(step.number) {
                    state.queue[thing].retain(|waiting| *waiting != step.number);
                }
            }
            self.cancel_inside(state, step);
        }
    }

    /// The permits that a step takes.
    pub(crate) fn needs(&self, step: usize) -> Option<(usize, u64)> {
        Some(match &self.steps[step]?.what {
            What::Hold { thing, how, .. } => {
                let count = match how {
                    How::Lock | How::LockOwned | How::Read => 1,
                    How::Write => READERS,
                    How::Permits(count) => u64::from(*count),
                };
                (*thing, count)
            }
            What::Keep { thing, .. } => (*thing, 1),
            What::Reserve { end, .. } => (self.program.ends[*end].thing, 1),
            What::Give { end } => match self.program.things[self.program.ends[*end].thing] {
                Thing::Channel(_) => (self.program.ends[*end].thing, 1),
                _ => return None,
            },
            _ => return None,
        })
    }

    pub(crate) fn total(&self, thing: usize) -> u64 {
        match self.program.things[thing] {
            Thing::Mutex | Thing::KeptMutex => 1,
            Thing::RwLock => READERS,
            Thing::Semaphore(permits) | Thing::Channel(permits) => u64::from(permits),
            Thing::Oneshot | Thing::Watch => 0,
        }
    }

    /// Whether the step has the permits that it took.
    pub(crate) fn has(&self, state: &State, step: usize) -> bool {
        match self.steps[step].map(|step| &step.what) {
            Some(What::Hold { .. } | What::Reserve { .. }) => state.phase[step] == Phase::Inside,
            Some(What::Keep { .. }) => state.phase[step] == Phase::After,
            _ => false,
        }
    }

    /// The permits of a thing that are out, or taken up by messages, as far as `counts` says that a step's count.
    fn out(&self, state: &State, thing: usize, counts: &dyn Fn(usize) -> bool) -> u64 {
        let all = (0..self.program.steps).filter(|step| self.has(state, *step) && counts(*step));
        all.filter_map(|step| self.needs(step)).filter(|(of, _)| *of == thing).map(|(_, count)| count).sum()
    }

    /// Whether a step that waits was handed all that it needs, where permits of steps that do not count are given back.
    pub(crate) fn satisfied(&self, state: &State, step: usize, counts: &dyn Fn(usize) -> bool) -> bool {
        let Some((thing, _)) = self.needs(step) else { return false };
        let messages = match self.program.things[thing] {
            Thing::Channel(_) => state.messages[thing],
            _ => 0,
        };
        let out = self.out(state, thing, counts) + messages;
        let mut free = self.total(thing).saturating_sub(out);
        for waiting in state.queue[thing].iter().filter(|waiting| counts(**waiting)) {
            let needs = self.needs(*waiting).map_or(0, |(_, count)| count);
            let given = needs.min(free);
            free -= given;
            if *waiting == step {
                return given == needs;
            }
        }
        false
    }

    /// The task that has an end now: that which uses it, or whoever is to spawn that.
    pub(crate) fn owner(&self, state: &State, end: &End) -> usize {
        let mut task = end.task;
        while let (false, Some(parent)) = (state.spawned[task], self.program.tasks[task].parent) {
            task = parent;
        }
        task
    }

    pub(crate) fn ends<'s>(&'s self, state: &'s State, thing: usize, side: Side) -> impl Iterator<Item = usize> + 's {
        let ends = self.program.ends.iter().filter(move |end| end.thing == thing && end.side == side);
        ends.map(|end| self.owner(state, end)).filter(|task| !self.ended(state, *task))
    }

    pub(crate) fn ended(&self, state: &State, task: usize) -> bool {
        state.spawned[task] && self.program.tasks[task].body.iter().all(|step| complete(state, step))
    }

    /// What a task waits in, and is polled.
    pub(crate) fn leaves(&self, state: &State, task: usize) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        if state.spawned[task] {
            Self::leaves_of(state, &self.program.tasks[task].body, &mut leaves);
        }
        leaves
    }

    fn leaves_of(state: &State, block: &[Step], leaves: &mut Vec<Leaf>) {
        let Some(step) = block.iter().find(|step| !complete(state, step)) else { return };
        match (&step.what, state.phase[step.number]) {
            (_, Phase::Idle) => leaves.push(Leaf::Ready),
            (What::Hold { body, .. } | What::Reserve { body, .. } | What::Spawn { body, .. }, Phase::Inside) => {
                Self::leaves_of(state, body, leaves);
            }
            (What::Hold { after, .. } | What::Reserve { after, .. }, _) if state.phase[step.number] == Phase::After => {
                Self::leaves_of(state, after, leaves);
            }
            (What::Both { left, right }, _) => {
                Self::leaves_of(state, left, leaves);
                Self::leaves_of(state, right, leaves);
            }
            (What::Either { branches }, _) => {
                for branch in branches.iter().filter(|branch| branch.enabled) {
                    Self::leaves_of(state, &branch.body, leaves);
                }
            }
            (What::Timeout { length, body }, _) => {
                leaves.push(Leaf::Timer(*length));
                Self::leaves_of(state, body, leaves);
            }
            (What::Start { rest, .. }, Phase::Inside) => Self::leaves_of(state, rest, leaves),
            (What::Start { first, .. }, Phase::After) => Self::leaves_of(state, first, leaves),
            (What::Start { first, .. }, _) => {
                leaves.push(Leaf::Timer(Length::Short));
                Self::leaves_of(state, first, leaves);
            }
            _ => leaves.push(Leaf::Step(step.number)),
        }
    }

    /// Whether a step stands where its task polls.
    pub(crate) fn is_polled(&self, state: &State, step: usize) -> bool {
        Self::polls(state, &self.program.tasks[self.task[step]].body, step)
    }

    fn polls(state: &State, block: &[Step], wanted: usize) -> bool {
        let Some(step) = block.iter().find(|step| !complete(state, step)) else { return false };
        let inner: Vec<&[Step]> = match (&step.what, state.phase[step.number]) {
            _ if step.number == wanted => return true,
            (What::Start { rest, .. }, Phase::Inside) => vec![rest],
            (What::Start { first, .. }, _) => vec![first],
            (What::Either { branches }, _) => {
                branches.iter().filter(|branch| branch.enabled).map(|branch| &branch.body[..]).collect()
            }
            (what, _) => what.blocks().into_iter().map(|block| &block[..]).collect(),
        };
        inner.into_iter().any(|block| Self::polls(state, block, wanted))
    }

    /// All that can happen next.
    pub(crate) fn moves(&self, state: &State, timers: Timers) -> Vec<State> {
        let mut out = Vec::new();
        for task in (0..self.program.tasks.len()).filter(|task| state.spawned[*task]) {
            self.block(state, &self.program.tasks[task].body, timers, &mut out);
        }
        out
    }

    /// What can become of guards that were put away: nobody knows.
    pub(crate) fn given_back(&self, state: &State) -> Vec<State> {
        let kept = self
            .steps
            .iter()
            .flatten()
            .filter(|step| matches!(step.what, What::Keep { .. }) && state.phase[step.number] == Phase::After);
        kept.map(|step| with(state, step, Phase::Done)).collect()
    }

    fn block(&self, state: &State, block: &[Step], timers: Timers, out: &mut Vec<State>) {
        if let Some(step) = block.iter().find(|step| !complete(state, step)) {
            self.step(state, step, timers, out);
        }
    }

    fn step(&self, state: &State, step: &Step, timers: Timers, out: &mut Vec<State>) {
        let phase = state.phase[step.number];
        let is_over = |length: Length| length == Length::Short || timers == Timers::Fire;
        match &step.what {
            _ if phase == Phase::Idle => out.push(self.begun(state, step)),
            What::Hold { body, after, .. } | What::Reserve { body, after, .. } => match phase {
                Phase::Waiting => out.extend(self.taken(state, step, Phase::Inside)),
                Phase::Inside if all_complete(state, body) => out.push(with(state, step, Phase::After)),
                Phase::Inside => self.block(state, body, timers, out),
                _ if all_complete(state, after) => out.push(with(state, step, Phase::Done)),
                _ => self.block(state, after, timers, out),
            },
            What::Keep { .. } => out.extend(self.taken(state, step, Phase::After)),
            What::Give { end } => {
                let thing = self.program.ends[*end].thing;
                if let Some(mut next) = self.taken(state, step, Phase::Done) {
                    if self.ends(state, thing, Side::Takes).next().is_some() {
                        next.messages[thing] += 1;
                    }
                    out.push(next);
                }
            }
            What::Take { end } => out.extend(self.received(state, step, *end)),
            What::Sleep(length) if is_over(*length) => out.push(with(state, step, Phase::Done)),
            What::Spawn { body, .. } => {
                self.block(state, body, timers, out);
                if all_complete(state, body) {
                    out.push(with(state, step, Phase::Done));
                }
            }
            What::Join { task } if self.ended(state, *task) => out.push(with(state, step, Phase::Done)),
            What::Sleep(_) | What::Join { .. } => {}
            What::Both { left, right } => {
                self.block(state, left, timers, out);
                self.block(state, right, timers, out);
                if all_complete(state, left) && all_complete(state, right) {
                    out.push(with(state, step, Phase::Done));
                }
            }
            What::Either { branches } => {
                let enabled = || branches.iter().filter(|branch| branch.enabled);
                if enabled().any(|branch| all_complete(state, &branch.body)) {
                    out.push(self.over(state, step));
                } else {
                    enabled().for_each(|branch| self.block(state, &branch.body, timers, out));
                }
            }
            What::Timeout { length, body } => {
                if is_over(*length) || all_complete(state, body) {
                    out.push(self.over(state, step));
                }
                self.block(state, body, timers, out);
            }
            What::Start { start, first, rest } => self.start(state, step, *start, [first, rest], timers, out),
        }
    }

    fn start(
        &self,
        state: &State,
        step: &Step,
        start: Start,
        [first, rest]: [&[Step]; 2],
        timers: Timers,
        out: &mut Vec<State>,
    ) {
        let is_over = all_complete(state, first);
        match state.phase[step.number] {
            Phase::Waiting => {
                let before = out.len();
                self.block(state, first, timers, out);
                // Polled once is polled until it waits.
                let waits = out.len() == before;
                if is_over || waits || matches!(start, Start::Beside | Start::Pinned) {
                    let mut next = with(state, step, Phase::Inside);
                    if start == Start::Dropped {
                        self.cancel(&mut next, first);
                    }
                    out.push(next);
                }
            }
            Phase::Inside if !all_complete(state, rest) => self.block(state, rest, timers, out),
            Phase::Inside if start == Start::Beside && !is_over => out.push(with(state, step, Phase::After)),
            Phase::After if !is_over => self.block(state, first, timers, out),
            _ => {
                let mut next = with(state, step, Phase::Done);
                self.cancel(&mut next, first);
                out.push(next);
            }
        }
    }

    /// A step that begins.
    fn begun(&self, state: &State, step: &Step) -> State {
        let mut next = with(state, step, Phase::Waiting);
        if let Some((thing, _)) = self.needs(step.number) {
            next.queue[thing].push(step.number);
        }
        match &step.what {
            What::Both { .. } | What::Either { .. } | What::Timeout { .. } => next.phase[step.number] = Phase::Inside,
            What::Spawn { task, .. } => {
                next.phase[step.number] = Phase::Inside;
                next.spawned[*task] = true;
            }
            What::Give { end } => {
                let thing = self.program.ends[*end].thing;
                match self.program.things[thing] {
                    Thing::Oneshot => {
                        next.messages[thing] = 1;
                        next.phase[step.number] = Phase::Done;
                    }
                    Thing::Watch => {
                        let all = self.program.ends.iter().enumerate();
                        let takes = all.filter(|(_, end)| end.thing == thing && end.side == Side::Takes);
                        takes.for_each(|(number, _)| next.fresh[number] = true);
                        next.phase[step.number] = Phase::Done;
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        next
    }

    /// Where a step goes on that takes permits, if it can.
    fn taken(&self, state: &State, step: &Step, phase: Phase) -> Option<State> {
        let (thing, _) = self.needs(step.number)?;
        let is_channel = matches!(self.program.things[thing], Thing::Channel(_));
        let closed = is_channel && self.ends(state, thing, Side::Takes).next().is_none();
        if !closed && !self.satisfied(state, step.number, &|_| true) {
            return None;
        }
        let mut next = with(state, step, phase);
        next.queue[thing].retain(|waiting| *waiting != step.number);
        Some(next)
    }

    fn received(&self, state: &State, step: &Step, end: usize) -> Option<State> {
        let thing = self.program.ends[end].thing;
        let mut next = with(state, step, Phase::Done);
        let gone = self.ends(state, thing, Side::Gives).next().is_none();
        match self.program.things[thing] {
            Thing::Watch if state.fresh[end] => next.fresh[end] = false,
            Thing::Oneshot if state.messages[thing] > 0 => {}
            Thing::Channel(_) if state.messages[thing] > 0 => next.messages[thing] -= 1,
            _ if gone => {}
            _ => return None,
        }
        Some(next)
    }

    /// A step that ends, with all that is inside of it.
    fn over(&self, state: &State, step: &Step) -> State {
        let mut next = with(state, step, Phase::Done);
        self.cancel_inside(&mut next, step);
        next
    }

    /// The steps that are somewhere else in any state that can be reached; `None` where these are too many.
    pub(crate) fn moved(&self, from: &State, timers: Timers) -> Option<Vec<bool>> {
        let mut moved = vec![false; self.program.steps];
        let mut seen: HashSet<State> = HashSet::from([from.clone()]);
        let mut todo = vec![from.clone()];
        while let Some(state) = todo.pop() {
            let next = self.moves(&state, timers).into_iter().chain(self.given_back(&state));
            for next in next {
                if seen.contains(&next) {
                    continue;
                }
                for (step, moved) in moved.iter_mut().enumerate() {
                    *moved |= next.phase[step] != from.phase[step];
                }
                if seen.len() > MOST {
                    return None;
                }
                seen.insert(next.clone());
                todo.push(next);
            }
        }
        Some(moved)
    }
}

fn with(state: &State, step: &Step, phase: Phase) -> State {
    let mut next = state.clone();
    next.phase[step.number] = phase;
    next
}

fn complete(state: &State, step: &Step) -> bool {
    let phase = state.phase[step.number];
    let is_kept = phase == Phase::After && matches!(step.what, What::Keep { .. });
    phase == Phase::Done || phase == Phase::Gone || is_kept
}

fn all_complete(state: &State, block: &[Step]) -> bool {
    block.iter().all(|step| complete(state, step))
}
