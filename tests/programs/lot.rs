//! Programs drawn by lot. A seed always draws the same one.

use super::program::{Branch, End, How, Length, Place, Program, Side, Start, Step, Task, Thing, Used, What, uses};

/// What is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taste {
    /// Locks whose guards stand in frames.
    Locks,
    /// And semaphores, channels and tasks that are joined.
    All,
    /// And guards that are put away.
    Unseen,
}

/// Numbers that look as if by chance.
#[derive(Debug)]
pub(crate) struct Lot(u64);

impl Lot {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    /// So often of a hundred times.
    fn is(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// Draws a program.
pub(crate) fn draw(seed: u64, taste: Taste) -> Program {
    let mut lot = Lot::new(seed);
    let things = things(&mut lot, taste);
    let roots = 2 + lot.below(3);
    let mut tasks: Vec<Task> = (0..roots).map(|_| Task { parent: None, body: Vec::new() }).collect();
    if taste != Taste::Locks && lot.is(40) {
        let parent = lot.below(roots);
        tasks.push(Task { parent: Some(parent), body: Vec::new() });
        if lot.is(25) {
            tasks.push(Task { parent: Some(roots), body: Vec::new() });
        }
    }
    let ends = ends(&mut lot, &things, tasks.len());
    let mut program = Program { things, ends, tasks, steps: 0 };
    for at in 0..program.tasks.len() {
        let mut used = (0..program.ends.len()).map(Used::End).collect::<Vec<_>>();
        used.retain(|used| matches!(used, Used::End(end) if program.ends[*end].task == at));
        let mut draws = Draws { lot: &mut lot, program: &program, taste, task: at, left: 7, steps: program.steps };
        let mut body = draws.block(3, &used);
        let children = (0..program.tasks.len()).filter(|child| program.tasks[*child].parent == Some(at));
        for task in children.collect::<Vec<_>>() {
            let inner = draws.with_handle(task, &used);
            let step = draws.step(What::Spawn { task, body: inner });
            let place = draws.lot.below(body.len() + 1);
            body.insert(place, step);
        }
        program.steps = draws.steps;
        program.tasks[at].body = body;
    }
    program
}

fn things(lot: &mut Lot, taste: Taste) -> Vec<Thing> {
    let count = 1 + lot.below(3);
    let mut things: Vec<Thing> = (0..count)
        .map(|_| match (taste, lot.below(12)) {
            (Taste::Unseen, 0..=3) => Thing::KeptMutex,
            (Taste::Locks, 0..=7) | (_, 0..=3) => Thing::Mutex,
            (Taste::Locks, _) | (_, 4..=5) => Thing::RwLock,
            (_, 6..=7) => Thing::Semaphore(1 + lot.below(4) as u32),
            (_, 8..=9) => Thing::Channel(1 + lot.below(2) as u32),
            (_, 10) => Thing::Oneshot,
            _ => Thing::Watch,
        })
        .collect();
    if things.len() == 1 && lot.is(70) {
        things.push(Thing::Mutex);
    }
    things
}

fn ends(lot: &mut Lot, things: &[Thing], tasks: usize) -> Vec<End> {
    let mut ends = Vec::new();
    for (thing, what) in things.iter().enumerate() {
        let mut add = |side, count: usize, lot: &mut Lot| {
            for _ in 0..count {
                ends.push(End { thing, side, task: lot.below(tasks) });
            }
        };
        let (gives, takes) = match what {
            Thing::Channel(_) => (1 + lot.below(2), 1),
            Thing::Oneshot => (1, 1),
            Thing::Watch => (1, 1 + lot.below(2)),
            _ => continue,
        };
        add(Side::Gives, gives, lot);
        add(Side::Takes, takes, lot);
    }
    ends
}

struct Draws<'a> {
    lot: &'a mut Lot,
    program: &'a Program,
    taste: Taste,
    task: usize,
    /// So many steps of this task are left to be drawn.
    left: usize,
    steps: usize,
}

impl Draws<'_> {
    fn step(&mut self, what: What) -> Step {
        self.steps += 1;
        Step { number: self.steps - 1, what }
    }

    fn block(&mut self, depth: usize, used: &[Used]) -> Vec<Step> {
        let count = 1 + usize::from(self.lot.is(40)) + usize::from(self.lot.is(15));
        (0..count).filter_map(|_| self.any(depth, used)).collect()
    }

    /// Sometimes nothing.
    fn rest(&mut self, depth: usize, used: &[Used]) -> Vec<Step> {
        if self.lot.is(40) { self.block(depth, used) } else { Vec::new() }
    }

    /// What is done while something is held: mostly after a while, so that others come to what they take first.
    fn inside(&mut self, depth: usize, used: &[Used]) -> Vec<Step> {
        let mut block = Vec::new();
        if self.lot.is(75) {
            block.push(self.step(What::Sleep(Length::Short)));
        }
        if depth > 0 {
            block.extend(self.block(depth - 1, used));
        }
        if self.lot.is(12) {
            block.push(self.step(What::Sleep(Length::Long)));
        }
        block
    }

    fn with_handle(&mut self, task: usize, used: &[Used]) -> Vec<Step> {
        let mut used: Vec<Used> = used.to_vec();
        used.push(Used::Handle(task));
        self.left += 3;
        let mut body = self.block(2, &used);
        if self.lot.is(60) && !uses(&body, self.program).contains(&Used::Handle(task)) {
            body.push(self.step(What::Join { task }));
        }
        body
    }

    /// Two parts of what can be used.
    fn parts(&mut self, used: &[Used]) -> (Vec<Used>, Vec<Used>) {
        used.iter().copied().partition(|_| self.lot.is(50))
    }

    fn any(&mut self, depth: usize, used: &[Used]) -> Option<Step> {
        self.left = self.left.checked_sub(1)?;
        let what = match self.lot.below(20) {
            0..=8 => self.holds(depth, used)?,
            9..=12 => self.end(depth, used).or_else(|| self.holds(depth, used))?,
            13 => What::Sleep(if self.lot.is(75) { Length::Short } else { Length::Long }),
            _ if depth == 0 => self.holds(depth, used)?,
            14 => {
                let (left, right) = self.parts(used);
                What::Both { left: self.block(depth - 1, &left), right: self.block(depth - 1, &right) }
            }
            15 | 16 => self.either(depth, used),
            17 if self.lot.is(50) => {
                let length = if self.lot.is(40) { Length::Short } else { Length::Long };
                What::Timeout { length, body: self.block(depth - 1, used) }
            }
            _ => {
                let (first, rest) = self.parts(used);
                let start = self.lot.one(&[Start::Once, Start::Beside, Start::Pinned, Start::Dropped]);
                What::Start { start, first: self.block(depth - 1, &first), rest: self.block(depth - 1, &rest) }
            }
        };
        Some(self.step(what))
    }

    fn either(&mut self, depth: usize, used: &[Used]) -> What {
        let (first, rest) = self.parts(used);
        let mut branches = vec![
            Branch { enabled: true, body: self.block(depth - 1, &first) },
            Branch { enabled: self.lot.is(70), body: self.block(depth - 1, &rest) },
        ];
        if self.lot.is(35) {
            let length = if self.lot.is(25) { Length::Short } else { Length::Long };
            let body = vec![self.step(What::Sleep(length))];
            branches.push(Branch { enabled: self.lot.is(60), body });
        }
        What::Either { branches }
    }

    fn holds(&mut self, depth: usize, used: &[Used]) -> Option<What> {
        let all = self.program.things.iter().enumerate();
        let locks: Vec<(usize, Thing)> = all
            .filter(|(_, thing)| !matches!(thing, Thing::Channel(_) | Thing::Oneshot | Thing::Watch))
            .map(|(at, thing)| (at, *thing))
            .collect();
        if locks.is_empty() {
            return self.end(depth, used);
        }
        let (thing, kind) = self.lot.one(&locks);
        let how = match kind {
            Thing::RwLock => self.lot.one(&[How::Read, How::Read, How::Write]),
            Thing::Semaphore(most) => How::Permits(1 + self.lot.below(most.min(2) as usize) as u32),
            _ => self.lot.one(&[How::Lock, How::Lock, How::LockOwned]),
        };
        if self.taste == Taste::Unseen && kind == Thing::KeptMutex && self.lot.is(40) {
            let place = self.lot.one(&[Place::Map, Place::Map, Place::ShortJob, Place::LongJob]);
            return Some(What::Keep { thing, place });
        }
        let body = self.inside(depth, used);
        let after = if depth > 0 { self.rest(depth - 1, used) } else { Vec::new() };
        Some(What::Hold { thing, how, body, after })
    }

    fn end(&mut self, depth: usize, used: &[Used]) -> Option<What> {
        if used.is_empty() {
            return None;
        }
        Some(match self.lot.one(used) {
            Used::Handle(task) => What::Join { task },
            Used::End(end) => {
                let its = self.program.ends[end];
                debug_assert_eq!(its.task, self.task);
                let is_channel = matches!(self.program.things[its.thing], Thing::Channel(_));
                match its.side {
                    Side::Gives if is_channel && self.lot.is(30) => {
                        let body = self.inside(depth, used);
                        let after = if depth > 0 { self.rest(depth - 1, used) } else { Vec::new() };
                        What::Reserve { end, body, after }
                    }
                    Side::Gives => What::Give { end },
                    Side::Takes => What::Take { end },
                }
            }
        })
    }
}
