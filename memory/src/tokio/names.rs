//! How a future is named in a chain: by its function, a method by the type that it is of, which the variable `self` tells.

use crate::{
    Place,
    debug::{Kind, Type, Types, names},
};

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

/// A task's future: its function, or its type.
pub(crate) fn future(ty: &Type, types: &dyn Types) -> String {
    if ty.is_coroutine() { function(ty, types) } else { names::function(ty) }
}

/// Where an async function, block or closure is written.
pub(crate) fn defined(ty: &Type) -> Option<Place> {
    let part = ty.variants.as_ref().filter(|_| ty.is_coroutine())?;
    part.variants.first()?.place.clone()
}
