//! Which variables of a coroutine live where it sleeps, and which members a future has that is written by hand.
//!
//! A variant has its *captures* (arguments of a function, what a block took with it) and the variables that live across this `.await`.
//! A function moves its arguments into variables as it begins, so that an argument's own bytes are left over from then on: they are
//! told where they are plain, and no variable has the name. What shares bytes with something else is not told: one of the two is
//! stale, and nothing says which.

use crate::{
    Reach,
    debug::{Debug, Kind, Member, Type, TypeId, VariantPart},
    future::view::View,
};
use std::{ops::Range, sync::Arc};

/// What the compiler puts before the name of a variable that is captured by reference.
const BY_REFERENCE: &str = "_ref__";
/// More members are not looked at.
const MOST: usize = 512;
/// Of more variables of other suspensions it is not known what they share.
const MOST_OTHERS: usize = 4096;
/// So many parts of a type are looked at; one that has more is taken to own memory.
const MOST_PARTS: u32 = 4096;
/// Types deeper within one another are taken to own memory.
const DEEPEST: u32 = 8;

/// A variable, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) name: Arc<str>,
    pub(super) at: u64,
    pub(super) ty: TypeId,
    pub(super) owns: Owns,
}

/// Whether a type owns memory elsewhere, so that its bytes outlive what they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owns {
    Nothing,
    Memory,
}

/// A member of a variant, counted from the coroutine's start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    name: Arc<str>,
    bytes: Range<u64>,
    ty: TypeId,
}

/// The variables of a coroutine that stands at this address.
pub(super) fn locals(ty: &Type, at: u64, debug: &Debug, view: &View<'_>) -> Vec<Local> {
    let Some((part, now)) = state(ty, at, debug, view) else { return Vec::new() };
    let named = |index: usize| part.variants.get(index).map(|variant| debug.ty(variant.ty).name.clone());
    let phase = named(now).unwrap_or_default();
    if matches!(&*phase, "Returned" | "Panicked") {
        return Vec::new();
    }
    // The compiler makes members of one name one: an argument and the variable that it became, or two variables, one after the other.
    let all = members(part, now, debug);
    let mut here: Vec<Held> = Vec::new();
    for held in &all {
        if !here.contains(held) {
            here.push(held.clone());
        }
    }
    let first = (0..part.variants.len().min(MOST)).find(|index| named(*index).as_deref() == Some("Unresumed"));
    let captures = first.map_or_else(Vec::new, |index| members(part, index, debug));
    let begun = Some(now) != first;
    // What lives at other suspensions, and is no capture.
    let (mut others, mut is_cut) = (Vec::new(), false);
    if begun {
        let all = (0..part.variants.len().min(MOST)).filter(|index| Some(*index) != first);
        let mut all = all.flat_map(|index| members(part, index, debug));
        others.extend(all.by_ref().take(MOST_OTHERS).filter(|held| !captures.contains(held)));
        is_cut = all.next().is_some();
    }
    let is_function = ty.name.starts_with("{async_fn_env#");
    let mut found = Vec::new();
    for held in &here {
        if held.name.starts_with("__") || held.bytes.is_empty() {
            continue;
        }
        let meets =
            |other: &Held| other != held && other.bytes.start < held.bytes.end && held.bytes.start < other.bytes.end;
        if here.iter().any(meets) {
            continue;
        }
        let owns = owns(held.ty, debug, DEEPEST, &mut { MOST_PARTS });
        if begun && captures.contains(held) {
            let named_alike = others.iter().any(|other| other.name == held.name && here.contains(other));
            let left_over = is_function && owns == Owns::Memory;
            if named_alike || left_over || is_cut || others.iter().any(meets) {
                continue;
            }
        }
        let Some(at) = at.checked_add(held.bytes.start) else { continue };
        let alike = all.iter().filter(|other| *other == held).count();
        let argument = begun && captures.iter().any(|capture| capture.name == held.name);
        let name = held.name.strip_prefix(BY_REFERENCE).map_or_else(|| held.name.clone(), Arc::from);
        let name = match alike.saturating_sub(usize::from(argument)) {
            0 | 1 => name,
            several => format!("{name}, one of {several}").into(),
        };
        found.push(Local { name, at, ty: held.ty, owns });
    }
    found
}

/// What a future that is written by hand has: its members, or those of the variant that it is in. While it is polled they live.
pub(super) fn fields(ty: &Type, at: u64, reach: Reach, debug: &Debug, view: &View<'_>) -> Vec<Local> {
    let held = match &ty.variants {
        Some(part) => variant(ty, at, debug, view).map_or_else(Vec::new, |index| members(part, index, debug)),
        None => ty.members.iter().take(MOST).filter_map(|member| held(member, 0, debug)).collect(),
    };
    let local = |held: Held| {
        let name = held.name.strip_prefix("__").map_or_else(|| Arc::clone(&held.name), Arc::from);
        let owns = match reach {
            Reach::Polled | Reach::Maybe => Owns::Nothing,
            Reach::Held | Reach::Disabled => owns(held.ty, debug, DEEPEST, &mut { MOST_PARTS }),
        };
        Some(Local { name, at: at.checked_add(held.bytes.start)?, ty: held.ty, owns })
    };
    held.into_iter().filter(|held| !held.bytes.is_empty()).filter_map(local).collect()
}

/// The variant that an enum is in.
fn variant(ty: &Type, at: u64, debug: &Debug, view: &View<'_>) -> Option<usize> {
    let part = ty.variants.as_ref()?;
    if part.discriminant.is_none() {
        return Some(0);
    }
    state(ty, at, debug, view)
        .map(|(_, index)| index)
        .or_else(|| part.variants.iter().position(|variant| variant.values.is_empty()))
}

/// The variants, and the index of the one that the coroutine is in.
fn state<'t>(ty: &'t Type, at: u64, debug: &Debug, view: &View<'_>) -> Option<(&'t VariantPart, usize)> {
    let part = ty.variants.as_ref()?;
    let discriminant = part.discriminant.as_ref()?;
    let width = u8::try_from(debug.ty(discriminant.ty).size).ok()?;
    let value = view.uint(at.checked_add(discriminant.at)?, width)?;
    let is = |values: &[(u128, u128)]| values.iter().any(|(from, to)| (*from..=*to).contains(&value));
    part.variants.iter().position(|variant| is(&variant.values)).map(|index| (part, index))
}

fn members(part: &VariantPart, index: usize, debug: &Debug) -> Vec<Held> {
    let Some(variant) = part.variants.get(index) else { return Vec::new() };
    let inner = debug.ty(variant.ty);
    inner.members.iter().take(MOST).filter_map(|member| held(member, variant.at, debug)).collect()
}

/// A member of what begins so far in.
fn held(member: &Member, base: u64, debug: &Debug) -> Option<Held> {
    let start = base.checked_add(member.at)?;
    let end = start.checked_add(debug.ty(member.ty).size)?;
    Some(Held { name: member.name.clone(), bytes: start..end, ty: member.ty })
}

/// Whether a value of this type owns memory: what borrows does not, and neither do plain numbers.
fn owns(ty: TypeId, debug: &Debug, depth: u32, left: &mut u32) -> Owns {
    let (Some(depth), Some(fewer)) = (depth.checked_sub(1), left.checked_sub(1)) else { return Owns::Memory };
    *left = fewer;
    let here = debug.ty(ty);
    match here.kind {
        Kind::Base(_) | Kind::Enum(_) => Owns::Nothing,
        // A reference, thin or with a length or a vtable.
        Kind::Pointer(_) | Kind::Struct if here.name.starts_with('&') => Owns::Nothing,
        Kind::Pointer(_) | Kind::Union | Kind::Opaque => Owns::Memory,
        Kind::Array(of, _) => owns(of, debug, depth, left),
        Kind::Struct => {
            let variants = here.variants.iter().flat_map(|part| &part.variants).map(|variant| variant.ty);
            let mut parts = here.members.iter().map(|member| member.ty).chain(variants);
            if parts.any(|part| owns(part, debug, depth, left) == Owns::Memory) { Owns::Memory } else { Owns::Nothing }
        }
    }
}
