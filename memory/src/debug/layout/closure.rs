//! Which types a walk can come to, each once: from tasks' cells, from futures behind `dyn`, from what `block_on` runs, from
//! thread-locals and from tokio's own types.
//!
//! A compiler writes a type into each unit that uses it. Two are one if they are of the same path, size and form, and so are the
//! types of their members, by their own form: two versions of a crate have types of the same path, and are not mixed.

use super::super::{Debug, Kind, Type, TypeId};
use rustc_hash::{FxHashMap, FxHasher};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

/// No layout has more types.
const MOST: usize = 1 << 22;
/// So many bytes of types are at hand while others are gone through that lead to them.
const AT_HAND: usize = 4 << 20;
/// No number of a type.
const NONE: u32 = u32::MAX;

/// The types, by their new numbers.
pub(super) struct Closure {
    known: FxHashMap<TypeId, Known>,
    /// How many there are.
    pub(super) count: usize,
}

/// What is known of a type: its own form, in two halves that take less room than one, and its new number.
#[derive(Clone, Copy)]
struct Known {
    form: [u32; 2],
    number: u32,
}

/// Takes a type that was found, with its new number, when those that it names have theirs.
pub(super) type Put<'p> = dyn FnMut(u32, &Type, &dyn Fn(TypeId) -> u32) + 'p;

impl Closure {
    /// Finds all, and puts each once. They are not kept: a gigabyte has hundreds of thousands.
    pub(super) fn of(debug: &Debug, put: &mut Put<'_>) -> Self {
        let index = debug.index();
        let mut roots: Vec<TypeId> = vec![];
        roots.extend(index.cells.values());
        roots.extend(index.named.values());
        roots.extend(index.block_on.iter().map(|(_, ty)| ty));
        roots.extend(index.vtables.values());
        roots.extend(index.thread_locals.iter().filter(|local| is_wanted(&local.0)).map(|local| local.2));
        // The same object gives the same layout.
        roots.sort_unstable();
        let mut found = Finder {
            debug,
            seen: FxHashMap::default(),
            all: Self { known: FxHashMap::default(), count: 0 },
            left: vec![],
            at_hand: FxHashMap::default(),
            bytes: 0,
        };
        for root in roots {
            found.add(root);
            // What it leads to comes next, since that was read only now.
            while let Some((number, ty)) = found.left.pop() {
                for id in leads_to(&ty) {
                    found.add(id);
                }
                put(number, &ty, &|id| found.all.number(id));
            }
        }
        // A coroutine that nothing leads to is no future of anybody.
        found.all
    }

    /// The new number of a type; one that was left out has none of those.
    pub(super) fn number(&self, id: TypeId) -> u32 {
        self.known.get(&id).map_or(NONE, |known| known.number)
    }

    /// Whether it was kept.
    pub(super) fn has(&self, id: TypeId) -> bool {
        self.number(id) != NONE
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
    all: Closure,
    /// Those that have a number, and were not gone through.
    left: Vec<(u32, Arc<Type>)>,
    /// Types that were read, and how much they take. Those of the object itself are for whoever looks meanwhile.
    at_hand: FxHashMap<TypeId, Arc<Type>>,
    bytes: usize,
}

impl Finder<'_> {
    fn add(&mut self, id: TypeId) {
        if self.all.has(id) || self.all.count >= MOST {
            return;
        }
        let ty = self.ty(id);
        let mut hasher = FxHasher::default();
        let own = self.form(id);
        own.hash(&mut hasher);
        for id in leads_to(&ty) {
            self.form(id).hash(&mut hasher);
        }
        let next = self.all.count as u32;
        let number = *self.seen.entry(hasher.finish()).or_insert(next);
        if number == next {
            self.all.count += 1;
            self.left.push((number, ty));
        }
        self.all.known.insert(id, Known { form: own, number });
    }

    /// What a type is by itself.
    fn form(&mut self, id: TypeId) -> [u32; 2] {
        if let Some(known) = self.all.known.get(&id) {
            return known.form;
        }
        let mut hasher = FxHasher::default();
        form(&self.ty(id), &mut hasher);
        let form = [hasher.finish() as u32, (hasher.finish() >> 32) as u32];
        self.all.known.insert(id, Known { form, number: NONE });
        form
    }

    fn ty(&mut self, id: TypeId) -> Arc<Type> {
        if let Some(ty) = self.at_hand.get(&id) {
            return ty.clone();
        }
        let ty = Arc::new(self.debug.read(id).unwrap_or_else(Type::unknown));
        self.bytes += ty.bytes();
        if self.bytes > AT_HAND {
            self.at_hand.clear();
            self.bytes = ty.bytes();
        }
        self.at_hand.insert(id, ty.clone());
        ty
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
