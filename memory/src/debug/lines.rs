//! The line where a macro is used. A coroutine that sleeps inside of `select!` or `join!` is said to be suspended in the file of
//! that macro; whoever wrote it wants to know in which line of theirs.
//!
//! What a macro awaits is a closure of the coroutine in which it is used, so that its type stands in one place; and the variable
//! that the compiler keeps it in has the line of the outermost macro. Both have to agree with the coroutine: its own file, and a
//! closure of it. Where they do not, the line is left as it was.

use super::{
    Type, TypeId,
    parse::{self, file},
    units::Units,
};
use crate::Place;
use rustc_hash::FxHashMap;
use std::{ops::ControlFlow, sync::Arc};

/// So many places are gone through for all of an object.
const MOST: usize = 1 << 20;

/// So many suspensions of one coroutine are resolved.
const MOST_VARIANTS: usize = 1 << 10;

/// Where the closures are awaited that macros make, by the type of what is: `None` for one that is awaited in several places.
pub(super) type Macros = FxHashMap<Arc<str>, Option<Place>>;

/// Puts the lines of users in the place of those of macros.
pub(super) fn resolve(units: &Units<'_>, coroutine: &mut Type) {
    // What a coroutine's own closures are in: `{async_fn#0}` for `{async_fn_env#0}<T>`.
    let name = coroutine.name.split('<').next().unwrap_or_default().replace("_env#", "#");
    let inside = format!("{}::{name}::", coroutine.space);
    let Some(part) = &mut coroutine.variants else { return };
    // One that was not polled yet stands where it is written.
    let Some(own) = part.variants.first().and_then(|variant| variant.place.clone()) else { return };
    for variant in part.variants.iter_mut().take(MOST_VARIANTS) {
        if variant.place.as_ref().is_none_or(|place| place.file == own.file) {
            continue;
        }
        let awaited =
            parse::as_written(units, variant.ty).and_then(|ty| ty.member("__awaitee").map(|member| member.ty));
        let used = awaited.and_then(|awaited| used_at(units, awaited, &inside));
        if let Some(place) = used.filter(|place| place.file == own.file && place.line >= own.line) {
            variant.place = Some(place);
        }
    }
}

fn used_at(units: &Units<'_>, awaited: TypeId, inside: &str) -> Option<Place> {
    let name = parse::name(units, awaited)?;
    if !name.contains(inside) {
        return None;
    }
    units.macros.get_or_init(|| all(units)).get(&name)?.clone()
}

/// All closures that are awaited, of all units: the function that awaits one may be in another unit than the one that has its type.
fn all(units: &Units<'_>) -> Macros {
    let mut macros = Macros::default();
    let mut left = MOST;
    units.each_that_awaits(&mut |opened| {
        for one in opened.scopes.awaits() {
            left = left.saturating_sub(1);
            if left == 0 {
                return ControlFlow::Break(());
            }
            let ty = TypeId(one.ty);
            let name = parse::name_within(opened, ty).or_else(|| parse::name(units, ty));
            let Some(name) = name.filter(|name| name.contains("{closure_env#")) else { continue };
            let place = file(opened, u64::from(one.file)).map(|file| Place { file, line: one.line });
            macros
                .entry(name)
                .and_modify(|kept| *kept = kept.take().filter(|kept| Some(kept) == place.as_ref()))
                .or_insert(place);
        }
        ControlFlow::Continue(())
    });
    macros
}
