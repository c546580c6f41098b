//! Locks that code can reach which no task, job or root has in its type: by a static, or by what a plain thread was started with.
//! While such code may run, nobody else is proven to have one of these.

use super::{Debug, Kind, TypeId};
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// So many types are gone through: what is behind more is left out.
const MOST: usize = 50_000;

/// The locks that these types lead to, by path. What a vtable leads to is not known, and is left out.
pub(super) fn locks(starts: &[TypeId], debug: &Debug) -> FxHashSet<Arc<str>> {
    let mut locks = FxHashSet::default();
    let mut seen: FxHashSet<TypeId> = FxHashSet::default();
    let mut names: FxHashSet<(Arc<str>, Arc<str>)> = FxHashSet::default();
    let mut todo = starts.to_vec();
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        if seen.len() > MOST {
            break;
        }
        let ty = debug.ty(id);
        // One type stands in the debug information once for each unit that uses it.
        let known = ty.kind == Kind::Struct && !ty.name.is_empty();
        if ty.space.starts_with("tokio::runtime") || (known && !names.insert((ty.space.clone(), ty.name.clone()))) {
            continue;
        }
        if ty.is_lock_or_channel() {
            locks.insert(Arc::from(ty.path()));
        }
        if let Kind::Pointer(to) | Kind::Array(to, _) = ty.kind {
            todo.push(to);
        }
        todo.extend(ty.members.iter().map(|member| member.ty));
        todo.extend(ty.variants.iter().flat_map(|part| &part.variants).map(|variant| variant.ty));
        // Collections have what they are generic over behind pointers to bytes.
        todo.extend(ty.params.iter().map(|param| param.1));
    }
    locks
}
