//! A value gone through by its plan: frames from the outside in, what they wait for, and what they have.
//!
//! What is *polled* when its task is, is reached through `__awaitee`, by value or by a pointer of one's own; less the branches of a
//! `select!` that are switched off. What else a coroutine keeps is *held*. Of a future that is written by hand nothing is known:
//! what is inside *may* be polled.

mod leaves;

use super::{
    frames::{FrameText, Frames, Standing, Step},
    plan::{
        Arms, Certainty, Coroutine, LeafKind, Ownership, Parts, Phase, Plan, Refer, Select, SelfRole, State, Unordered,
        Via, Wakes,
    },
    planner::Plans,
    raw::{By, Hint, Walked},
    view::View,
};
use crate::{
    Basis, FrameKind, Interest, Reach,
    debug::{Type, TypeId},
};
use rustc_hash::FxHashSet;
use std::{ops::Range, sync::Arc};

const MOST_STEPS: usize = 512;
const DEEPEST: u16 = 96;
const MOST_ELEMENTS: u64 = 1024;
/// Of more types that were not gone into none is known by itself.
const MOST_OPAQUE: usize = 16;
/// Lower addresses nobody has.
const LOWEST: u64 = 4096;

/// Where a walk stands.
#[derive(Clone)]
struct Here {
    depth: u16,
    reach: Reach,
    /// The frame that it is in.
    frame: u16,
    local: Arc<str>,
    interest: Interest,
    /// The bytes of what is awaited beside it, if it is kept.
    awaited: Range<u64>,
    /// The coroutine's state that it stands in, and its start.
    site: (u32, u64),
    /// Whether it is sure that what stands here has not been freed.
    basis: Basis,
    /// The function of tokio that it is in, if it is one that waits by a notification.
    by: Option<By>,
}

impl Here {
    fn polled(&self) -> bool {
        matches!(self.reach, Reach::Polled | Reach::Maybe)
    }

    fn deeper(&self, frame: u16) -> Self {
        Self { depth: self.depth + 1, frame, ..self.clone() }
    }

    /// Where a pointer leads that stands here. A variable that was dropped keeps its bytes.
    fn beyond(&self) -> Self {
        let basis = if self.reach == Reach::Held { Basis::Likely } else { self.basis };
        Self { basis, ..self.clone() }
    }
}

/// Goes through values of one object's types.
pub(crate) struct Walker<'a> {
    pub(crate) plans: &'a mut Plans,
    pub(crate) frames: &'a mut Frames,
    /// The type that the vtable at an address is of.
    pub(crate) dynamic: &'a dyn Fn(u64) -> Option<TypeId>,
    /// Where coroutines stand, for whoever asks for what they have.
    pub(crate) standing: Option<&'a mut Vec<Standing>>,
}

struct Walk<'w, 'v, 'm> {
    plans: &'w mut Plans,
    frames: &'w mut Frames,
    dynamic: &'w dyn Fn(u64) -> Option<TypeId>,
    standing: Option<&'w mut Vec<Standing>>,
    view: &'v mut View<'m>,
    done: FxHashSet<(u64, TypeId)>,
    found: Walked,
}

impl Walker<'_> {
    /// Goes through a future that its task polls.
    pub(crate) fn future(&mut self, view: &mut View<'_>, at: u64, ty: TypeId) -> Walked {
        let here = Here {
            depth: 0,
            reach: Reach::Polled,
            frame: 0,
            local: Arc::from(""),
            interest: Interest::Any,
            awaited: 0..0,
            site: (0, at),
            basis: Basis::Proven,
            by: None,
        };
        let mut walk = Walk {
            plans: self.plans,
            frames: self.frames,
            dynamic: self.dynamic,
            standing: self.standing.as_deref_mut(),
            view,
            done: FxHashSet::default(),
            found: Walked::default(),
        };
        walk.value(at, ty, &here);
        walk.found
    }
}

impl Walk<'_, '_, '_> {
    fn ty(&self, ty: TypeId) -> Arc<Type> {
        self.plans.types.ty(ty)
    }

    fn value(&mut self, at: u64, ty: TypeId, here: &Here) {
        if here.depth > DEEPEST || self.found.steps.len() >= MOST_STEPS || self.found.wrong.is_some() {
            return;
        }
        let plan = self.plans.plan(ty, self.frames);
        match &*plan {
            Plan::Nothing => {}
            Plan::Collection => self.unseen(Some(ty)),
            Plan::Parts(parts) => self.parts(at, ty, parts, here),
            // The halves of a socket lead to the same one.
            Plan::Leaf(leaf) if matches!(leaf.what, LeafKind::PollEvented { .. }) => self.leaf(at, leaf, here),
            _ if !self.done.insert((at, ty)) => {}
            Plan::Coroutine(coroutine) => self.coroutine(at, ty, coroutine, here),
            Plan::Pointer { ownership, to, wakes } => self.pointer(at, *ownership, *to, *wakes, here),
            Plan::Dyn { pointer, vtable, ownership, text } => {
                if let (Some(pointer), Some(vtable)) =
                    (self.view.word(at.wrapping_add(*pointer)), self.view.word(at.wrapping_add(*vtable)))
                {
                    self.dynamic(pointer, vtable, *ownership, *text, here);
                }
            }
            Plan::Slice { pointer, length, element, ownership } => {
                if follows(*ownership, here)
                    && let (Some(pointer), Some(length)) =
                        (self.view.word(at.wrapping_add(*pointer)), self.view.word(at.wrapping_add(*length)))
                {
                    self.elements(pointer, length, *element, here);
                }
            }
            Plan::Array { element, size, count } => {
                for index in 0..(*count).min(MOST_ELEMENTS) {
                    self.value(at.wrapping_add(index.wrapping_mul(*size)), *element, here);
                }
            }
            Plan::Select(select) => self.select(at, select, here),
            Plan::Unordered(set) => self.unordered(at, set, here),
            Plan::Leaf(leaf) => self.leaf(at, leaf, here),
            Plan::Guard(guard) => self.guard(at, guard, here),
            Plan::End(end) => self.end(at, end, here),
        }
    }

    /// Adds a frame, and says which it is.
    fn step(&mut self, text: u32, here: &Here) -> u16 {
        self.found.steps.push(Step { depth: here.depth, text, reach: here.reach });
        (self.found.steps.len() - 1) as u16
    }

    /// Notes that a value of this type was not gone into.
    fn unseen(&mut self, ty: Option<TypeId>) {
        let all = &mut self.found.opaque;
        // Of many it is no help to know each.
        let ty = ty.filter(|_| all.len() < MOST_OPAQUE);
        if !all.contains(&ty) {
            all.push(ty);
        }
    }

    /// Tells of a value of this type that is not gone into.
    fn opaque(&mut self, name: &str, ty: Option<TypeId>, here: &Here) {
        self.unseen(ty);
        if here.polled() {
            let text = self.frames.text(FrameText { name: name.into(), kind: FrameKind::Opaque, place: None });
            self.step(text, here);
        }
    }

    fn coroutine(&mut self, at: u64, ty: TypeId, coroutine: &Coroutine, here: &Here) {
        let Some(state) = self.state(at, coroutine) else {
            self.wrong("a coroutine is in no state that it has", ty, here);
            return;
        };
        let polled = here.polled();
        if state.phase == Phase::Ended || (state.phase == Phase::Unresumed && !polled && state.locals.is_empty()) {
            return;
        }
        let mut here = here.clone();
        if here.reach == Reach::Held && self.is_pointed_at(at, self.ty(ty).size, &here.awaited) {
            here.reach = Reach::Maybe;
        }
        let frame = self.step(state.text, &here);
        self.stands(at, ty);
        let mut inner = here.deeper(frame);
        for refer in &state.refers {
            let base = self.refer(at, refer);
            match (refer.role, base) {
                (Some(SelfRole::Barrier), Some(base)) => inner.by = Some(By::Barrier(base)),
                (Some(SelfRole::Closing), Some(base)) => inner.by = Some(By::Closed(refer.kind, base)),
                _ => {}
            }
        }
        inner.site = (state.text, at);
        let mut awaited = 0..0;
        if let Some((place, ty)) = state.awaitee {
            let start = at.wrapping_add(place);
            awaited = start..start.saturating_add(self.ty(ty).size);
            let before = self.found.steps.len();
            self.value(start, ty, &inner);
            if self.found.steps.len() == before && inner.polled() {
                self.unknown(ty, &inner);
            }
        }
        for (place, ty, name) in &state.locals {
            let kept = Here {
                reach: if inner.polled() { Reach::Held } else { inner.reach },
                local: Arc::clone(name),
                awaited: awaited.clone(),
                interest: Interest::Any,
                ..inner.clone()
            };
            self.value(at.wrapping_add(*place), *ty, &kept);
        }
    }

    /// The bytes of a value of this type are not what they are taken for. Where it is polled for sure, the whole walk is on a wrong way;
    /// else it may be what is left of something, or not begun.
    fn wrong(&mut self, why: &str, ty: TypeId, here: &Here) {
        if here.reach == Reach::Polled {
            self.found.wrong = Some(why.into());
        } else {
            let name = crate::debug::names::short(&self.ty(ty).path());
            self.opaque(&format!("{name}, which is not there"), Some(ty), here);
        }
    }

    /// An awaited value of which nothing is known but its type.
    fn unknown(&mut self, ty: TypeId, here: &Here) {
        let name = crate::debug::names::short(&self.ty(ty).path());
        self.opaque(&name, Some(ty), here);
    }

    fn state<'c>(&self, at: u64, coroutine: &'c Coroutine) -> Option<&'c State> {
        let (place, width) = coroutine.discriminant;
        let value = self.view.uint(at.wrapping_add(place), width)?;
        coroutine.states.iter().find(|state| matches(&state.values, value))
    }

    /// Whether a word of what is awaited points into this value: then it may be polled from there.
    fn is_pointed_at(&self, at: u64, size: u64, awaited: &Range<u64>) -> bool {
        let end = at.saturating_add(size.max(1));
        let len = usize::try_from(awaited.end - awaited.start).unwrap_or(0);
        self.view.slice(awaited.start, len).is_some_and(|bytes| {
            bytes
                .chunks_exact(8)
                .any(|word| word.try_into().map(u64::from_le_bytes).is_ok_and(|word| (at..end).contains(&word)))
        })
    }

    /// Notes what a variable refers to, and says where that is.
    fn refer(&mut self, at: u64, refer: &Refer) -> Option<u64> {
        let place = at.wrapping_add(refer.at);
        let target = match refer.by {
            Via::Value => place,
            Via::Pointer => self.view.word(place)?,
        };
        let mut base = Some(target).filter(|target| *target >= LOWEST)?.wrapping_add(refer.offset);
        if let Some(data) = refer.hop {
            let pointer = self.view.fetch(base, 8).then(|| self.view.word(base)).flatten();
            base = pointer.filter(|pointer| *pointer >= LOWEST)?.wrapping_add(data);
        }
        self.found.hints.push(Hint { base, kind: refer.kind, ty: refer.ty, name: Arc::clone(&refer.name) });
        Some(base)
    }

    /// Notes where what the last frame is of stands.
    fn stands(&mut self, at: u64, ty: TypeId) {
        if let (Some(standing), Some(step)) = (&mut self.standing, self.found.steps.last()) {
            standing.push(Standing { at, ty, step: *step });
        }
    }

    fn parts(&mut self, at: u64, ty: TypeId, parts: &Parts, here: &Here) {
        let mut inner = here.clone();
        if let Some(text) = parts.text.filter(|_| here.polled()) {
            let frame = self.step(text, here);
            self.stands(at, ty);
            inner = here.deeper(frame);
        }
        if parts.polled == Certainty::Unknown && inner.reach == Reach::Polled {
            inner.reach = Reach::Maybe;
        }
        if parts.interest != Interest::Any {
            inner.interest = parts.interest;
        }
        self.fields(at, &parts.fields, &inner);
        if let Some(arms) = &parts.arms {
            self.arm(at, ty, arms, &inner);
        }
    }

    /// Of what may be polled those parts that come to nothing are named only where all do: a client's connector or a request's address
    /// is no future.
    fn fields(&mut self, at: u64, fields: &[(u64, TypeId)], here: &Here) {
        let before = self.found.steps.len();
        let mut nothing = Vec::new();
        for (place, ty) in fields {
            let (steps, claims) = (self.found.steps.len(), self.found.claims.len());
            self.value(at.wrapping_add(*place), *ty, here);
            if here.reach == Reach::Maybe && self.found.claims.len() == claims && self.comes_to_nothing(steps) {
                let end = self.found.steps.split_off(steps);
                nothing = if nothing.is_empty() { end } else { nothing };
            }
        }
        if self.found.steps.len() == before {
            self.found.steps.append(&mut nothing);
        }
    }

    /// Whether the frames from this one on are of what is around futures, with none in it.
    fn comes_to_nothing(&self, from: usize) -> bool {
        let kind = |step: &Step| self.frames.get(step.text).map(|text| text.kind);
        self.found.steps.iter().skip(from).all(|step| kind(step) == Some(FrameKind::Wrapper))
    }

    fn arm(&mut self, at: u64, ty: TypeId, arms: &Arms, here: &Here) {
        let arm = match arms.discriminant {
            None => arms.arms.first(),
            Some((place, width)) => {
                let Some(value) = self.view.uint(at.wrapping_add(place), width) else { return };
                let named = arms.arms.iter().find(|arm| matches(&arm.values, value));
                named.or_else(|| arms.arms.iter().find(|arm| arm.values.is_empty()))
            }
        };
        match arm {
            Some(arm) if arm.worth == Certainty::Known => self.value(at.wrapping_add(arm.at), arm.ty, here),
            None if here.polled() => self.wrong("an enum is in no variant that it has", ty, here),
            _ => {}
        }
    }

    fn pointer(&mut self, at: u64, ownership: Ownership, to: TypeId, wakes: Option<Wakes>, here: &Here) {
        if !follows(ownership, here) {
            return;
        }
        // A pointer to what is not worth a look is not read.
        let nothing = matches!(*self.plans.plan(to, self.frames), Plan::Nothing);
        let Some(target) = self.view.word(at).filter(|target| *target >= LOWEST && !nothing) else { return };
        let size = self.ty(to).size;
        if self.view.fetch(target, size) {
            if let Some(wakes) = wakes.filter(|_| here.polled()) {
                let shared = self.view.word(target.wrapping_add(wakes.pointer));
                self.found.aliases.extend(shared.map(|shared| shared.wrapping_add(wakes.data)));
            }
            self.value(target, to, &here.beyond());
        } else {
            self.opaque("what cannot be read", Some(to), here);
        }
    }

    fn dynamic(&mut self, pointer: u64, vtable: u64, ownership: Ownership, text: u32, here: &Here) {
        if !follows(ownership, here) || pointer < LOWEST {
            return;
        }
        let Some(ty) = (self.dynamic)(vtable) else {
            let name = self.frames.get(text).map(|text| Arc::clone(&text.name)).unwrap_or_default();
            if vtable >= LOWEST {
                self.opaque(&format!("{name}, of an unknown type"), None, here);
            }
            return;
        };
        if matches!(*self.plans.plan(ty, self.frames), Plan::Nothing) {
            if here.polled() {
                self.unknown(ty, here);
            }
            return;
        }
        let size = self.ty(ty).size;
        if !self.view.fetch(pointer, size) {
            self.opaque("what cannot be read", Some(ty), here);
            return;
        }
        if here.polled() {
            let frame = self.step(text, here);
            self.value(pointer, ty, &here.deeper(frame));
        } else {
            self.value(pointer, ty, &here.beyond());
        }
    }

    fn elements(&mut self, pointer: u64, length: u64, element: TypeId, here: &Here) {
        let size = self.ty(element).size;
        let count = length.min(MOST_ELEMENTS);
        if pointer < LOWEST || count == 0 || size == 0 {
            return;
        }
        if count < length {
            self.unseen(Some(element));
        }
        if !self.view.fetch(pointer, count.saturating_mul(size)) {
            self.opaque("what cannot be read", Some(element), here);
            return;
        }
        let beyond = here.beyond();
        for index in 0..count {
            self.value(pointer.wrapping_add(index.wrapping_mul(size)), element, &beyond);
        }
    }

    fn select(&mut self, at: u64, select: &Select, here: &Here) {
        let frame = self.step(select.text, here);
        let inner = here.deeper(frame);
        let (place, hops, tuple) = select.futures;
        let mut futures = Some(at.wrapping_add(place));
        for _ in 0..hops {
            futures = futures.and_then(|at| self.view.word(at));
        }
        let disabled = match select.disabled {
            None => Some(0),
            Some((place, width)) => {
                let bits = self.view.word(at.wrapping_add(place));
                bits.and_then(|at| self.view.uint(at, width))
            }
        };
        let futures_of = tuple;
        let tuple = self.ty(tuple);
        let readable = futures.is_some_and(|at| self.view.fetch(at, tuple.size));
        let (Some(futures), Some(disabled), true) = (futures, disabled, readable) else {
            self.unseen(Some(futures_of));
            return;
        };
        for (branch, member) in tuple.members.iter().enumerate() {
            let off = branch < 128 && disabled >> branch & 1 != 0;
            let reach = if off && inner.polled() { Reach::Disabled } else { inner.reach };
            self.value(futures.wrapping_add(member.at), member.ty, &Here { reach, ..inner.clone() });
        }
    }

    fn unordered(&mut self, at: u64, set: &Unordered, here: &Here) {
        let frame = self.step(set.text, here);
        let inner = here.beyond().deeper(frame);
        let node_size = self.ty(set.node).size;
        let mut node = self.view.word(at.wrapping_add(set.head)).unwrap_or(0);
        let mut seen = 0;
        while node >= LOWEST && seen < MOST_ELEMENTS {
            seen += 1;
            if !self.view.fetch(node, node_size) || !self.done.insert((node, set.node)) {
                break;
            }
            // The waker that its future was given leads to the node, and is counted from the node's own start or its count's.
            self.found.aliases.extend([node, node.wrapping_sub(16)]);
            self.value(node.wrapping_add(set.future), set.of, &inner);
            node = self.view.word(node.wrapping_add(set.next)).unwrap_or(0);
        }
        if seen == MOST_ELEMENTS {
            self.unseen(Some(set.of));
        }
    }
}

/// A `Box` belongs to whoever has it; what is borrowed is followed where it is polled, or would be if its branch were not off.
fn follows(ownership: Ownership, here: &Here) -> bool {
    ownership == Ownership::Owned || here.reach != Reach::Held
}

fn matches(values: &[(u128, u128)], value: u128) -> bool {
    values.iter().any(|(from, to)| (*from..=*to).contains(&value))
}
