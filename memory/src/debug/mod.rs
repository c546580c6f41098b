//! What the debug information of an object tells: types with their layouts, functions, thread-locals, vtables. It may come from
//! the object itself, from beside it, from a twin, or from a layout that was made of it. Nothing here reads the process.
//!
//! ```text
//! locate     which file has it            build_id   and whether it belongs to the object
//! sections   files, mapped                units      the units in them, in one space of offsets
//! scan       one pass over each unit      parse      types when they are asked for
//! scopes     names in a unit, and the namespaces of types
//! dwarf      both as one: an index, and types
//! layout     the same out of a file of megabytes         cache   kept for the next look
//! symbols    names of functions, where there are no types
//! twin       types of another build, by name          foreign    and where they are in this one
//! lines      the line where a macro is used
//! keepers    types that may keep a guard where no walk goes         outside    and locks that other code than tasks can reach
//! names      names for people
//! ```

mod build_id;
mod cache;
mod dwarf;
mod foreign;
mod keepers;
mod layout;
mod lines;
mod locate;
mod lookup;
pub mod names;
mod outside;
mod parse;
mod remote;
mod scan;
mod scopes;
mod sections;
mod symbols;
mod twin;
mod types;
mod units;

#[cfg(test)]
mod tests;

pub use build_id::BuildId;
pub use cache::Cache;
pub use layout::{Written, wait_for_layouts};
pub use locate::Search;
pub(crate) use lookup::Types;
pub use symbols::Symbols;
pub use twin::{Twin, normal};
pub use types::{Encoding, Index, Kind, Member, Type, TypeId, Variant, VariantPart};

use crate::Grade;
use rustc_hash::{FxHashMap, FxHashSet};
use sections::ObjectFile;
use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

/// So many bytes of types are kept, and as many of those before them: what is asked for again and again is not read anew.
const KEPT: usize = 12 << 20;

/// The debug information of one object. It is read by as many threads as like.
pub struct Debug {
    source: Source,
    index: Index,
    grade: Grade,
    from: Arc<str>,
    build_id: Option<BuildId>,
    types: RwLock<Kept>,
    /// Locks that code can reach which is no task, once somebody has asked.
    outside: OnceLock<FxHashSet<Arc<str>>>,
}

/// Where types come from.
enum Source {
    Dwarf(Box<dwarf::Dwarf>),
    Layout(Box<layout::Layout>),
    Nothing,
}

/// Types that were read.
#[derive(Default)]
struct Kept {
    types: FxHashMap<TypeId, Arc<Type>>,
    before: FxHashMap<TypeId, Arc<Type>>,
    bytes: usize,
}

impl Debug {
    /// Reads what a file has of it, and nothing that is elsewhere; [`Debug::find`] looks there, too.
    ///
    /// # Errors
    ///
    /// Where the file is no object, or cannot be read; in words.
    pub fn open(file: &Path) -> Result<Self, String> {
        let object = ObjectFile::open(file)?;
        let build_id = object.build_id.clone();
        let (dwarf, index, grade) = dwarf::Dwarf::open(object, None, vec![]);
        let from = match dwarf.missing().as_slice() {
            [] => "the object itself".into(),
            [first, others @ ..] => format!("the object itself, without {first} and {} more like it", others.len()),
        };
        Ok(Self::of_dwarf(dwarf, index, grade, from, build_id))
    }

    fn of_dwarf(dwarf: dwarf::Dwarf, index: Index, grade: Grade, from: String, build_id: Option<BuildId>) -> Self {
        Self::new(Source::Dwarf(Box::new(dwarf)), index, grade, from, build_id)
    }

    fn new(source: Source, index: Index, grade: Grade, from: String, build_id: Option<BuildId>) -> Self {
        Self { source, index, grade, from: from.into(), build_id, types: RwLock::default(), outside: OnceLock::new() }
    }

    /// None, for this reason.
    pub(crate) fn none(why: &str) -> Self {
        Self::new(Source::Nothing, Index::default(), Grade::Stripped, why.to_owned(), None)
    }

    /// What is to be found at once.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What it gives.
    pub fn grade(&self) -> Grade {
        self.grade
    }

    /// Where it comes from, or what was looked for and not found; in words.
    pub fn from(&self) -> &Arc<str> {
        &self.from
    }

    /// The build that it is of.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.build_id.as_ref()
    }

    /// Locks that code can reach which no task has in its type, by path: by a static, or from a plain thread.
    pub(crate) fn outside(&self) -> &FxHashSet<Arc<str>> {
        self.outside.get_or_init(|| {
            let mut locks = outside::locks(&self.index.outside, self);
            locks.extend(self.index.outside_locks.iter().cloned());
            locks
        })
    }

    /// A type. One that cannot be read has no name, no size and nothing in it.
    pub fn ty(&self, id: TypeId) -> Arc<Type> {
        let kept = self.types.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(ty) = kept.types.get(&id) {
            return ty.clone();
        }
        let before = kept.before.get(&id).cloned();
        drop(kept);
        let ty = before.unwrap_or_else(|| Arc::new(self.read(id).unwrap_or_else(Type::unknown)));
        let mut kept = self.types.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = ty.bytes();
        let mut gone = FxHashMap::default();
        if kept.bytes.saturating_add(bytes) > KEPT {
            let full = std::mem::take(&mut kept.types);
            gone = std::mem::replace(&mut kept.before, full);
            kept.bytes = 0;
        }
        kept.bytes += bytes;
        let ty = kept.types.entry(id).or_insert(ty).clone();
        // Nobody waits for that.
        drop(kept);
        drop(gone);
        ty
    }

    fn read(&self, id: TypeId) -> Option<Type> {
        match &self.source {
            Source::Dwarf(dwarf) => dwarf.ty(id),
            Source::Layout(layout) => layout.ty(id),
            Source::Nothing => None,
        }
    }
}

impl Types for Debug {
    fn ty(&self, id: TypeId) -> Arc<Type> {
        Self::ty(self, id)
    }
}

impl fmt::Debug for Debug {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Debug").field("grade", &self.grade).field("from", &self.from).finish_non_exhaustive()
    }
}
