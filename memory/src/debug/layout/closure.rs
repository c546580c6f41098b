//! Which types a walk can come to, each once: from tasks' cells, from futures behind `dyn`, from what `block_on` runs, from
//! thread-locals and from tokio's own types.
//!
//! A compiler writes a type into each unit that uses it. Two are one if they are of the same path, size and form, and so are the
//! types of their members, by their own form: two versions of a crate have types of the same path, and are not mixed.

use super::super::{Debug, Kind, Type, TypeId};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// No layout has more types.
const MOST: usize = 1 << 22;

/// The types, by their new numbers.
pub(super) struct Closure {
    /// The type that each number is of.
    pub(super) types: Vec<TypeId>,
    numbers: FxHashMap<TypeId, u32>,
}

impl Closure {
    pub(super) fn of(debug: &Debug) -> Self {
        let index = debug.index();
        let mut roots: Vec<TypeId> = vec![];
        roots.extend(index.cells.values());
        roots.extend(index.named.values());
        roots.extend(index.block_on.iter().map(|(_, ty)| ty));
        roots.extend(index.vtables.values());
        roots.extend(index.thread_locals.iter().filter(|local| is_wanted(&local.0)).map(|local| local.2));
        // The same object gives the same layout.
        roots.sort_unstable();
        let mut found = Finder { debug, seen: FxHashMap::default(), numbers: FxHashMap::default(), types: vec![] };
        for root in roots {
            found.add(root);
        }
        let mut next = 0;
        while let Some(id) = found.types.get(next) {
            next += 1;
            for id in leads_to(&debug.ty(*id)) {
                found.add(id);
            }
        }
        // A coroutine that nothing leads to is no future of anybody.
        Self { types: found.types, numbers: found.numbers }
    }

    /// The new number of a type; one that was left out has none of those.
    pub(super) fn number(&self, id: TypeId) -> u32 {
        self.numbers.get(&id).copied().unwrap_or(u32::MAX)
    }

    /// Whether it was kept.
    pub(super) fn has(&self, id: TypeId) -> bool {
        self.numbers.contains_key(&id)
    }
}

/// Whether a thread-local is one that somebody asks for.
pub(super) fn is_wanted(path: &str) -> bool {
    path.starts_with("tokio::")
}

struct Finder<'a> {
    debug: &'a Debug,
    /// Types by their form.
    seen: FxHashMap<u64, u32>,
    numbers: FxHashMap<TypeId, u32>,
    types: Vec<TypeId>,
}

impl Finder<'_> {
    fn add(&mut self, id: TypeId) {
        if self.numbers.contains_key(&id) || self.types.len() >= MOST {
            return;
        }
        let ty = self.debug.ty(id);
        let mut hasher = FxHasher::default();
        form(&ty, &mut hasher);
        for id in leads_to(&ty) {
            form(&self.debug.ty(id), &mut hasher);
        }
        let next = self.types.len() as u32;
        let number = *self.seen.entry(hasher.finish()).or_insert(next);
        if number == next {
            self.types.push(id);
        }
        self.numbers.insert(id, number);
    }
}

/// What a type is by itself.
fn form(ty: &Type, hasher: &mut FxHasher) {
    (&ty.space, &ty.name, ty.size, ty.params.len()).hash(hasher);
    for member in &ty.members {
        (&member.name, member.at).hash(hasher);
    }
    match &ty.kind {
        Kind::Struct => 0.hash(hasher),
        Kind::Union => 1.hash(hasher),
        Kind::Enum(names) => (2, names).hash(hasher),
        Kind::Pointer(_) => 3.hash(hasher),
        Kind::Base(encoding) => (4, *encoding as u8).hash(hasher),
        Kind::Array(_, count) => (5, count).hash(hasher),
        Kind::Opaque => 6.hash(hasher),
    }
    if let Some(part) = &ty.variants {
        part.discriminant.as_ref().map(|member| (&member.name, member.at)).hash(hasher);
        for variant in &part.variants {
            (&variant.values, &variant.name, variant.at, &variant.place).hash(hasher);
        }
    }
}

/// The types that it names.
fn leads_to(ty: &Type) -> Vec<TypeId> {
    let mut all: Vec<TypeId> = ty.members.iter().map(|member| member.ty).collect();
    if let Some(part) = &ty.variants {
        all.extend(part.discriminant.iter().map(|member| member.ty));
        all.extend(part.variants.iter().map(|variant| variant.ty));
    }
    all.extend(ty.params.iter().map(|param| param.1));
    if let Kind::Pointer(of) | Kind::Array(of, _) = ty.kind {
        all.push(of);
    }
    all
}
