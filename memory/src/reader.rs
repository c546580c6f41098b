//! The door: a process is opened, and looked at as often as one likes.

mod asked;
mod told;

use crate::{
    Cost, Job, Look, Process, ProcessState, Task, Thing, Unread, WaitOn, Who,
    bytes::{Bytes, Core, Error, Live, Scene, processor_time},
    data,
    debug::{Search, TypeId},
    descriptors::{self, Descriptors, Waiting},
    finder::Finder,
    future::{
        frames::Frames,
        planner::Plans,
        raw::{RawOn, RawWait, Walked},
    },
    holders::Assigned,
    objects::Object,
    options::Options,
    peers::Peers,
    reach::{Reach, Reaches},
    resolve::{self, Ends, Me, Sleep, Wakers},
    roots::{self, Root, roots},
    round::{Found, Known, Tasks, Tools, plans},
    sleepers::{Sleepers, Strangers},
    things::{Hidden, Party, Read, Things, Told},
    thread::{Running, Threads},
    tokio::{
        context::Variable,
        copy::{Copy, Kind},
    },
    workers::{Sources, Workers},
};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{
    cell::RefCell,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use told::{claims, task};

/// What a look is to tell beside tasks and what they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Which threads' stacks.
    pub stacks: Stacks,
}

/// Which threads' stacks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stacks {
    /// None.
    #[default]
    No,
    /// Those of threads that sleep.
    Sleeping,
    /// Those of running threads as well, each of which is stopped for less than a millisecond.
    Stopping,
}

/// Reads a process.
pub struct Reader {
    bytes: Box<dyn Bytes>,
    search: Search,
    /// Debug information that could not be used.
    refused: Vec<Unread>,
    copies: Vec<Copy>,
    plans: Vec<Plans>,
    frames: Frames,
    tasks: Tasks,
    things: Things,
    finder: Finder,
    threads: Threads,
    peers: Peers,
    descriptors: Descriptors,
    /// Of each copy where a thread's context is.
    variables: Vec<Option<Variable>>,
    /// Of each copy its own.
    reaches: Vec<Reaches>,
    /// Tasks that were seen last to be queued, or to wait for a descriptor of which no types tell.
    noted: Vec<u64>,
    /// How many tasks the next looks have still to tell.
    untold: usize,
    /// The objects that were looked at.
    mapped: u64,
    unread: Vec<Unread>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("copies", &self.copies.len())
            .field("tasks", &self.tasks.count())
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a process of this machine. Nothing is stopped, and nothing is written to it.
    ///
    /// # Errors
    ///
    /// Where there is none, or it may not be read: which of the reasons it is, and what to type, stands in the error.
    pub fn open(pid: u32, options: &Options) -> Result<Self, Error> {
        let root = Some(PathBuf::from(format!("/proc/{pid}/root")));
        Self::over(Box::new(Live::open(pid)?), Search { root, ..options.search() })
    }

    /// Opens a core file, or a grab: of the kernel, of `gcore`, of holdup. What is not in it comes from the files that were mapped, where
    /// those are here and of the same build.
    ///
    /// # Errors
    ///
    /// Where it is none, or cannot be read.
    pub fn core(path: &Path, options: &Options) -> Result<Self, Error> {
        Self::over(Box::new(Core::open(path, options.executable.as_deref())?), options.search())
    }

    fn over(bytes: Box<dyn Bytes>, search: Search) -> Result<Self, Error> {
        let threads = Threads::kept_in(search.cache.clone());
        let mut reader = Self {
            bytes,
            search,
            refused: Vec::new(),
            copies: Vec::new(),
            plans: Vec::new(),
            frames: Frames::default(),
            tasks: Tasks::default(),
            things: Things::default(),
            finder: Finder::default(),
            threads,
            peers: Peers::default(),
            descriptors: Descriptors::default(),
            variables: Vec::new(),
            reaches: Vec::new(),
            noted: Vec::new(),
            untold: 0,
            mapped: 0,
            unread: Vec::new(),
        };
        let scene = reader.bytes.scene()?;
        reader.find_copies(&scene);
        // What the user names is right, or they are told.
        let named = reader.search.debug.is_some() || reader.search.layout.is_some();
        match reader.refused.first() {
            Some(refused) if named && reader.refused.len() == reader.copies.len() => {
                Err(Error::File(refused.why.to_string()))
            }
            _ => Ok(reader),
        }
    }

    /// Looks for copies of tokio in what is mapped, if that is not what it was.
    fn find_copies(&mut self, scene: &Scene) {
        self.threads.renew(scene, &*self.bytes);
        let mut hasher = FxHasher::default();
        for region in scene.regions.iter().filter(|region| region.may.execute()) {
            (region.range.start, region.range.end, region.inode).hash(&mut hasher);
        }
        let mapped = hasher.finish();
        if std::mem::replace(&mut self.mapped, mapped) == mapped {
            return;
        }
        let (search, mut refused) = (self.search.clone(), Vec::new());
        let mut open = |object: &Object| object.debug(&search, &mut refused);
        let images = self.threads.images();
        let objects = images.iter().map(|image| Object::new(image, &scene.regions, &*self.bytes));
        self.copies = objects.filter_map(|object| Copy::find(&object, &*self.bytes, &mut open)).collect();
        for copy in &self.copies {
            copy.debug.keep_aside(self.search.cache.as_ref());
        }
        self.refused = refused;
        self.variables = self.copies.iter().map(|copy| Variable::find(&copy.debug)).collect();
        self.plans = plans(&self.copies);
        self.things = Things::new(&self.copies);
        self.reaches = self.copies.iter().map(|_| Reaches::default()).collect();
        self.tasks = Tasks::default();
        self.untold = 0;
        self.finder = Finder::default();
    }

    /// Looks.
    ///
    /// # Errors
    ///
    /// Where the process has ended, or may not be read any more.
    pub fn look(&mut self, asked: &Wants) -> Result<Look, Error> {
        let (began, used) = (Instant::now(), processor_time());
        let before = self.bytes.cost();
        let scene = self.bytes.scene()?;
        self.find_copies(&scene);
        self.unread.clone_from(&self.refused);
        self.unread.extend(self.bytes.missing());
        self.unread.extend(self.bytes.blind().map(|why| Unread { what: "pages".into(), why: why.into() }));
        // What is told in parts is all of one instant.
        let (ended, taken) = if self.untold == 0 { self.round(&scene) } else { Default::default() };
        let mut roots = self.roots(&scene);
        let sources = Sources {
            scene: &scene,
            bytes: &*self.bytes,
            copies: &self.copies,
            variables: &self.variables,
            tasks: &self.tasks,
        };
        let stacks = match asked.stacks {
            Stacks::No => None,
            Stacks::Sleeping => Some(Running::LeftAlone),
            Stacks::Stopping => Some(Running::Stopped),
        };
        let mut workers = Workers::read(&sources, &mut self.threads, stacks);
        let forked = workers.forked(&scene);
        self.finder.learn(&mut workers, &self.tasks, &*self.bytes);
        let sleepers = sleepers(&workers, &mut roots);
        let hidden = self.hidden(&roots, &workers, &sleepers);
        let aliases = |root: &Root| {
            let who = Who::Root(root.thread);
            root.found.aliases().iter().map(move |alias| (*alias, who)).collect::<Vec<_>>()
        };
        let wakers = Wakers { tasks: &self.tasks, roots: roots.iter().flat_map(aliases).collect() };
        let tasks = self.tasks.involved();
        let tasks = tasks.map(|known| Party { who: Who::Task(known.number), copy: known.copy(), found: &known.found });
        let threads =
            roots.iter().map(|root| Party { who: Who::Root(root.thread), copy: root.copy, found: &root.found });
        let parties: Vec<Party<'_>> = tasks.chain(threads).collect();
        let mut read = self.things.read(&parties, &sleepers, &self.copies, &*self.bytes);
        let watched = self.bytes.watched();
        let records: FxHashMap<u64, i32> = watched.iter().map(|watched| (watched.data, watched.fd)).collect();
        let (tasks, regions) = (&self.tasks, &*scene.regions);
        let from = descriptors::Sources { tasks, copies: &self.copies, regions, bytes: &*self.bytes };
        let mut waiting = self.descriptors.read(&watched, from);
        read.records.extend(waiting.records.drain());
        let sockets = self.peers.of(&parties, &records, waiting.descriptors(), &*self.bytes);
        let (things, copies) = (&self.things, &self.copies);
        let notifies = |at: u64| things.around(at, copies);
        let ends = Ends { tasks: &self.tasks, read: &read, wakers: &wakers, records: &records, notifies: &notifies };
        let mut given: FxHashMap<u64, Vec<Assigned>> = FxHashMap::default();
        let lively = self.tasks.lively(workers.queued.keys().chain(&self.noted).copied().chain(waiting.tasks()));
        let changes = changed(&lively, &mut given, &workers, &self.frames, &ends, &waiting, &*self.bytes);
        let told_roots = told(&roots, &mut given, &self.frames, &ends);
        let mut party = Told {
            parties: &parties,
            read: &read,
            copies: &self.copies,
            bytes: &*self.bytes,
            frames: &self.frames,
            wakers: &wakers,
            given: &given,
            hidden: &hidden,
            elsewhere: workers.strangers(),
            strangers: Strangers::of(&workers.threads),
            senders: FxHashSet::default(),
        };
        let mut things = self.things.tell(&mut party);
        self.noted = workers.queued.keys().copied().chain(waiting.tasks()).collect();
        self.untold = changes.later.len();
        self.tasks.tell(&changes.noted, &changes.later);
        self.confirm(&mut things, &read, &scene);
        workers.kept(&read);
        let jobs = self.jobs(&workers);
        let after = self.bytes.cost();
        let cost = Cost {
            took: began.elapsed(),
            cpu: processor_time().saturating_sub(used),
            bytes: after.1 - before.1,
            calls: after.0 - before.0,
            walked: taken.walked,
            moving: taken.moving,
            stopped: workers.threads.iter().filter_map(|thread| thread.stopped).max().unwrap_or_default(),
        };
        Ok(Look {
            at: scene.now,
            process: self.process(&scene, forked),
            changed: changes.tasks,
            untold: self.untold,
            ended,
            tasks: self.tasks.count(),
            chains: self.frames.fresh(),
            things,
            runtimes: workers.runtimes,
            sets: workers.sets,
            threads: workers.threads,
            roots: told_roots,
            jobs,
            sockets,
            unread: self.unread.clone(),
            cost,
        })
    }

    /// Finds what is new, and reads what is known: which tasks are gone.
    fn round(&mut self, scene: &Scene) -> (Vec<u64>, crate::round::Taken) {
        let fresh = self.finder.find(&self.tasks, &self.copies, scene, &self.threads, &*self.bytes);
        let (things, copies) = (&mut self.things, &self.copies);
        let mut hints = |copy, hint| things.hint(copy, hint, copies);
        let mut tools =
            Tools { bytes: &*self.bytes, copies, plans: &mut self.plans, frames: &mut self.frames, hints: &mut hints };
        self.tasks.round(fresh, &mut tools)
    }

    /// The futures that `block_on` runs.
    fn roots(&mut self, scene: &Scene) -> Vec<Root> {
        let (things, copies, bytes) = (RefCell::new(&mut self.things), &self.copies, &*self.bytes);
        let mut hints = |copy, hint| things.borrow_mut().hint(copy, hint, copies);
        let tasks = &self.tasks;
        let mut receiver = |copy, walked: &Walked| {
            let mut wakers = things.borrow_mut().receivers(copy, walked, copies, bytes);
            let joined = walked.waits.iter().filter_map(|wait| match wait.on {
                RawOn::Join { header } => Some(tasks.get(header)?.join_waker),
                _ => None,
            });
            wakers.extend(joined);
            wakers
        };
        let mut tools = roots::Tools {
            scene,
            bytes,
            copies,
            plans: &mut self.plans,
            frames: &mut self.frames,
            hints: &mut hints,
            receiver: &mut receiver,
        };
        roots(&mut self.threads, &mut tools)
    }

    /// Reads once more what things are told from that somebody waits for or has: evidence of two instants is none.
    fn confirm(&mut self, things: &mut [Thing], read: &Read, scene: &Scene) {
        let is_suspect = |thing: &&Thing| {
            let is_used = !(thing.queue.is_empty() && thing.holders.is_empty());
            is_used
                && (read.semaphores.contains_key(&thing.at)
                    || read.channels.contains_key(&thing.at)
                    || read.words.contains_key(&thing.at))
        };
        let suspects = || things.iter().filter(is_suspect);
        let involved = |thing: &Thing| -> Vec<Who> {
            let holders = thing.holders.iter().map(|holder| holder.who);
            thing.queue.iter().map(|waiter| waiter.who).chain(holders).chain(thing.perhaps.iter().copied()).collect()
        };
        let wanted: FxHashSet<Who> = suspects().flat_map(involved).collect();
        if wanted.is_empty() {
            return;
        }
        let at: Vec<u64> = suspects().map(|thing| thing.at).collect();
        let still = self.tasks.still(&wanted, &*self.bytes);
        let asleep: FxHashSet<Who> = match self.bytes.scene() {
            Ok(again) => scene
                .threads
                .iter()
                .filter(|before| {
                    again.threads.iter().any(|after| {
                        after.id == before.id
                            && after.switches == before.switches
                            && after.registers == before.registers
                    })
                })
                .flat_map(|thread| {
                    // Whoever runs on a thread that sleeps stands where it does.
                    let runs = read.sleepers.iter().filter(|(sleeper, _)| sleeper.thread == thread.id);
                    runs.map(|(sleeper, _)| sleeper.who).chain([Who::Root(thread.id)])
                })
                .collect(),
            Err(_) => FxHashSet::default(),
        };
        let same = self.things.same(&at, read, &self.copies, &*self.bytes);
        for thing in things.iter_mut().filter(|thing| same.contains(&thing.at)) {
            thing.steady = involved(thing).iter().all(|who| still.contains(who) || asleep.contains(who));
        }
    }

    fn jobs(&self, workers: &Workers) -> Vec<Job> {
        let is_job = |known: &Known| known.ty().kind == Kind::Blocking && !known.state.complete();
        let mut jobs: Vec<Job> = self
            .tasks
            .jobs()
            .filter(|(_, known)| is_job(known))
            .map(|(at, known)| Job {
                number: known.number,
                address: at,
                closure: Arc::clone(&known.ty().name),
                thread: workers.runs.get(&known.number).copied(),
            })
            .collect();
        jobs.sort_by_key(|job| job.number);
        jobs
    }

    /// What was not read could have which locks: one for each kind of task, job and root that was not gone through.
    fn hidden(&mut self, roots: &[Root], workers: &Workers, sleepers: &Sleepers) -> Vec<Hidden> {
        let mut types: FxHashMap<(u16, Option<TypeId>), String> = FxHashMap::default();
        // The same of those that sleep for a lock, and who these are.
        let mut asleep: FxHashMap<(u16, Option<TypeId>), (String, Vec<Who>)> = FxHashMap::default();
        let mut sleeps = |copy: u16, ty: Option<TypeId>, who: Who, what: &str| {
            let words = || format!("{what}, whose thread sleeps for a lock, could have it");
            asleep.entry((copy, ty)).or_insert_with(|| (words(), Vec::new())).1.push(who);
        };
        for known in self.tasks.unread() {
            let parts = known.found.opaque();
            let task = || format!("task {} {}", known.number, known.ty().name);
            let who = Who::Task(known.number);
            if sleepers.hold_up(who) {
                sleeps(known.copy(), known.ty().future, who, &task());
                continue;
            }
            // Of what was gone through only the parts that were not; of what was not, or runs, all that its type leads to.
            if known.moving || known.found.chain.is_none() || parts.is_empty() {
                let why = if known.state.running() { "runs" } else { "could not be gone through" };
                let who = || format!("{}, which {why}, could have it", task());
                types.entry((known.copy(), known.ty().future)).or_insert_with(who);
                continue;
            }
            for ty in parts {
                let who = || format!("{} has a part that could not be read, and that could have it", task());
                types.entry((known.copy(), *ty)).or_insert_with(who);
            }
        }
        for root in roots {
            let who = || {
                format!(
                    "the future of block_on on thread {}, of which not all could be read, could have it",
                    root.thread
                )
            };
            if sleepers.is_amid(root.thread) {
                let what = format!("the future of block_on on thread {}", root.thread);
                sleeps(root.copy, Some(root.ty), Who::Root(root.thread), &what);
                continue;
            }
            if root.found.chain.is_none() {
                types.entry((root.copy, Some(root.ty))).or_insert_with(who);
            }
            for ty in root.found.opaque() {
                types.entry((root.copy, *ty)).or_insert_with(who);
            }
        }
        // A thread that has used tokio, is none of its own, and on whose stack no root was found.
        if let Some(thread) = workers.others.iter().find(|thread| roots.iter().all(|root| root.thread != **thread)) {
            types
                .insert((0, None), format!("thread {thread}, which is none of tokio's and has used it, could have it"));
        }
        let mut hidden = Vec::new();
        let types = types.into_iter().map(|(of, who)| (of, (who, Vec::new())));
        for ((copy, ty), (who, asleep)) in types.chain(asleep) {
            let reach = match (ty, self.copies.get(usize::from(copy)), self.reaches.get_mut(usize::from(copy))) {
                (Some(ty), Some(copy), Some(reaches)) => reaches.of(ty, &copy.debug),
                _ => Arc::new(Reach::Everything),
            };
            hidden.push(Hidden { reach, who, asleep });
        }
        hidden.sort_by(|one, other| one.who.cmp(&other.who));
        hidden
    }

    fn process(&self, scene: &Scene, forked: Option<ProcessState>) -> Process {
        Process {
            pid: scene.pid,
            name: Arc::from(&*scene.name),
            executable: Arc::from(&*scene.executable),
            started: scene.started,
            state: forked.filter(|_| scene.state == ProcessState::Running).unwrap_or(scene.state),
            copies: self
                .copies
                .iter()
                .map(|copy| data::Copy {
                    object: Arc::clone(&copy.object.path),
                    version: copy.version.clone(),
                    grade: copy.debug.grade(),
                    from: Arc::clone(copy.debug.from()),
                })
                .collect(),
        }
    }
}

/// Threads that sleep for a lock. What `block_on` runs there is not read where it may be amid a poll.
fn sleepers(workers: &Workers, roots: &mut [Root]) -> Sleepers {
    let sleepers = Sleepers::of(&workers.threads, &roots.iter().map(|root| root.thread).collect());
    for root in roots.iter_mut().filter(|root| sleepers.is_amid(root.thread)) {
        root.found = Found::nothing("it is polled, and its thread sleeps for a lock");
    }
    sleepers
}

/// More tasks than this are not told by one look: a million at once are hundreds of megabytes.
const MOST_TOLD: usize = 200_000;

/// Tasks of which something is to be told.
#[derive(Default)]
struct Changes {
    tasks: Vec<Task>,
    /// What is to be noted of each of them.
    noted: Vec<(u32, u64)>,
    /// Those that another look is to tell.
    later: Vec<u32>,
}

/// Tasks of which something is to be told that was not, and the permits that they were given.
fn changed(
    lively: &[u32],
    given: &mut FxHashMap<u64, Vec<Assigned>>,
    workers: &Workers,
    frames: &Frames,
    ends: &Ends<'_>,
    waiting: &Waiting,
    bytes: &dyn Bytes,
) -> Changes {
    let mut changes = Changes::default();
    for (index, (at, known)) in lively.iter().filter_map(|index| Some((*index, ends.tasks.slot(*index)?))) {
        let is_full = changes.tasks.len() >= MOST_TOLD;
        if is_full && known.told == 0 && !known.found.waits.iter().any(RawWait::is_shared) {
            changes.later.push(index);
            continue;
        }
        let me = Me { who: Who::Task(known.number), header: Some(at) };
        let sleep = Sleep::of(known);
        let (mut waits, assigned) = resolve::waits(me, &known.found, sleep, frames, ends);
        if sleep == Sleep::Asleep {
            waits.extend(waiting.of(at, known));
        }
        for (semaphore, assigned) in assigned {
            given.entry(semaphore).or_default().push(assigned);
        }
        let mut hasher = FxHasher::default();
        // What was polled in between is told again, though it sleeps where it slept: it has not slept there since.
        let moved = (!known.moving).then_some(known.moves);
        (known.state.0, known.found.chain, moved, workers.queued.get(&at), &waits).hash(&mut hasher);
        for wait in &waits {
            passed(&wait.what, ends.read).hash(&mut hasher);
        }
        // Zero stands for nothing told.
        let hash = hasher.finish() | 1;
        if known.told == hash {
            continue;
        }
        if is_full {
            changes.later.push(index);
        } else {
            changes.noted.push((index, hash));
            changes.tasks.push(task(workers, at, known, waits, bytes));
        }
    }
    changes
}

/// What has come by what is waited for: where that is another, whoever waits was polled since, and may wait by the same bytes.
fn passed(on: &WaitOn, read: &Read) -> u64 {
    let passed = match on {
        WaitOn::Message(at) => read.channels.get(at).map(|channel| channel.taken),
        WaitOn::Io { of, .. } => read.records.get(of).map(|record| record.readiness),
        _ => None,
    };
    passed.unwrap_or(0)
}

/// Roots as they are told, and the permits that they were given.
fn told(
    roots: &[Root],
    given: &mut FxHashMap<u64, Vec<Assigned>>,
    frames: &Frames,
    ends: &Ends<'_>,
) -> Vec<data::Root> {
    let mut told = Vec::new();
    for root in roots {
        let me = Me { who: Who::Root(root.thread), header: None };
        let (waits, assigned) = resolve::waits(me, &root.found, Sleep::Asleep, frames, ends);
        for (semaphore, assigned) in assigned {
            given.entry(semaphore).or_default().push(assigned);
        }
        told.push(data::Root {
            thread: root.thread,
            future: Arc::clone(&root.name),
            chain: root.found.chain,
            unread: root.found.unread(),
            waits: waits.into(),
            claims: claims(&root.found),
        });
    }
    told
}
