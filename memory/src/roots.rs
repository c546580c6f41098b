//! The futures that `block_on` runs. A thread's stack tells their types, and nothing tells where they are: it is the one place in the
//! frames from there up at which such a future walks down to something whose waker wakes this thread. None or two such places: only the
//! type is told.

use crate::{
    bytes::{Bytes, KernelThread, Scene},
    debug::{Type, TypeId, Types},
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
use rustc_hash::FxHashMap;
use std::{collections::BTreeSet, ops::Range, sync::Arc};

/// Where a thread that parks by itself has what wakes it.
const PARKER: &str = "tokio::runtime::park::CURRENT_PARKER";
/// More of a stack is not gone through.
const MOST: u64 = 256 << 10;
/// More words of a stack, and types whose vtables are among them, are not tried with one another.
const MOST_POINTERS: usize = 2048;
const MOST_TYPES: usize = 8;
/// Lower addresses nobody has.
const LOWEST: u64 = 4096;

/// A future that a thread runs by `block_on`.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) thread: u32,
    pub(crate) copy: u16,
    pub(crate) ty: TypeId,
    pub(crate) name: Arc<str>,
    /// Where it is, where that was found.
    pub(crate) at: Option<u64>,
    /// Where it was not found, to what wakers lead that could be its own.
    wakers: Vec<u64>,
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
    /// Whom the wakers lead to that the other ends keep: channels, descriptors, tasks whose end is awaited.
    pub(crate) receiver: &'a mut dyn FnMut(u16, &Walked) -> Vec<u64>,
}

/// A place of a future on a stack.
#[derive(Debug, Clone)]
struct Place {
    copy: u16,
    ty: TypeId,
    within: Range<u64>,
    /// Where the stack begins: what was called since may keep registers there.
    top: u64,
}

/// A future that walks to something that wakes its thread.
struct Live {
    at: u64,
    ty: TypeId,
    walked: Walked,
    /// To what the wakers lead that it keeps, of those that wake its thread.
    by: Vec<u64>,
}

/// The roots of all threads that sleep.
pub(crate) fn roots(threads: &mut Threads, tools: &mut Tools<'_>) -> Vec<Root> {
    let mut roots = Vec::new();
    threads.ready(tools.scene, tools.bytes);
    for thread in &tools.scene.threads {
        let stack = threads.stack(thread, tools.scene, tools.bytes);
        for place in &places(&stack, tools.copies) {
            roots.push(root(thread, place, threads, tools));
        }
    }
    // Of several threads in a runtime one drives it, and that one alone is woken by it.
    let mut threads_of: FxHashMap<u64, Option<u32>> = FxHashMap::default();
    for root in &roots {
        for waker in root.found.aliases().iter().chain(&root.wakers) {
            let thread = threads_of.entry(*waker).or_insert(Some(root.thread));
            *thread = thread.filter(|thread| *thread == root.thread);
        }
    }
    for root in &mut roots {
        let is_own = |waker: &u64| threads_of.get(waker) == Some(&Some(root.thread));
        let own: Vec<u64> = std::mem::take(&mut root.wakers).into_iter().filter(is_own).collect();
        root.found.alias(own);
    }
    roots
}

/// The calls of `block_on` on a stack, the outermost last, each with the part of the stack that it and its callers have.
fn places(stack: &Stack, copies: &[Copy]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let top = stack.pointers.first().map_or(0, |first| first.1);
    for (index, (address, start)) in stack.pointers.iter().enumerate() {
        let end = stack.pointers.get(index + 1).map_or(start.saturating_add(4096), |next| next.1);
        for (copy, known) in copies.iter().enumerate() {
            // A return address is behind the call.
            let linked = address.wrapping_sub(known.object.bias).wrapping_sub(1);
            let functions = known.debug.index().block_on.iter();
            let mut functions: Vec<_> =
                functions.filter(|(range, _)| range.start != 0 && range.contains(&linked)).collect();
            // Of calls that were inlined into one another the innermost has the least code.
            functions.sort_by_key(|(range, _)| range.end.saturating_sub(range.start));
            for (_, ty) in functions {
                match places.last_mut().filter(|last| same(known, last.ty, *ty)) {
                    // A call that only hands its future on has it, too.
                    Some(last) => {
                        last.within.end = end;
                        // Beside the future this one awaits that nobody else drives the runtime, which is tokio's own.
                        if known.debug.ty(last.ty).name.starts_with("PollFn<tokio::") {
                            last.ty = *ty;
                        }
                    }
                    None => places.push(Place { copy: copy as u16, ty: *ty, within: *start..end, top }),
                }
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
    let named = |found| {
        let (copy, ty, name) = (place.copy, place.ty, Arc::clone(&name));
        Root { thread: thread.id, copy, ty, name, at: None, wakers: Vec::new(), found }
    };
    let wakers = wakers(thread, copy, threads, tools.bytes);
    if wakers.is_empty() {
        return named(unread("what wakes its thread was not found"));
    }
    let size = (place.within.end - place.within.start).min(MOST);
    let mut stack = vec![0; usize::try_from(size).unwrap_or(0)];
    if !tools.bytes.read(place.within.start, &mut stack) {
        return named(unread("its thread's stack cannot be read"));
    }
    let mut live: Vec<Live> = Vec::new();
    let last = size.saturating_sub(copy.debug.ty(place.ty).size);
    for offset in (0..=last).step_by(8) {
        let mut view = View::new(tools.bytes, place.within.start, &stack);
        live.extend(alive(place.within.start + offset, place.ty, &mut view, place, &wakers, tools));
    }
    if live.is_empty() && is_boxed_dyn(&copy.debug.ty(place.ty)) {
        live = taken_apart(place, &wakers, tools);
    }
    // What is at the start of a structure is one with it: the same waits are the same future.
    live.dedup_by(|next, kept| {
        let waits = |live: &Live| live.walked.waits.iter().map(|wait| wait.on.clone()).collect::<Vec<_>>();
        waits(next) == waits(kept)
    });
    match (live.pop(), live.is_empty()) {
        (Some(live), true) => {
            let mut found = crate::round::found(live.walked, place.copy, tools.frames, tools.hints);
            found.alias(live.by);
            Root { at: Some(live.at), ty: live.ty, ..named(found) }
        }
        (None, _) => Root { wakers, ..named(unread("it was not found on its thread's stack")) },
        (Some(_), false) => Root { wakers, ..named(unread("more than one place on its thread's stack could be it")) },
    }
}

/// The future that stands here, if it walks to something that wakes its thread.
fn alive(
    at: u64,
    ty: TypeId,
    view: &mut View<'_>,
    place: &Place,
    wakers: &[u64],
    tools: &mut Tools<'_>,
) -> Option<Live> {
    let copies = tools.copies;
    let copy = copies.get(usize::from(place.copy))?;
    let plans = tools.plans.get_mut(usize::from(place.copy))?;
    let dynamic = |vtable: u64| copy.dynamic(vtable);
    let walked = Walker { plans, frames: tools.frames, dynamic: &dynamic, standing: None }.future(view, at, ty);
    if walked.wrong.is_some() || walked.waits.is_empty() {
        return None;
    }
    let mut by: Vec<u64> = walked.waits.iter().filter_map(|wait| wait.waker).collect();
    by.retain(|waker| wakers.contains(waker));
    if by.is_empty() {
        by = (tools.receiver)(place.copy, &walked);
        by.retain(|waker| wakers.contains(waker));
    }
    by.dedup();
    (!by.is_empty()).then_some(Live { at, ty, walked, by })
}

/// Whether it is a box of which the type tells nothing.
fn is_boxed_dyn(ty: &Type) -> bool {
    ty.size == 16 && (ty.name.contains("Box<dyn ") || ty.name.contains("Box<(dyn "))
}

/// What a box leads to that the compiler took apart: its pointer and its vtable are words of the stack, each by itself.
fn taken_apart(place: &Place, wakers: &[u64], tools: &mut Tools<'_>) -> Vec<Live> {
    let copies = tools.copies;
    let Some(copy) = copies.get(usize::from(place.copy)) else { return Vec::new() };
    let own = place.top..place.within.end;
    let size = own.end.saturating_sub(own.start).min(MOST);
    let mut stack = vec![0; usize::try_from(size).unwrap_or(0)];
    if !tools.bytes.read(own.start, &mut stack) {
        return Vec::new();
    }
    let words = stack.chunks_exact(8).filter_map(|word| word.try_into().ok()).map(u64::from_le_bytes);
    let words: BTreeSet<u64> = words.filter(|word| *word >= LOWEST && word % 8 == 0).collect();
    let types: BTreeSet<TypeId> = words.iter().filter_map(|word| copy.dynamic(*word)).collect();
    let pointers: Vec<u64> = words.into_iter().filter(|word| !own.contains(word)).collect();
    // Of too many nothing says that one is the only one.
    if types.len() > MOST_TYPES || pointers.len() > MOST_POINTERS {
        return Vec::new();
    }
    let mut live = Vec::new();
    for ty in types {
        let size = usize::try_from(copy.debug.ty(ty).size).unwrap_or(usize::MAX);
        if size > MOST as usize {
            continue;
        }
        let mut cell = vec![0; size];
        for at in pointers.iter().filter(|at| at.checked_add(size as u64).is_some()) {
            if tools.bytes.read(*at, &mut cell) {
                let mut view = View::new(tools.bytes, *at, &cell);
                live.extend(alive(*at, ty, &mut view, place, wakers, tools));
            }
        }
    }
    live
}

fn nothing(thread: &KernelThread, place: &Place, found: Found) -> Root {
    Root { thread: thread.id, copy: place.copy, ty: place.ty, name: Arc::from(""), at: None, wakers: Vec::new(), found }
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
