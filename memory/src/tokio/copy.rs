//! A copy of tokio in an object of the process: the kinds of task that it can run, by their vtables, and where in their cells things
//! are.

use super::{
    names::{self, defined},
    version,
    vtable::{Vtable, vtables},
};
use crate::{
    Place,
    bytes::Bytes,
    debug::{Debug, TypeId, Types},
    objects::Object,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bytes of a trailer that is known of no type: list, waker, hooks.
const TRAILER: u64 = 48;
/// Larger cells are not read whole.
const LARGEST: u64 = 1 << 20;

/// What a cell is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `spawn`.
    Task,
    /// `spawn_local`.
    Local,
    /// `spawn_blocking`.
    Blocking,
    /// A job that is a worker of a runtime.
    Worker,
    /// Nothing says.
    Unknown,
}

/// A kind of task: one type of future on one kind of scheduler.
#[derive(Debug)]
pub(crate) struct TaskType {
    pub(crate) vtable: Vtable,
    pub(crate) kind: Kind,
    /// The future's type, for people.
    pub(crate) name: Arc<str>,
    /// Where it is written.
    pub(crate) defined: Option<Place>,
    /// Why its future is not gone into; empty where it can be.
    pub(crate) unread: Arc<str>,
    /// Bytes of the cell.
    pub(crate) size: u64,
    pub(crate) stage: Option<Stage>,
    /// Where in the cell the links of the list are that owns it.
    pub(crate) owned: Option<u64>,
    /// Where in the cell the waker is of whoever awaits its end.
    pub(crate) join_waker: Option<(u64, u64)>,
    /// The future's type.
    pub(crate) future: Option<TypeId>,
    /// The scheduler's.
    pub(crate) scheduler: Option<TypeId>,
}

/// Where in a cell its future or its output is.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) discriminant: (u64, u8),
    pub(crate) running: Vec<(u128, u128)>,
    pub(crate) finished: Vec<(u128, u128)>,
    /// Where the future is.
    pub(crate) at: u64,
    pub(crate) future: TypeId,
    /// Where in the output it says that the task panicked: the discriminant of its error, and the values that mean so.
    pub(crate) panicked: Option<Panicked>,
}

/// That a number at a place, of so many bytes, is one of these.
pub(crate) type Check = (u64, u8, Vec<(u128, u128)>);

/// How an output says that the task panicked.
#[derive(Debug, Clone)]
pub(crate) struct Panicked {
    pub(crate) checks: Vec<Check>,
}

/// A copy of tokio.
pub(crate) struct Copy {
    pub(crate) object: Object,
    pub(crate) debug: Arc<Debug>,
    pub(crate) types: FxHashMap<u64, Arc<TaskType>>,
    /// Tokio's version, where the object tells it.
    pub(crate) version: Option<Arc<str>>,
}

impl Copy {
    /// The copy in this object, if its constant data has vtables of tasks.
    pub(crate) fn find(object: &Object, bytes: &dyn Bytes, open: &mut dyn FnMut(&Object) -> Debug) -> Option<Self> {
        let found = vtables(object, bytes);
        if found.is_empty() {
            return None;
        }
        let debug = Arc::new(open(object));
        let mut types: Vec<TaskType> = found.into_iter().map(|vtable| TaskType::new(vtable, object, &debug)).collect();
        fill(&mut types);
        let types = types.into_iter().map(|ty| (ty.vtable.at, Arc::new(ty))).collect();
        let version = version::version(object, bytes).map(Arc::from);
        Some(Self { object: object.clone(), debug, types, version })
    }

    /// The type that the `dyn` vtable at this address is of.
    pub(crate) fn dynamic(&self, vtable: u64) -> Option<TypeId> {
        self.debug.index().vtables.get(&vtable.wrapping_sub(self.object.bias)).copied()
    }
}

/// All cells of a copy of tokio end in one and the same way: what the type of one says of that is so for those without a type.
/// They are in the lists of the others, and lead from one to the next.
fn fill(types: &mut [TaskType]) {
    let known = types.iter().find_map(|ty| Some((ty.vtable.trailer, ty.owned?, ty.join_waker)));
    let Some((trailer, owned, waker)) = known else { return };
    for ty in types.iter_mut().filter(|ty| ty.owned.is_none()) {
        let moved = |at: u64| at.checked_sub(trailer).map(|at| at + ty.vtable.trailer);
        ty.owned = moved(owned);
        ty.join_waker = waker.and_then(|(data, vtable)| Some((moved(data)?, moved(vtable)?)));
    }
}

impl TaskType {
    fn new(vtable: Vtable, object: &Object, debug: &Debug) -> Self {
        let linked = vtable.functions.map(|function| function.wrapping_sub(object.bias));
        let mut this = Self {
            kind: Kind::Unknown,
            name: format!("a future of {} bytes", vtable.trailer.saturating_sub(vtable.id + 16)).into(),
            defined: None,
            unread: Arc::from(""),
            size: (vtable.trailer + TRAILER).min(LARGEST),
            stage: None,
            owned: None,
            join_waker: None,
            future: None,
            scheduler: None,
            vtable,
        };
        match cell(&this.vtable, &linked, debug) {
            Cell::Type(cell) => this.read(cell, debug),
            Cell::Name(name, why) => {
                this.kind = kind(&name);
                this.name = names::of_symbols(&name).into();
                this.unread = why;
            }
            Cell::Unknown(why) => this.unread = why,
        }
        this
    }

    fn read(&mut self, cell: TypeId, debug: &Debug) {
        let ty = debug.ty(cell);
        // Types are those of this build where the offsets agree that the vtable has.
        if debug.path(cell, &["trailer"]).is_none_or(|trailer| trailer.0 != self.vtable.trailer) || ty.size > LARGEST {
            self.unread = Arc::from("its type says otherwise than its vtable");
            return;
        }
        let param = |name: &str| ty.params.iter().find(|param| &*param.0 == name).map(|param| param.1);
        self.size = ty.size;
        self.owned = debug
            .path(cell, &["trailer", "owned"])
            .and_then(|(at, ty)| Some(at + debug.find(ty, &|ty| ty.member("prev").is_some(), 5)?.0));
        self.join_waker = debug
            .path(cell, &["trailer", "waker"])
            .and_then(|(at, ty)| debug.waker(ty).map(|(data, vtable)| (at + data, at + vtable)));
        if let Some(scheduler) = param("S") {
            self.kind = kind(&debug.ty(scheduler).path());
            self.scheduler = Some(scheduler);
        }
        if let Some(future) = param("T") {
            let future = self.unwrapped(future, debug);
            let (ty, shown) = (debug.ty(future), debug.ty(names::within(future, debug)));
            self.name = names::future(&shown, debug).into();
            self.defined = defined(&shown);
            self.future = Some(future);
            if self.kind == Kind::Blocking && ty.space.contains("scheduler::multi_thread::worker") {
                self.kind = Kind::Worker;
            }
        }
        self.stage = stage(cell, debug);
        if self.stage.is_none() {
            self.unread = Arc::from("the layout of its stage is not known");
        }
    }

    /// A job is a future around a closure, and a large future is in a box: what people know is inside.
    fn unwrapped(&mut self, future: TypeId, debug: &Debug) -> TypeId {
        let mut ty = debug.ty(future);
        // With tokio's tracing there is a span around it.
        if ty.is("tracing::instrument", "Instrumented") && ty.name.contains("BlockingTask<") {
            let inside = ty.params.iter().find(|param| &*param.0 == "T").map(|param| debug.ty(param.1));
            ty = inside.unwrap_or(ty);
        }
        if ty.is("tokio::runtime::blocking::task", "BlockingTask") {
            self.kind = Kind::Blocking;
            return ty.params.iter().find(|param| &*param.0 == "T").map_or(future, |param| param.1);
        }
        if ty.is("core::pin", "Pin") && ty.name.contains("Box<") {
            return debug.pointer(future).map_or(future, |found| found.1);
        }
        future
    }
}

/// What a cell's type says of where its future is.
fn stage(cell: TypeId, debug: &Debug) -> Option<Stage> {
    let (at, core) = debug.path(cell, &["core", "stage"])?;
    let (inner, stage) = debug.find(core, &|ty| ty.is("tokio::runtime::task::core", "Stage"), 4)?;
    let at = at + inner;
    let ty = debug.ty(stage);
    let part = ty.variants.as_ref()?;
    let discriminant = part.discriminant.as_ref()?;
    let width = u8::try_from(debug.ty(discriminant.ty).size).ok()?;
    let variant = |name: &str| part.variants.iter().find(|variant| &*variant.name == name);
    let (running, finished) = (variant("Running")?, variant("Finished")?);
    let future = debug.ty(running.ty);
    let member = future.members.first()?;
    Some(Stage {
        discriminant: (at + discriminant.at, width),
        running: running.values.clone(),
        finished: finished.values.clone(),
        at: at + running.at + member.at,
        future: member.ty,
        panicked: panicked(at + finished.at, finished.ty, debug),
    })
}

/// Where `Result<T, JoinError>` says that it is an error, and the error that it is a panic.
fn panicked(at: u64, finished: TypeId, debug: &Debug) -> Option<Panicked> {
    let ty = debug.ty(finished);
    let member = ty.members.first()?;
    let mut checks = Vec::new();
    let result = debug.ty(member.ty);
    let at = at + member.at;
    let (error_at, error) = choose(&result, "Err", at, debug, &mut checks)?;
    let (repr_at, repr) = debug.find(error, &|ty| ty.is("tokio::runtime::task::error", "Repr"), 6)?;
    choose(&debug.ty(repr), "Panic", error_at + repr_at, debug, &mut checks)?;
    Some(Panicked { checks })
}

/// Adds the check that an enum is in this variant, and says where the variant is.
fn choose(
    ty: &crate::debug::Type,
    name: &str,
    at: u64,
    debug: &Debug,
    checks: &mut Vec<Check>,
) -> Option<(u64, TypeId)> {
    let part = ty.variants.as_ref()?;
    let chosen = part.variants.iter().find(|variant| &*variant.name == name)?;
    if let Some(discriminant) = &part.discriminant {
        let width = u8::try_from(debug.ty(discriminant.ty).size).ok()?;
        // A variant without values is every value that is no other's.
        if chosen.values.is_empty() {
            let others = part.variants.iter().flat_map(|variant| variant.values.iter().copied()).collect();
            checks.push((at + discriminant.at, width | OTHERWISE, others));
        } else {
            checks.push((at + discriminant.at, width, chosen.values.clone()));
        }
    }
    Some((at + chosen.at, chosen.ty))
}

/// Marks a check that holds where the value is none of those that it has.
pub(crate) const OTHERWISE: u8 = 0x80;

/// What is known of a vtable's cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Its type.
    Type(TypeId),
    /// The future's name alone, and why no more.
    Name(Arc<str>, Arc<str>),
    /// Nothing, and why.
    Unknown(Arc<str>),
}

/// Which cell the functions of a vtable are of. Functions with the same code may have been made one, and most of them are short, and
/// alike for many types; `poll` has its future's code in it. What `poll` is named for is believed before others, where such a
/// cell has the offsets that the vtable has. Else, and among several, each function has a vote.
fn cell(vtable: &Vtable, linked: &[u64; 7], debug: &Debug) -> Cell {
    let index = debug.index();
    let mut votes: FxHashMap<&str, usize> = FxHashMap::default();
    for function in linked {
        for name in index.task_functions.get(function).into_iter().flatten() {
            *votes.entry(name).or_default() += 1;
        }
    }
    let fits = |cell: TypeId| debug.path(cell, &["trailer"]).is_some_and(|trailer| trailer.0 == vtable.trailer);
    let polls = linked.first().and_then(|poll| index.task_functions.get(poll));
    let polls = |name: &str| {
        let named = polls.into_iter().flatten().any(|poll| **poll == *name);
        named && index.cells.get(name).is_some_and(|cell| fits(*cell))
    };
    if votes.keys().any(|name| polls(name)) {
        votes.retain(|name, _| polls(name));
    }
    let most = votes.values().max().copied().unwrap_or(0);
    let mut winners: Vec<&str> = votes.into_iter().filter(|(_, count)| *count == most).map(|(name, _)| name).collect();
    winners.sort_unstable();
    let cells: Vec<TypeId> =
        winners.iter().filter_map(|name| index.cells.get(*name)).copied().filter(|cell| fits(*cell)).collect();
    match (cells.as_slice(), winners.as_slice()) {
        ([cell], _) => Cell::Type(*cell),
        ([_, _, ..], names) => Cell::Name(names.join(" or ").into(), Arc::from("its code is that of several types")),
        ([], [_, ..]) => {
            let none = || Arc::from("there is no type of its cell");
            let why = if index.cells.is_empty() { Arc::clone(debug.from()) } else { none() };
            Cell::Name(winners.join(" or ").into(), why)
        }
        ([], []) if index.cells.is_empty() => Cell::Unknown(Arc::clone(debug.from())),
        ([], []) => Cell::Unknown(Arc::from("none of its functions is named for a future")),
    }
}

/// What a scheduler or a future of this name is of.
fn kind(name: &str) -> Kind {
    if name.contains("BlockingTask<") || name.contains("BlockingSchedule") {
        Kind::Blocking
    } else if name.contains("task::local::") {
        Kind::Local
    } else {
        Kind::Task
    }
}
