//! Types, as debug information has them.

use super::keepers;
use crate::Place;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Names a type within one object's debug information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// The namespace, such as `tokio::sync::mutex`.
    pub space: Arc<str>,
    /// Its name without the namespace, with what it is generic over: `MutexGuard<u64>`.
    pub name: Arc<str>,
    /// Its size in bytes.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
    /// Its members, by value.
    pub members: Vec<Member>,
    /// Its variants, where it is an enum or a coroutine.
    pub variants: Option<VariantPart>,
    /// What it is generic over, as debug information names the parameters.
    pub params: Vec<(Arc<str>, TypeId)>,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A structure, a tuple, a closure, a coroutine, an enum with data.
    Struct,
    /// A union.
    Union,
    /// An enum without data: its names by value.
    Enum(Vec<(i128, Arc<str>)>),
    /// A pointer or a reference, thin. A wide one is a structure with `data_ptr` or `pointer`.
    Pointer(TypeId),
    /// A number, a boolean, a character.
    Base(Encoding),
    /// So many of these.
    Array(TypeId, u64),
    /// Anything else, of which nothing is known but the size.
    Opaque,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Without a sign.
    Unsigned,
    /// With one.
    Signed,
    /// `bool`.
    Boolean,
    /// `char`.
    Char,
    /// A floating-point number.
    Float,
}

/// A member of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: TypeId,
    /// Where in the structure it is.
    pub at: u64,
}

/// The variants of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantPart {
    /// The member that says which it is; `None` where there is one variant only. A coroutine's is named `__state`.
    pub discriminant: Option<Member>,
    /// The variants.
    pub variants: Vec<Variant>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The values of the discriminant that mean it, each from and to; empty: all that mean no other.
    pub values: Vec<(u128, u128)>,
    /// Its name: `Some`, `Unresumed`, `Suspend0`.
    pub name: Arc<str>,
    /// The structure that it is. Its members' offsets count from the start of the variant's.
    pub ty: TypeId,
    /// Where that begins.
    pub at: u64,
    /// Of a coroutine's variant: the line where it is suspended.
    pub place: Option<Place>,
}

impl Member {
    /// Nothing is larger than this, so that sums of places are none that a number cannot hold.
    const FARTHEST: u64 = 1 << 32;

    /// One that is at a place at which something can be.
    pub(super) fn new(name: Arc<str>, ty: TypeId, at: u64) -> Option<Self> {
        (at <= Self::FARTHEST).then_some(Self { name, ty, at })
    }
}

impl Type {
    /// One of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            space: Arc::default(),
            name: Arc::default(),
            size: 0,
            kind: Kind::Opaque,
            members: vec![],
            variants: None,
            params: vec![],
        }
    }

    /// About what it takes to keep it.
    pub(super) fn bytes(&self) -> usize {
        let member = |member: &Member| size_of::<Member>() + member.name.len() + 16;
        let variant = |variant: &Variant| {
            let values = variant.values.len() * size_of::<(u128, u128)>();
            let place = variant.place.as_ref().map_or(0, |place| place.file.len());
            size_of::<Variant>() + variant.name.len() + values + place
        };
        let names =
            if let Kind::Enum(names) = &self.kind { names.iter().map(|name| name.1.len() + 48).sum() } else { 0 };
        let variants = self.variants.as_ref().map_or(0, |part| part.variants.iter().map(variant).sum());
        let params: usize = self.params.iter().map(|param| param.0.len() + 40).sum();
        size_of::<Self>()
            + self.space.len()
            + self.name.len()
            + self.members.iter().map(member).sum::<usize>()
            + variants
            + names
            + params
    }

    /// The namespace and the name.
    pub fn path(&self) -> String {
        if self.space.is_empty() { self.name.to_string() } else { format!("{}::{}", self.space, self.name) }
    }

    /// Whether it is this one, whatever it is generic over.
    pub fn is(&self, space: &str, name: &str) -> bool {
        *self.space == *space
            && self.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('<'))
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| *member.name == *name)
    }

    /// Whether somebody else can have a part of it: a guard of a lock, an end of a channel.
    pub fn is_lock_or_channel(&self) -> bool {
        const ALL: [(&str, &str); 11] = [
            ("tokio::sync::mutex", "Mutex"),
            ("tokio::sync::rwlock", "RwLock"),
            ("tokio::sync::once_cell", "OnceCell"),
            ("tokio::sync::mpsc::chan", "Chan"),
            ("tokio::sync::oneshot", "Inner"),
            ("tokio::sync::watch", "Shared"),
            ("tokio::sync::broadcast", "Shared"),
            ("std::sync::poison::mutex", "Mutex"),
            ("std::sync::poison::rwlock", "RwLock"),
            ("std::sync::mutex", "Mutex"),
            ("std::sync::rwlock", "RwLock"),
        ];
        ALL.iter().any(|(space, name)| self.is(space, name)) || self.is_shared_as("ArcInner<")
    }

    /// Whether it is an `Arc` of what has no ends, so that whoever has one may end a wait.
    pub fn is_handle(&self) -> bool {
        self.is_shared_as("Arc<")
    }

    fn is_shared_as(&self, by: &str) -> bool {
        const SHARED: [&str; 2] = ["tokio::sync::notify::Notify", "tokio::sync::barrier::Barrier"];
        let of = self.name.strip_prefix(by).filter(|_| &*self.space == "alloc::sync");
        let is_it = |of: &str, known: &&str| of.strip_prefix(*known).is_some_and(|rest| rest.starts_with([',', '>']));
        of.is_some_and(|of| SHARED.iter().any(|known| is_it(of, known)))
    }

    /// Whether it is what an async function, block or closure becomes.
    pub fn is_coroutine(&self) -> bool {
        self.variants
            .as_ref()
            .and_then(|part| part.discriminant.as_ref())
            .is_some_and(|member| &*member.name == "__state")
    }
}

impl Index {
    /// The thread-local variable whose path begins so.
    pub(crate) fn thread_local(&self, path: &str) -> Option<(u64, TypeId)> {
        self.thread_locals.iter().find(|local| local.0.starts_with(path)).map(|local| (local.1, local.2))
    }

    /// Whether a guard of this lock may be kept where no walk goes.
    pub fn may_keep(&self, lock: &str) -> bool {
        let kind = lock.split_inclusive('<').next().unwrap_or_default();
        self.keepers.contains(lock) || self.keepers.contains(kind)
    }

    /// Whether the end that sends of a channel of this type may be kept where no walk goes.
    pub fn may_keep_sender(&self, channel: &str) -> bool {
        keepers::sender_of(channel.as_bytes()).is_none_or(|sender| self.keepers.contains(sender.as_str()))
    }
}

/// What is to be found at once in an object's debug information. Addresses are those of the object before it is loaded.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Tokio's `Cell<T, S>`, by what it is generic over as it is written: `T, S`.
    pub cells: FxHashMap<Arc<str>, TypeId>,
    /// The functions `tokio::runtime::task::raw::{poll, dealloc, …}<T, S>` by address: what they are generic over. Functions with
    /// the same code may have been folded into one.
    pub task_functions: FxHashMap<u64, Vec<Arc<str>>>,
    /// The vtables of `dyn` types by address: the type that each is of.
    pub vtables: FxHashMap<u64, TypeId>,
    /// Thread-local variables: path, offset within the object's block, type.
    pub thread_locals: Vec<(Arc<str>, u64, TypeId)>,
    /// The functions `block_on<F>`, and where calls of them were inlined: their addresses, and `F` where that is a type that is known.
    pub block_on: Vec<(std::ops::Range<u64>, TypeId)>,
    /// Types of tokio that no future need lead to, by path, without what they are generic over.
    pub named: FxHashMap<Arc<str>, TypeId>,
    /// Coroutines, by path.
    pub coroutines: FxHashMap<Arc<str>, TypeId>,
    /// Locks of which some type of the program may keep a guard where no walk goes, by path; one that ends with `<` is any of its
    /// kind. And the same of ends of channels that send.
    pub keepers: FxHashSet<Arc<str>>,
    /// The types of statics, and of what plain threads were started with.
    pub outside: Vec<TypeId>,
    /// The locks that these lead to, by path, where the types themselves are not kept.
    pub outside_locks: FxHashSet<Arc<str>>,
    /// The compiler, as it says itself.
    pub producer: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_beyond_all_types_is_none() {
        let at = |at| Member::new("far".into(), TypeId(7), at).map(|member| member.at);
        assert_eq!((at(0), at(1 << 32), at((1 << 32) + 1), at(u64::MAX)), (Some(0), Some(1 << 32), None, None));
    }
}
