//! Finds what of a type is worth a look, each type once.

mod ends;
mod sets;

use super::{
    class::{
        Class, GuardClass, Permits, Referred, Word, classify, is_named, is_of_std, is_shared, polls_all, referred,
        word_within,
    },
    frames::{FrameText, Frames},
    plan::{
        Arm, Arms, Certainty, Coroutine, End, GuardPlan, Held, Leaf, LeafKind, Ownership, Parts, Phase, Plan, Refer,
        Select, SelfRole, Shared, State, Unordered, Via, WakerAt, Wakes,
    },
};
use crate::{
    ClaimKind, FrameKind, Interest,
    debug::{Debug, Kind, Type, TypeId, Types, Variant, names},
    tokio::names::function,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Types deeper than this within one another are not gone into.
const DEEPEST: u32 = 48;
/// What the compiler puts before the name of a variable that is captured by reference.
const BY_REFERENCE: &str = "_ref__";
/// What a lock of the standard library counts for one who writes: so many readers cannot be.
pub(crate) const ALL_READERS: u32 = (1 << 30) - 1;
/// Members beyond this many are left out.
const MOST_MEMBERS: usize = 512;

/// A lock or a channel that a type has in it.
struct Part {
    at: u64,
    hop: Option<u64>,
    kind: Referred,
    ty: TypeId,
    path: String,
}

/// The plans of one object's types.
pub(crate) struct Plans {
    pub(crate) types: Arc<Debug>,
    made: FxHashMap<TypeId, Arc<Plan>>,
    under_way: FxHashSet<TypeId>,
    nothing: Arc<Plan>,
}

impl Plans {
    pub(crate) fn new(types: Arc<Debug>) -> Self {
        Self { types, made: FxHashMap::default(), under_way: FxHashSet::default(), nothing: Arc::new(Plan::Nothing) }
    }

    /// What to do with a value of this type.
    pub(crate) fn plan(&mut self, ty: TypeId, frames: &mut Frames) -> Arc<Plan> {
        self.plan_within(ty, frames, DEEPEST)
    }

    fn plan_within(&mut self, ty: TypeId, frames: &mut Frames, depth: u32) -> Arc<Plan> {
        if let Some(plan) = self.made.get(&ty) {
            return Arc::clone(plan);
        }
        // A type that has itself by value is none.
        if depth == 0 || !self.under_way.insert(ty) {
            return Arc::clone(&self.nothing);
        }
        let plan = Arc::new(self.make(ty, frames, depth - 1).unwrap_or(Plan::Nothing));
        self.under_way.remove(&ty);
        self.made.insert(ty, Arc::clone(&plan));
        plan
    }

    fn worth(&mut self, ty: TypeId, frames: &mut Frames, depth: u32) -> bool {
        !matches!(*self.plan_within(ty, frames, depth), Plan::Nothing)
    }

    fn make(&mut self, id: TypeId, frames: &mut Frames, depth: u32) -> Option<Plan> {
        let ty = self.types.ty(id);
        match ty.kind {
            Kind::Pointer(to) => {
                let ownership = ownership(&ty.name)?;
                return matches!(self.types.ty(to).kind, Kind::Struct | Kind::Pointer(_) | Kind::Array(..))
                    .then_some(Plan::Pointer { ownership, to, wakes: None });
            }
            Kind::Array(element, count) => {
                let worth = count > 0 && self.worth(element, frames, depth);
                return worth.then(|| Plan::Array { element, size: self.types.ty(element).size, count });
            }
            Kind::Struct => {}
            _ => return None,
        }
        match classify(&ty) {
            Class::Coroutine => self.coroutine(&ty, frames, depth),
            Class::Guard(class) => self.guard(&ty, class),
            Class::Dyn => dynamic(&ty, 0, ownership(&ty.name)?, frames),
            Class::Reused => {
                let (at, inner) = self.types.find(id, &|ty| classify(ty) == Class::Dyn, 4)?;
                dynamic(&self.types.ty(inner), at, Ownership::Owned, frames)
            }
            Class::Slice => {
                let (pointer, length) = (ty.member("data_ptr")?, ty.member("length")?.at);
                let Kind::Pointer(element) = self.types.ty(pointer.ty).kind else { return None };
                let ownership = ownership(&ty.name)?;
                self.worth(element, frames, depth).then_some(Plan::Slice {
                    pointer: pointer.at,
                    length,
                    element,
                    ownership,
                })
            }
            Class::Vec => {
                let (_, element) = *ty.params.iter().find(|param| &*param.0 == "T")?;
                let (pointer, _) = self.types.find(id, &|ty| matches!(ty.kind, Kind::Pointer(_)), 8)?;
                let length = ty.member("len")?.at;
                self.worth(element, frames, depth).then_some(Plan::Slice {
                    pointer,
                    length,
                    element,
                    ownership: Ownership::Owned,
                })
            }
            Class::Half => {
                let (at, to) = self.types.pointer(id)?;
                let wakes = self.notifier(to);
                (at == 0).then_some(Plan::Pointer { ownership: Ownership::Borrowed, to, wakes })
            }
            Class::Unordered => self.unordered(id, &ty, frames),
            Class::Collection => {
                let worth = ty.params.iter().take(4).any(|(_, param)| self.worth(*param, frames, depth));
                worth.then_some(Plan::Collection)
            }
            Class::Shared | Class::Nothing => None,
            Class::Plain => self.parts(&ty, frames, depth),
            Class::Sleep => self.timer(id).or_else(|| self.leaf(Class::Sleep, id, &ty, frames)),
            leaf => self.leaf(leaf, id, &ty, frames),
        }
    }

    fn coroutine(&mut self, ty: &Type, frames: &mut Frames, depth: u32) -> Option<Plan> {
        let part = ty.variants.as_ref()?;
        let discriminant = part.discriminant.as_ref()?;
        let width = width(self.types.ty(discriminant.ty).size)?;
        let function = function(ty, &*self.types);
        let mut states = Vec::new();
        for variant in part.variants.iter().take(MOST_MEMBERS) {
            let inner = self.types.ty(variant.ty);
            let phase = match &*inner.name {
                "Unresumed" => Phase::Unresumed,
                "Returned" | "Panicked" => Phase::Ended,
                _ => Phase::Suspended,
            };
            let name = match phase {
                Phase::Unresumed => format!("{function} (not started)"),
                Phase::Ended => format!("{function} (ended)"),
                Phase::Suspended => function.clone(),
            };
            let place = variant.place.clone();
            let text = frames.text(FrameText { name: name.into(), kind: FrameKind::Async, place });
            let mut state = State {
                values: variant.values.clone(),
                phase,
                text,
                awaitee: None,
                locals: Vec::new(),
                refers: Vec::new(),
            };
            if phase != Phase::Ended {
                for member in inner.members.iter().take(MOST_MEMBERS) {
                    let at = variant.at.checked_add(member.at)?;
                    if &*member.name == "__awaitee" {
                        state.awaitee = Some((at, member.ty));
                    } else if self.worth(member.ty, frames, depth) {
                        let name =
                            member.name.strip_prefix(BY_REFERENCE).map_or_else(|| Arc::clone(&member.name), Arc::from);
                        state.locals.push((at, member.ty, name));
                    }
                    self.refers(at, member.ty, &member.name, &function, &mut state.refers);
                }
            }
            states.push(state);
        }
        Some(Plan::Coroutine(Coroutine { discriminant: (discriminant.at, width), states }))
    }

    /// Which locks and channels a variable refers to: by value, by a pointer, by an `Arc`.
    fn refers(&self, at: u64, ty: TypeId, local: &str, function: &str, into: &mut Vec<Refer>) {
        let local = local.strip_prefix(BY_REFERENCE).unwrap_or(local);
        let here = self.types.ty(ty);
        let (by, place, target, offset) = match here.kind {
            Kind::Pointer(to) => (Via::Pointer, at, to, 0),
            Kind::Struct if matches!(classify(&here), Class::Shared | Class::Handle) => {
                let Some((inner, to)) = self.types.pointer(ty) else { return };
                let counted = self.types.ty(to);
                let Some(data) = counted.member("data") else { return };
                (Via::Pointer, at.saturating_add(inner), data.ty, data.at)
            }
            Kind::Struct => (Via::Value, at, ty, 0),
            _ => return,
        };
        let mut found = Vec::new();
        self.things(target, 0, "", 3, &mut found);
        for part in found {
            let name = if part.path.is_empty() {
                format!("{local} of {function}")
            } else {
                format!("{}.{}", names::short(&self.types.ty(target).path()), part.path)
            };
            let offset = offset + part.at;
            let (hop, kind, ty) = (part.hop, part.kind, part.ty);
            let role = self_role(local, function, kind);
            into.push(Refer { at: place, by, offset, hop, kind, ty, name: name.into(), role });
        }
    }

    /// The locks and channels that a type has by value.
    fn things(&self, ty: TypeId, at: u64, path: &str, depth: u32, found: &mut Vec<Part>) {
        let here = self.types.ty(ty);
        if let Some(kind) = referred(&here) {
            found.push(Part { at, hop: None, kind, ty, path: path.to_owned() });
            // What is in a lock of the standard library may have others in it.
            if !is_of_std(&here) {
                return;
            }
        }
        let shared = match classify(&here) {
            Class::MpscSender | Class::MpscReceiver => self.shared(ty, "inner").map(|shared| (Referred::Chan, shared)),
            Class::WatchSender | Class::WatchReceiver => {
                self.shared(ty, "shared").map(|shared| (Referred::Watch, shared))
            }
            Class::BroadcastSender | Class::BroadcastReceiver => {
                self.shared(ty, "shared").map(|shared| (Referred::Broadcast, shared))
            }
            _ => None,
        };
        if let Some((kind, shared)) = shared {
            let (at, hop) = (at.saturating_add(shared.pointer), Some(shared.data));
            found.push(Part { at, hop, kind, ty: shared.ty, path: path.trim_end_matches(".chan").to_owned() });
            return;
        }
        if depth == 0 || found.len() >= 8 || here.kind != Kind::Struct || here.is_coroutine() || here.variants.is_some()
        {
            return;
        }
        for member in here.members.iter().take(32) {
            let inner = if path.is_empty() { member.name.to_string() } else { format!("{path}.{}", member.name) };
            self.things(member.ty, at.saturating_add(member.at), &inner, depth - 1, found);
        }
    }

    fn parts(&mut self, ty: &Type, frames: &mut Frames, depth: u32) -> Option<Plan> {
        if let Some(select) = self.select(ty, frames) {
            return Some(Plan::Select(select));
        }
        let mut fields = Vec::new();
        for member in ty.members.iter().take(MOST_MEMBERS) {
            if self.worth(member.ty, frames, depth) {
                fields.push((member.at, member.ty));
            }
        }
        let arms = match &ty.variants {
            Some(part) => {
                let mut arms = Vec::new();
                for variant in part.variants.iter().take(MOST_MEMBERS) {
                    let worth =
                        if self.worth(variant.ty, frames, depth) { Certainty::Known } else { Certainty::Unknown };
                    arms.push(Arm { values: variant.values.clone(), at: variant.at, ty: variant.ty, worth });
                }
                let discriminant = match &part.discriminant {
                    Some(member) => Some((member.at, width(self.types.ty(member.ty).size)?)),
                    None => None,
                };
                arms.iter().any(|arm| arm.worth == Certainty::Known).then_some(Arms { discriminant, arms })
            }
            None => None,
        };
        if fields.is_empty() && arms.is_none() {
            return None;
        }
        let named = is_named(&ty.space, &ty.name) && !is_variant(ty);
        let text = named.then(|| frames.text(text(&names::short(&ty.path()), FrameKind::Wrapper)));
        let alone = fields.len() < 2 && !is_shared(&ty.space);
        let polled = if alone || polls_all(&ty.space) { Certainty::Known } else { Certainty::Unknown };
        Some(Plan::Parts(Parts { text, fields, arms, polled, interest: interest(ty) }))
    }

    /// The closures of `tokio::select!` and `tokio::join!` have what they poll in a variable `futures`.
    fn select(&mut self, ty: &Type, frames: &mut Frames) -> Option<Select> {
        if !ty.name.starts_with("{closure_env") {
            return None;
        }
        // A variable that is captured by reference has this before its name.
        let captured = |name: &str| ty.member(name).or_else(|| ty.member(&format!("{BY_REFERENCE}{name}")));
        let futures = captured("futures")?;
        let (mut target, mut hops) = (futures.ty, 0);
        while let Kind::Pointer(to) = self.types.ty(target).kind {
            target = to;
            hops += 1;
            if hops > 4 {
                return None;
            }
        }
        let tuple = self.types.ty(target);
        if !tuple.name.starts_with('(') || tuple.members.is_empty() {
            return None;
        }
        let disabled = captured("disabled").and_then(|member| match self.types.ty(member.ty).kind {
            Kind::Pointer(to) => Some((member.at, width(self.types.ty(to).size)?)),
            _ => None,
        });
        let done = tuple.members.iter().all(|member| self.types.ty(member.ty).name.contains("MaybeDone<"));
        let name = match (disabled, done) {
            (Some(_), _) => "select!",
            (None, true) => "join!",
            _ => return None,
        };
        let text = frames.text(text(name, FrameKind::Several));
        Some(Select { text, disabled, futures: (futures.at, hops, target) })
    }

    fn unordered(&self, id: TypeId, ty: &Type, frames: &mut Frames) -> Option<Plan> {
        let (head, head_ty) = self.types.path(id, &["head_all"])?;
        let (inner, node) = self.types.pointer(head_ty)?;
        let (future, of) = self.types.path(node, &["future"])?;
        let (next, next_ty) = self.types.path(node, &["next_all"])?;
        let (next_inner, _) = self.types.pointer(next_ty)?;
        let text = frames.text(text(&names::short(&ty.path()), FrameKind::Several));
        Some(Plan::Unordered(Unordered { text, head: head + inner, node, next: next + next_inner, future, of }))
    }

    fn guard(&self, ty: &Type, class: GuardClass) -> Option<Plan> {
        let member = ty.member(class.member)?;
        let (inner, mut target) = self.types.pointer(member.ty)?;
        // Room in a channel leads to the sender, which leads to the channel.
        let mut hop = None;
        if classify(&self.types.ty(target)) == Class::MpscSender {
            let (at, chan) = self.types.path(target, &["inner"])?;
            let (arc, shared) = self.types.pointer(chan)?;
            hop = Some(at.checked_add(arc)?);
            target = shared;
        }
        let mut base = 0;
        let held = self.types.ty(target);
        if let Some(data) = held.member("data").filter(|_| held.name.starts_with("ArcInner<")) {
            base = data.at;
            target = data.ty;
        }
        let (semaphore, word) = self.counted(target)?;
        let lock = referred(&self.types.ty(target)).map(|kind| (base, kind, target));
        let permits = match class.permits {
            Permits::One => Held::Fixed(1),
            Permits::All => Held::Fixed(ALL_READERS),
            Permits::Member(name) => Held::At(ty.member(name)?.at),
        };
        let (pointer, semaphore) = (member.at.checked_add(inner)?, base.checked_add(semaphore)?);
        Some(Plan::Guard(GuardPlan { pointer, lock, hop, semaphore, word, permits }))
    }

    /// Where in a lock's type it is told what of it is held: in a semaphore, or in a word.
    fn counted(&self, lock: TypeId) -> Option<(u64, Option<Word>)> {
        let semaphore = self.types.find(lock, &|ty| ty.is("tokio::sync::batch_semaphore", "Semaphore"), 5);
        match semaphore {
            Some((at, _)) if !is_of_std(&self.types.ty(lock)) => Some((at, None)),
            _ => word_within(&*self.types, lock).map(|(word, at)| (at, Some(word))),
        }
    }

    /// The member that is an `Arc`, or an option of one, of what the ends of a channel share.
    fn shared(&self, ty: TypeId, member: &str) -> Option<Shared> {
        let (at, arc) = self.types.path(ty, &[member])?;
        let (inner, to) = self.types.pointer(arc)?;
        let counted = self.types.ty(to);
        let data = counted.member("data")?;
        Some(Shared { pointer: at + inner, data: data.at, ty: data.ty })
    }

    /// Whom a future that several await wakes: it keeps their wakers itself.
    fn notifier(&self, to: TypeId) -> Option<Wakes> {
        let (at, shared) = self.types.path(to, &["data", "notifier"])?;
        let (inner, counted) = self.types.pointer(shared)?;
        let data = self.types.ty(counted).member("data")?.at;
        Some(Wakes { pointer: at.checked_add(inner)?, data })
    }

    /// Where the one waker is behind these pointers, each a member of what the one before leads to.
    fn waker_behind(&self, ty: TypeId, pointers: &[&[&str]]) -> Option<WakerAt> {
        let (mut ty, mut start) = (ty, 0);
        let mut behind = Vec::new();
        for path in pointers {
            let (at, pointer) = self.types.path(ty, path)?;
            let (inner, to) = self.types.pointer(pointer)?;
            behind.push(at.checked_add(inner)?.checked_add(start)?);
            let counted = self.types.ty(to);
            let inside = counted.member("data").or_else(|| counted.member("value"));
            (ty, start) = match inside.filter(|_| counted.name.contains("Inner<")) {
                Some(inside) => (inside.ty, inside.at),
                None => (to, 0),
            };
        }
        // Of a oneshot the sender's own: the receiver has another.
        let own = self.types.path(ty, &["tx_task"]);
        let (at, ty) = own.unwrap_or((0, ty));
        let (data, vtable) = self.types.waker(ty)?;
        let place = |waker: u64| waker.checked_add(at)?.checked_add(start);
        Some(WakerAt { behind: behind.into(), data: place(data)?, vtable: place(vtable)? })
    }

    /// A `Sleep` of tokio 1.50 to 1.52 has one of two kinds of timers, each with a deadline of its own.
    fn timer(&self, id: TypeId) -> Option<Plan> {
        let (at, timer) = self.types.path(id, &["entry"])?;
        let timer = self.types.ty(timer);
        let part = timer.variants.as_ref()?;
        let arm = |variant: &Variant| {
            let (values, at) = (variant.values.clone(), at.checked_add(variant.at)?);
            Some(Arm { values, at, ty: variant.ty, worth: Certainty::Known })
        };
        let discriminant = match &part.discriminant {
            Some(member) => Some((at.checked_add(member.at)?, width(self.types.ty(member.ty).size)?)),
            None => None,
        };
        let arms = part.variants.iter().take(MOST_MEMBERS).map(arm).collect::<Option<_>>()?;
        let arms = Some(Arms { discriminant, arms });
        Some(Plan::Parts(Parts { text: None, fields: vec![], arms, polled: Certainty::Known, interest: Interest::Any }))
    }

    fn leaf(&self, class: Class, id: TypeId, ty: &Type, frames: &mut Frames) -> Option<Plan> {
        let at = |path: &[&str]| self.types.path(id, path).map(|found| found.0);
        let pointer = |path: &[&str]| {
            let (at, ty) = self.types.path(id, path)?;
            let (inner, to) = self.types.pointer(ty)?;
            Some((at + inner, to))
        };
        let mut leaf = |name: &str, what: LeafKind, waker: Option<(u64, u64)>| Leaf {
            text: frames.text(text(name, FrameKind::Leaf)),
            what,
            waker: waker.map(|(data, vtable)| WakerAt { behind: Box::from([]), data, vtable }),
        };
        let within = |path: &[&str]| {
            let (at, ty) = self.types.path(id, path)?;
            let (data, vtable) = self.types.waker(ty)?;
            Some((at + data, at + vtable))
        };
        let plan = match class {
            Class::Acquire => {
                let what = LeafKind::Acquire {
                    semaphore: at(&["semaphore"])?,
                    wanted: at(&["num_permits"])?,
                    missing: at(&["node", "state"])?,
                    queued: at(&["queued"])?,
                    node: at(&["node"])?,
                };
                Plan::Leaf(leaf("permits", what, within(&["node", "waker"])))
            }
            Class::Notified => {
                let (notify, to) = pointer(&["notify"])?;
                // An owned one leads to the counts that stand before it.
                let (offset, _) = self.types.find(to, &|ty| ty.is("tokio::sync::notify", "Notify"), 3)?;
                let what = LeafKind::Notified { notify, offset, node: at(&["waiter"])? };
                let leaf = leaf("a notification", what, within(&["waiter", "waker"]));
                match self.types.ty(to).member("data") {
                    // An owned one is a handle as well.
                    Some(data) => {
                        let shared = Shared { pointer: notify, data: data.at, ty: to };
                        Plan::End(End { shared, what: ClaimKind::Sender, leaf: Some(leaf) })
                    }
                    None => Plan::Leaf(leaf),
                }
            }
            Class::Sleep => {
                let (seconds, timespec) = self.types.find(id, &|ty| &*ty.name == "Timespec", 6)?;
                let (nanos, _) = self.types.path(timespec, &["tv_nsec"])?;
                let (inner, _) = self.types.path(timespec, &["tv_sec"])?;
                let what = LeafKind::Sleep { seconds: seconds + inner, nanos: seconds + nanos };
                Plan::Leaf(leaf("a timer", what, self.types.waker(id)))
            }
            Class::JoinHandle => {
                let (header, _) = self.types.pointer(id)?;
                Plan::Leaf(leaf("the end of a task", LeafKind::Join { header }, None))
            }
            Class::JoinSet => {
                let what = LeafKind::JoinAny { length: at(&["inner", "length"])?, members: self.members(id) };
                let set = leaf(&names::short(&ty.path()), what, None);
                Plan::Leaf(Leaf { waker: self.waker_behind(id, &[&["inner", "lists"]]), ..set })
            }
            Class::LocalSet => {
                let waker = self.waker_behind(id, &[&["context"], &["shared"]])?;
                let set = leaf(&names::short(&ty.path()), LeafKind::LocalSet, None);
                Plan::Leaf(Leaf { waker: Some(waker), ..set })
            }
            Class::Readiness => {
                let interest = self.types.find(id, &|ty| ty.is("tokio::io::interest", "Interest"), 4);
                let what = LeafKind::Readiness { record: at(&["scheduled_io"])?, interest: interest?.0 };
                Plan::Leaf(leaf("a descriptor", what, within(&["waiter"])))
            }
            Class::PollEvented => {
                let (record, inner) = pointer(&["registration", "shared"])?;
                let data = self.types.ty(inner).member("data")?.at;
                let fd = self.types.find(id, &|ty| &*ty.name == "OwnedFd", 10).map(|found| found.0);
                Plan::Leaf(leaf("a descriptor", LeafKind::PollEvented { record, data, fd }, None))
            }
            Class::BroadcastRecv => {
                let (receiver, to) = pointer(&["receiver"])?;
                let what = LeafKind::Broadcast { receiver, shared: self.shared(to, "shared")? };
                Plan::Leaf(leaf("a message", what, self.types.waker(id)))
            }
            class => Plan::End(self.end(class, id, &mut |name, what| leaf(name, what, None))?),
        };
        Some(plan)
    }
}

/// What a variable is to a function of tokio that waits.
fn self_role(local: &str, function: &str, kind: Referred) -> Option<SelfRole> {
    let path = function.strip_prefix("tokio::sync::").filter(|_| local == "self")?;
    match kind {
        Referred::Barrier if path.starts_with("barrier::") => Some(SelfRole::Barrier),
        Referred::Chan | Referred::Watch | Referred::Broadcast if path.split("::").any(|part| part == "closed") => {
            Some(SelfRole::Closing)
        }
        _ => None,
    }
}

fn text(name: &str, kind: FrameKind) -> FrameText {
    FrameText { name: name.into(), kind, place: None }
}

/// How many bytes a number has that can be a discriminant.
fn width(size: u64) -> Option<u8> {
    u8::try_from(size).ok().filter(|size| (1..=16).contains(size))
}

/// Pointers that are followed: a `Box` is its owner's, a `&mut` is followed where it is polled.
fn ownership(name: &str) -> Option<Ownership> {
    if name.starts_with("alloc::boxed::Box<") {
        Some(Ownership::Owned)
    } else if name.starts_with("&mut ") || name.starts_with("core::pin::Pin<&mut ") {
        Some(Ownership::Borrowed)
    } else {
        None
    }
}

/// Tokio's futures of reading and writing say by their names what they wait for.
fn interest(ty: &Type) -> Interest {
    if !ty.space.starts_with("tokio::io::util::") {
        return Interest::Any;
    }
    let name = ty.name.as_ref();
    if name.starts_with("Read") || name.starts_with("Lines") || name.starts_with("Fill") || name.starts_with("Split") {
        Interest::Read
    } else if name.starts_with("Write") || name.starts_with("Flush") || name.starts_with("Shutdown") {
        Interest::Write
    } else {
        Interest::Any
    }
}

/// Whether this is a variant of an enum: its namespace ends with the enum's name.
fn is_variant(ty: &Type) -> bool {
    let last = ty.space.rsplit("::").next().unwrap_or_default();
    ty.space.ends_with('>') || last.starts_with(char::is_uppercase)
}

/// What a pointer with a vtable leads to, which stands so many bytes into a value.
fn dynamic(ty: &Type, at: u64, ownership: Ownership, frames: &mut Frames) -> Option<Plan> {
    let pointer = ty.member("pointer").or_else(|| ty.member("data_ptr"))?.at.checked_add(at)?;
    let vtable = ty.member("vtable")?.at.checked_add(at)?;
    let text = frames.text(text(&names::short(&ty.path()), FrameKind::Wrapper));
    Some(Plan::Dyn { pointer, vtable, ownership, text })
}
