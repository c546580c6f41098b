//! How a future is named in a chain: by its function, a method by the type that it is of, which the variable `self` tells.

use crate::{
    Place,
    debug::{Debug, Kind, Type, TypeId, Types, names},
};

/// So many futures around another are looked through.
const WRAPPED_MOST: usize = 8;

/// An async function, block or closure: `orders::store::Store::load`.
pub(crate) fn function(ty: &Type, types: &dyn Types) -> String {
    let Some(owner) = ty.space.contains("{impl#").then(|| owner(ty, types)).flatten() else {
        return names::function(ty);
    };
    let space: Vec<&str> =
        ty.space.split("::").map(|part| if part.starts_with("{impl#") { owner.as_str() } else { part }).collect();
    names::function(&Type { space: space.join("::").into(), ..ty.clone() })
}

/// The type whose method it is.
fn owner(ty: &Type, types: &dyn Types) -> Option<String> {
    let first = ty.variants.as_ref()?.variants.first()?;
    let variables = types.ty(first.ty);
    let this = variables.members.iter().find(|member| matches!(&*member.name, "self" | "_ref__self"))?;
    let mut ty = types.ty(this.ty);
    for _ in 0..4 {
        let Kind::Pointer(to) = ty.kind else { break };
        ty = types.ty(to);
    }
    let bare = ty.name.split('<').next().unwrap_or_default();
    (!bare.is_empty() && !bare.starts_with(['{', '(', '&', '*'])).then(|| bare.to_owned())
}

/// A task's future: its function by the last two names of its path, or its type. Frames have the whole path.
pub(crate) fn future(ty: &Type, types: &dyn Types) -> String {
    let name = if ty.is_coroutine() { function(ty, types) } else { names::function(ty) };
    if name.contains(['<', '(']) { name } else { last_two(&name).to_owned() }
}

/// `store::load::{async block}` of `orders::store::load::{async block}`.
fn last_two(path: &str) -> &str {
    let (mut named, mut start) = (0, path.len());
    for part in path.rsplit("::") {
        let next = start.saturating_sub(part.len() + 2 * usize::from(start < path.len()));
        named += usize::from(!part.starts_with('{'));
        if named > 2 {
            break;
        }
        start = next;
    }
    path.get(start..).unwrap_or(path)
}

/// What people know of a future that is inside of others which only pass it on, such as one with a span.
pub(crate) fn within(future: TypeId, debug: &Debug) -> TypeId {
    let mut inner = future;
    for _ in 0..WRAPPED_MOST {
        let ty = debug.ty(inner);
        let param = |name: &str| ty.params.iter().find(|param| &*param.0 == name).map(|param| param.1);
        let next = if ty.is("tracing::instrument", "Instrumented") || ty.is("tracing::instrument", "WithDispatch") {
            param("T")
        } else if ty.is("tokio_util::task::task_tracker", "TrackedFuture") {
            param("F")
        } else if ty.is("core::pin", "Pin") && ty.name.contains("Box<") && !ty.name.contains("Box<dyn ") {
            debug.pointer(inner).map(|found| found.1)
        } else {
            None
        };
        let Some(next) = next else { break };
        inner = next;
    }
    inner
}

/// Where an async function, block or closure is written.
pub(crate) fn defined(ty: &Type) -> Option<Place> {
    let part = ty.variants.as_ref().filter(|_| ty.is_coroutine())?;
    part.variants.first()?.place.clone()
}

/// Futures by what symbols say that their vtable is generic over: `T, S`, of which `T` is the future; or several such, with `or` between
/// them. Symbols call an async function by its only closure: `orders::load::{{closure}}`, in the newer form `orders::load::{closure#0}`.
pub(crate) fn of_symbols(generic: &str) -> String {
    let named: Vec<String> = generic.split(" or ").map(|one| of_symbol(first(one))).collect();
    named.join(" or ")
}

fn of_symbol(future: &str) -> String {
    let (function, closure) = future.rsplit_once("::").unwrap_or(("", future));
    if closure == "{{closure}}" || closure.starts_with("{closure#") {
        let parts = function.split("::").map(|part| if part.starts_with(['{']) { "{closure}" } else { part });
        return parts.collect::<Vec<_>>().join("::");
    }
    names::short(future)
}

/// The first of what stands between commas.
fn first(list: &str) -> &str {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, letter) in list.char_indices() {
        match letter {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return list.get(..at).unwrap_or(list),
            _ => {}
        }
        before = letter;
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_future_is_told_by_its_function_and_not_by_its_scheduler() {
        for (symbol, said) in [
            ("orders::store::load::{{closure}},alloc::sync::Arc<tokio::task::local::Shared>", "orders::store::load"),
            ("orders::main::{{closure}}::{{closure}}, alloc::sync::Arc<H>", "orders::main::{closure}"),
            ("orders::load::{closure#0}, alloc::sync::Arc<H>", "orders::load"),
            ("orders::Retry<fn(u8, u8) -> u8,orders::Job>,alloc::sync::Arc<H>", "Retry<fn(u8, u8) -> u8, Job>"),
            ("a::f::{{closure}},S or b::g::{{closure}},S", "a::f or b::g"),
            ("", ""),
            ("<<<", ""),
        ] {
            let told = of_symbols(symbol);
            assert_eq!(told.replace(' ', ""), said.replace(' ', ""), "{symbol}");
        }
    }

    #[test]
    fn the_last_two_names_of_a_path() {
        assert_eq!(last_two("orders::store::Store::load"), "Store::load");
        assert_eq!(last_two("orders::store::load::{async block}"), "store::load::{async block}");
        assert_eq!(last_two("orders::a::b::{closure}::{async block}"), "a::b::{closure}::{async block}");
        assert_eq!(last_two("orders::load"), "orders::load");
        assert_eq!(last_two("load"), "load");
        assert_eq!(last_two("{async block}"), "{async block}");
    }
}
