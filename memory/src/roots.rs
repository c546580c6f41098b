//! The futures that `block_on` runs. A thread's stack tells their types, and nothing tells where they are: it is the one place in the
//! frames from there up at which such a future walks down to something whose waker wakes this thread. None or two such places: only the
//! type is told.

use crate::{
    bytes::{Bytes, KernelThread, Scene},
    debug::{TypeId, Types},
    future::{
        frames::Frames,
        planner::Plans,
        raw::{Hint, Walked},
        view::View,
        walk::Walker,
    },
    round::Found,
    thread::{Stack, Threads},
    tokio::{context::Variable, copy::Copy, names, value::Value},
};
use std::{ops::Range, sync::Arc};

/// Where a thread that parks by itself has what wakes it.
const PARKER: &str = "tokio::runtime::park::CURRENT_PARKER";
/// More of a stack is not gone through.
const MOST: u64 = 256 << 10;

/// A future that a thread runs by `block_on`.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) thread: u32,
    pub(crate) copy: u16,
    pub(crate) ty: TypeId,
    pub(crate) name: Arc<str>,
    /// What it awaits; with the reason, where its bytes were not found.
    pub(crate) found: Found,
}

/// What roots are looked for with.
pub(crate) struct Tools<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) bytes: &'a dyn Bytes,
    pub(crate) copies: &'a [Copy],
    pub(crate) plans: &'a mut [Plans],
    pub(crate) frames: &'a mut Frames,
    pub(crate) hints: &'a mut dyn FnMut(u16, Hint),
    /// Whom the wakers lead to that channels keep for their receivers.
    pub(crate) receiver: &'a mut dyn FnMut(u16, &Walked) -> Vec<u64>,
}

/// A place of a future on a stack.
#[derive(Debug, Clone)]
struct Place {
    copy: u16,
    ty: TypeId,
    within: Range<u64>,
}

/// The roots of all threads that sleep.
pub(crate) fn roots(threads: &mut Threads, tools: &mut Tools<'_>) -> Vec<Root> {
    let mut roots = Vec::new();
    for thread in &tools.scene.threads {
        let stack = threads.stack(thread, tools.scene, tools.bytes);
        for place in &places(&stack, tools.copies) {
            roots.push(root(thread, place, threads, tools));
        }
    }
    roots
}

/// The calls of `block_on` on a stack, the outermost last, each with the part of the stack that it and its callers have.
fn places(stack: &Stack, copies: &[Copy]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (index, (address, start)) in stack.pointers.iter().enumerate() {
        let end = stack.pointers.get(index + 1).map_or(start.saturating_add(4096), |next| next.1);
        for (copy, known) in copies.iter().enumerate() {
            // A return address is behind the call.
            let linked = address.wrapping_sub(known.object.bias).wrapping_sub(1);
            let mut functions =
                known.debug.index().block_on.iter().filter(|(range, _)| range.start != 0 && range.contains(&linked));
            let Some((_, ty)) = functions.next() else { continue };
            match places.last_mut().filter(|last| same(known, last.ty, *ty)) {
                // A call that only hands its future on has it, too.
                Some(last) => last.within.end = end,
                None => places.push(Place { copy: copy as u16, ty: *ty, within: *start..end }),
            }
        }
    }
    places
}

/// Whether one future is the other, or has it in a box.
fn same(copy: &Copy, inner: TypeId, outer: TypeId) -> bool {
    let (inner, outer) = (copy.debug.ty(inner), copy.debug.ty(outer));
    inner.path() == outer.path() || inner.name.contains(&*outer.name)
}

fn root(thread: &KernelThread, place: &Place, threads: &Threads, tools: &mut Tools<'_>) -> Root {
    let unread = |why: &str| Found::nothing(why);
    let Some(copy) = tools.copies.get(usize::from(place.copy)) else { return nothing(thread, place, unread("")) };
    let name: Arc<str> = names::future(&copy.debug.ty(place.ty), &*copy.debug).into();
    let named = |found| Root { thread: thread.id, copy: place.copy, ty: place.ty, name: Arc::clone(&name), found };
    let wakers = wakers(thread, copy, threads, tools.bytes);
    if wakers.is_empty() {
        return named(unread("what wakes its thread was not found"));
    }
    let size = (place.within.end - place.within.start).min(MOST);
    let mut stack = vec![0; usize::try_from(size).unwrap_or(0)];
    if !tools.bytes.read(place.within.start, &mut stack) {
        return named(unread("its thread's stack cannot be read"));
    }
    let mut live: Vec<Walked> = Vec::new();
    let future = copy.debug.ty(place.ty).size;
    let last = size.saturating_sub(future);
    let dynamic = |vtable: u64| copy.dynamic(vtable);
    for offset in (0..=last).step_by(8) {
        let Some(plans) = tools.plans.get_mut(usize::from(place.copy)) else { break };
        let mut view = View::new(tools.bytes, place.within.start, &stack);
        let mut walker = Walker { plans, frames: tools.frames, dynamic: &dynamic, standing: None };
        let seen = walker.future(&mut view, place.within.start + offset, place.ty);
        if seen.wrong.is_some() || seen.waits.is_empty() {
            continue;
        }
        let woken = seen.waits.iter().filter_map(|wait| wait.waker).any(|waker| wakers.contains(&waker));
        if woken || (tools.receiver)(place.copy, &seen).iter().any(|waker| wakers.contains(waker)) {
            live.push(seen);
        }
    }
    // What is at the start of a structure is one with it: the same waits are the same future.
    live.dedup_by(|next, kept| next.waits.iter().map(|wait| &wait.on).eq(kept.waits.iter().map(|wait| &wait.on)));
    let mut found = match (live.pop(), live.is_empty()) {
        (Some(walked), true) => crate::round::found(walked, place.copy, tools.frames, tools.hints),
        (None, _) => unread("it was not found on its thread's stack"),
        (Some(_), false) => unread("more than one place on its thread's stack could be it"),
    };
    found.alias(wakers);
    named(found)
}

fn nothing(thread: &KernelThread, place: &Place, found: Found) -> Root {
    Root { thread: thread.id, copy: place.copy, ty: place.ty, name: Arc::from(""), found }
}

/// To what wakers lead that wake this thread: its own parker, and the scheduler that it drives.
fn wakers(thread: &KernelThread, copy: &Copy, threads: &Threads, bytes: &dyn Bytes) -> Vec<u64> {
    let Some(block) = threads.block(thread.id, copy.object.bias, bytes) else { return Vec::new() };
    let parker = || {
        let (at, ty) = copy.debug.index().thread_local(PARKER)?;
        let (inner, ty) = copy.debug.find(ty, &|ty| ty.is("tokio::runtime::park", "ParkThread"), 10)?;
        let value = Value::new(&copy.debug, bytes, block.checked_add(at)?.checked_add(inner)?, ty);
        Some(value.path(&["inner"])?.target()?.at)
    };
    let mut wakers: Vec<u64> = parker().into_iter().collect();
    if let Some((_, Some(handle))) =
        Variable::find(&copy.debug).and_then(|variable| variable.read(block, &copy.debug, bytes))
    {
        wakers.push(handle.at);
    }
    wakers
}
