//! Which locks and channels a value of a type could lead to. What was not read (a task that is polled, a job, a root) cannot have a lock that its
//! type leads to by no pointer; where a type leads to something unknown, it leads to everything.

use crate::debug::{Debug, Kind, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Types beyond this many are taken to lead everywhere.
const MOST: usize = 20_000;

/// What a type leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Something unknown, and hence everything.
    Everything,
    /// These locks and channels, by the paths of their types.
    Locks(FxHashSet<Arc<str>>),
}

impl Reach {
    pub(crate) fn has(&self, lock: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Locks(locks) => locks.contains(lock),
        }
    }
}

/// What types lead to, each found once.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    known: FxHashMap<TypeId, Arc<Reach>>,
}

impl Reaches {
    pub(crate) fn of(&mut self, ty: TypeId, debug: &Debug) -> Arc<Reach> {
        let found = self.known.entry(ty).or_insert_with(|| Arc::new(find(ty, debug)));
        Arc::clone(found)
    }
}

fn find(start: TypeId, debug: &Debug) -> Reach {
    let mut locks = FxHashSet::default();
    let mut seen: FxHashSet<TypeId> = FxHashSet::default();
    let mut names: FxHashSet<(Arc<str>, Arc<str>)> = FxHashSet::default();
    let mut todo = vec![start];
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let ty = debug.ty(id);
        // One type stands in the debug information once for each unit that uses it.
        if ty.kind == Kind::Struct
            && !ty.name.is_empty()
            && !names.insert((Arc::clone(&ty.space), Arc::clone(&ty.name)))
        {
            continue;
        }
        if names.len() > MOST {
            return Reach::Everything;
        }
        if ty.is_lock_or_channel() {
            locks.insert(Arc::from(ty.path()));
        }
        // What leads by a vtable, or to a type that is not told, leads anywhere.
        let dynamic =
            ty.member("vtable").is_some() && (ty.member("pointer").is_some() || ty.member("data_ptr").is_some());
        if is_runtime(&ty.space, &ty.name) {
            continue;
        }
        // So does what is behind such a pointer, where the pointer is known and its vtable is not: it has a name, and nothing in it.
        let is_behind = ty.name.starts_with("dyn ") || ty.name.starts_with("(dyn ");
        if dynamic || is_behind || (ty.kind == Kind::Opaque && ty.size > 0) {
            return Reach::Everything;
        }
        if let Kind::Pointer(to) | Kind::Array(to, _) = ty.kind {
            todo.push(to);
        }
        todo.extend(ty.members.iter().map(|member| member.ty));
        todo.extend(ty.variants.iter().flat_map(|part| &part.variants).map(|variant| variant.ty));
        // Collections and boxes have what they are generic over behind pointers to bytes.
        todo.extend(ty.params.iter().map(|param| param.1));
    }
    Reach::Locks(locks)
}

/// A runtime leads to its tasks, and these are asked themselves; wakers lead to tasks as well. A span leads to its callsite, a static
/// that a macro makes, and to whoever listens: these were given texts and numbers, and what else of the program keeps guards is asked
/// for by type.
fn is_runtime(space: &str, name: &str) -> bool {
    space.starts_with("tokio::runtime")
        || space.split("::").next() == Some("tracing_core")
        || (space == "core::task::wake" && matches!(name, "Waker" | "RawWaker" | "RawWakerVTable"))
}
