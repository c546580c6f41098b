//! Debug information as compilers write it: an index made in one pass, and types when they are asked for.

use super::{
    Index, Type, TypeId,
    parse::parse,
    scan::Found,
    sections::{ObjectFile, Symbols},
    units::{Files, Units},
};
use crate::Grade;
use object::{Object as _, ObjectSymbol as _, SymbolKind};
use rustc_hash::{FxHashMap, FxHashSet};
use self_cell::self_cell;
use std::sync::Arc;

/// So many thread-locals are looked up by their symbols.
const MOST_SYMBOLS: usize = 1 << 16;

self_cell!(
    /// The files, and the units that are read out of them.
    struct Held {
        owner: Files,
        #[not_covariant]
        dependent: Units,
    }
);

/// An object's debug information.
pub(super) struct Dwarf {
    held: Held,
}

impl Dwarf {
    /// Reads which units there are, and goes through all of them.
    pub(super) fn open(main: ObjectFile, package: Option<ObjectFile>, split: Vec<ObjectFile>) -> (Self, Index, Grade) {
        let files = Files { main, package, split };
        let symbols = files.main.symbols;
        let held = Held::new(files, |files| Units::new(files));
        let data = held.borrow_owner().main.data();
        let (index, lined) = held.with_dependent(|_, units| {
            let mut index = merge(units.scan(), data);
            index.producer = units.producer.as_str().into();
            (index, units.lined)
        });
        // Of all that was gone through, little is read again.
        held.borrow_owner().forget_all();
        // A distribution's standard library has types where the program has none.
        let typed = !(index.cells.is_empty() && index.named.is_empty());
        let grade = match symbols {
            _ if typed => Grade::Full,
            _ if lined > 0 => Grade::Lines,
            Symbols::Named => Grade::Symbols,
            Symbols::Stripped => Grade::Stripped,
        };
        (Self { held }, index, grade)
    }

    /// What units are called whose other half was not found.
    pub(super) fn missing(&self) -> Vec<String> {
        self.held.with_dependent(|_, units| units.missing.clone())
    }

    /// How long the files are in all that it was read from.
    pub(super) fn len(&self) -> usize {
        self.held.borrow_owner().len()
    }

    /// Reads a type.
    pub(super) fn ty(&self, id: TypeId) -> Option<Type> {
        self.held.with_dependent(|_, units| parse(units, id))
    }
}

/// What all threads of the pass have found, as one. Which of several equal types is taken does not depend on their order.
fn merge(all: Vec<Found>, data: &[u8]) -> Index {
    let (mut index, mut by_symbol) = (Index::default(), vec![]);
    let lower = |slot: &mut TypeId, at: u32| *slot = TypeId(slot.0.min(at));
    for found in all {
        let tables = [
            (&mut index.cells, found.cells),
            (&mut index.coroutines, found.coroutines),
            (&mut index.named, found.named),
        ];
        for (table, entries) in tables {
            for (name, at) in entries {
                table.entry(name).and_modify(|slot| lower(slot, at)).or_insert(TypeId(at));
            }
        }
        for (address, at) in found.vtables {
            index.vtables.entry(address).and_modify(|slot| lower(slot, at)).or_insert(TypeId(at));
        }
        for (address, of) in found.task_functions {
            let all = index.task_functions.entry(address).or_default();
            if !all.contains(&of) {
                all.push(of);
            }
        }
        index.thread_locals.extend(found.thread_locals.into_iter().map(|(name, at, ty)| (name, at, TypeId(ty))));
        by_symbol.extend(found.by_symbol);
        index.keepers.extend(found.keepers.into_iter().map(Arc::from));
        index.outside.extend(found.outside.into_iter().map(TypeId));
        index.block_on.extend(found.block_on.into_iter().map(|(range, ty)| (range, TypeId(ty))));
    }
    if !by_symbol.is_empty()
        && let Ok(object) = object::File::parse(data)
    {
        let symbols = thread_locals(&object);
        let placed =
            by_symbol.into_iter().filter_map(|(symbol, name, ty)| Some((name, *symbols.get(&*symbol)?, TypeId(ty))));
        index.thread_locals.extend(placed);
    }
    for all in index.task_functions.values_mut() {
        all.sort_unstable();
    }
    index.thread_locals.sort_by_key(|local| (local.1, local.2));
    index.thread_locals.dedup_by(|next, kept| next.0 == kept.0 && next.1 == kept.1);
    placed(&mut index.thread_locals);
    index.block_on.sort_by_key(|(range, ty)| (range.start, range.end, *ty));
    index.block_on.dedup();
    index.outside.sort_unstable();
    index.outside.dedup();
    index
}

/// Of a thread-local that stands in several functions, as the standard library writes each, leaves out those that the linker did not
/// keep: their debug information is still there, and has no place but 0.
fn placed(locals: &mut Vec<(Arc<str>, u64, TypeId)>) {
    let owner = |path: &str| path.rsplit_once("::{closure#").map_or(path, |(owner, _)| owner).to_owned();
    let placed: FxHashSet<String> = locals.iter().filter(|local| local.1 != 0).map(|local| owner(&local.0)).collect();
    locals.retain(|local| local.1 != 0 || !placed.contains(&owner(&local.0)));
}

/// Where in an object's block its thread-locals are, by symbol.
fn thread_locals<'data>(object: &object::File<'data>) -> FxHashMap<&'data str, u64> {
    let symbols = object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Tls).take(MOST_SYMBOLS);
    // What link-time optimization has made local has a mark behind its name.
    let named = |name: &'data str| name.split(".llvm.").next().unwrap_or(name);
    symbols.filter_map(|symbol| Some((named(symbol.name().ok()?), symbol.address()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_linker_left_out_has_no_place() {
        let local = |path: &str, at| (Arc::from(path), at, TypeId(1));
        let mut locals = vec![
            local("a::X::{closure#1}::VAL", 0),
            local("a::Y::{closure#0}::VAL", 0),
            local("a::X::{closure#0}::VAL", 48),
        ];
        placed(&mut locals);
        assert_eq!(locals, [local("a::Y::{closure#0}::VAL", 0), local("a::X::{closure#0}::VAL", 48)]);
    }
}
