//! An index by symbols: for an object that has no types of its own, by itself or with the types of a twin. Addresses and offsets of
//! a twin are those of another build, and none of them is used.

use super::{Debug, Index, Symbols, TypeId, normal};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationFlags, SymbolKind, elf};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// So many relocations are gone through.
const MOST: usize = 1 << 22;

/// Fills in which functions are of which task, where only symbols say it.
pub(super) fn by_symbols(index: &mut Index, symbols: &Symbols) {
    if index.task_functions.is_empty() {
        index.task_functions = symbols.task_functions();
    }
}

/// Puts the addresses of an object in the place of those of its twin.
pub(super) fn of_twin(twin: &Debug, symbols: &Symbols) -> Index {
    let index = twin.index();
    let mut cells: FxHashMap<String, Vec<Arc<str>>> = FxHashMap::default();
    for of in index.cells.keys() {
        cells.entry(normal(of)).or_default().push(Arc::clone(of));
    }
    let mut task_functions = symbols.task_functions();
    for names in task_functions.values_mut() {
        // Each that it may be: which it is, the vtable's own offsets decide.
        let known =
            names.iter().map(|name| cells.get(&normal(name)).cloned().unwrap_or_else(|| vec![Arc::clone(name)]));
        *names = known.flatten().collect();
    }
    let object = object::File::parse(symbols.data()).ok();
    let locals = object.as_ref().map(thread_locals).unwrap_or_default();
    let at = |path: &str| locals.get(&normal(path)).copied().flatten();
    let thread_locals = index.thread_locals.iter();
    Index {
        cells: index.cells.clone(),
        task_functions,
        vtables: object.map(|object| vtables(&object, twin, symbols)).unwrap_or_default(),
        thread_locals: thread_locals.filter_map(|(path, _, ty)| Some((Arc::clone(path), at(path)?, *ty))).collect(),
        block_on: vec![],
        named: index.named.clone(),
        coroutines: index.coroutines.clone(),
        keepers: index.keepers.clone(),
        outside: index.outside.clone(),
        outside_locks: index.outside_locks.clone(),
        producer: Arc::clone(&index.producer),
    }
}

/// Where in the object's block the thread-locals of these names are; none for a name that several have.
fn thread_locals(object: &object::File<'_>) -> FxHashMap<String, Option<u64>> {
    let mut all = FxHashMap::default();
    for symbol in object.symbols().filter(|symbol| symbol.kind() == SymbolKind::Tls).take(1 << 16) {
        let Ok(name) = symbol.name() else { continue };
        let name = name.get(..4096).unwrap_or(name);
        let name = normal(&format!("{:#}", rustc_demangle::demangle(name)));
        let at = symbol.address();
        all.entry(name)
            .and_modify(|kept: &mut Option<u64>| *kept = kept.filter(|kept| *kept == at))
            .or_insert(Some(at));
    }
    all
}

/// The vtables of `dyn` types: each begins with what drops its type, and its size.
fn vtables(object: &object::File<'_>, twin: &Debug, symbols: &Symbols) -> FxHashMap<u64, TypeId> {
    let types = twin.as_twin();
    let constant = object.section_by_name(".data.rel.ro");
    let Some((start, data)) = constant.and_then(|section| Some((section.address(), section.data().ok()?))) else {
        return FxHashMap::default();
    };
    let mut all = FxHashMap::default();
    for (slot, relocation) in object.dynamic_relocations().into_iter().flatten().take(MOST) {
        let RelocationFlags::Elf { r_type: elf::R_X86_64_RELATIVE | elf::R_AARCH64_RELATIVE } = relocation.flags()
        else {
            continue;
        };
        let size = || {
            let at = usize::try_from(slot.checked_sub(start)?.checked_add(8)?).ok()?;
            Some(u64::from_le_bytes(data.get(at..at.checked_add(8)?)?.try_into().ok()?))
        };
        if let Some(name) = symbols.type_of_vtable(relocation.addend() as u64)
            && let Some(ty) = size().and_then(|size| types.dynamic(&name, size))
        {
            all.insert(slot, ty);
        }
    }
    all
}
