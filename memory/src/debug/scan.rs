//! One pass over a unit: what is to be found at once, and in which namespace each type is. Types themselves are read later, when
//! somebody asks.
//!
//! The unit is hostile: each entry is read once, names are looked at up to a bound, and what no bound holds is left out.

mod inlined;

use super::{
    keepers,
    scopes::{Await, DEEPEST, LONGEST_NAME, Naming, Scopes, name_of, terminated, text},
    sections::Slice,
};
use gimli::{Abbreviation, AttributeValue, DwTag, Dwarf, EntriesRaw, Operation, Unit, UnitOffset, constants as dw};
use memchr::memmem::Finder;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::{
    hash::{Hash, Hasher},
    ops::Range,
    sync::{Arc, LazyLock},
};

/// So many bytes of names are kept by one thread of the pass, and so many are looked through.
const KEPT: usize = 48 << 20;
const LOOKED_THROUGH: usize = 4 << 30;
/// So many types of statics and threads are kept by one thread of the pass.
const OUTSIDE: usize = 1 << 16;
/// After so many bytes it is told that they were gone through.
const STEP: usize = 1 << 20;
/// Through how many others a function may take its name from.
const HOPS: usize = 4;

/// Where all guards are.
static SYNC: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| [Finder::new(b"tokio::sync::"), Finder::new(b"std::sync::")]);

/// What `thread_local!` calls its variable.
const THREAD_LOCALS: [&[u8]; 2] = [b"__RUST_STD_INTERNAL_VAL\0", b"VAL\0"];

/// The functions of a task's vtable.
const TASK_FUNCTIONS: [&[u8]; 7] = [
    b"poll<",
    b"schedule<",
    b"dealloc<",
    b"try_read_output<",
    b"drop_join_handle_slow<",
    b"drop_abort_handle<",
    b"shutdown<",
];

/// What threads of the pass have found in the units that they took. Offsets are of `.debug_info` as a whole.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) cells: Vec<(Arc<str>, u32)>,
    pub(super) coroutines: Vec<(Arc<str>, u32)>,
    pub(super) named: Vec<(Arc<str>, u32)>,
    pub(super) task_functions: Vec<(u64, Arc<str>)>,
    pub(super) vtables: Vec<(u64, u32)>,
    pub(super) thread_locals: Vec<(Arc<str>, u64, u32)>,
    /// Thread-locals of which only a symbol says where they are: its name, theirs, and their type.
    pub(super) by_symbol: Vec<(Arc<str>, Arc<str>, u32)>,
    pub(super) block_on: Vec<(Range<u64>, u32)>,
    pub(super) keepers: FxHashSet<String>,
    pub(super) outside: FxHashSet<u32>,
    /// Entries that were seen.
    pub(super) entries: u64,
    seen: FxHashSet<u64>,
    kept: usize,
    looked_through: usize,
}

impl Found {
    /// A name, while there is room for it and time to look for its end.
    fn name(&mut self, tail: &[u8]) -> Option<Arc<str>> {
        if self.kept > KEPT || self.looked_through > LOOKED_THROUGH {
            return None;
        }
        let name = text(tail, LONGEST_NAME);
        self.kept += name.len();
        self.looked_through += name.len();
        Some(name.into())
    }

    /// Notes the locks whose guards stand in the name of a type that no walk goes through.
    fn keep(&mut self, name: &[u8]) {
        self.looked_through += name.len();
        // Most names have nothing of it in them, and to look for each guard would cost more than all the rest.
        if self.looked_through <= LOOKED_THROUGH && SYNC.iter().any(|space| space.find(name).is_some()) {
            self.keepers.extend(keepers::locks(name));
        }
    }

    /// A vtable or a static.
    fn placed(&mut self, name: &[u8], address: u64, ty: u32, vtables: &mut Vec<(u64, u32)>) {
        // `<T as Trait>::{vtable}`: nothing else begins so.
        if name.starts_with(b"<") {
            vtables.push((address, ty));
        } else if self.outside.len() < OUTSIDE {
            self.outside.insert(ty);
        }
    }

    fn hash(&mut self, outer: u64, tail: &[u8], until: Option<u8>) -> u64 {
        let most = if self.looked_through > LOOKED_THROUGH { 256 } else { LONGEST_NAME };
        let name = terminated(tail, most);
        let name = until.and_then(|end| memchr::memchr(end, name)).and_then(|end| name.get(..end)).unwrap_or(name);
        self.looked_through += name.len();
        let mut hasher = FxHasher::default();
        (outer, name).hash(&mut hasher);
        hasher.finish()
    }
}

/// What encloses an entry.
struct Level<'a> {
    /// How deep its children are.
    depth: isize,
    scope: u32,
    /// A type and its name, which are a scope as soon as a type is inside.
    pending: Option<(u32, &'a [u8])>,
    /// Of the path.
    hash: u64,
    place: Where,
    /// Whether what a type in it has is gone through.
    passes: bool,
}

/// What is looked for inside of a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Namespace,
    Tokio,
    TaskCore,
    TaskRaw,
    Threads,
    Type,
}

/// The guards of a unit, and the types of what structures have in them that no walk goes through.
#[derive(Default)]
struct Guards {
    types: FxHashMap<u32, Vec<String>>,
    members: Vec<u32>,
}

impl Guards {
    /// Notes a type that is a guard.
    fn type_of(&mut self, name: &[u8], offset: u32, level: &Level<'_>, scopes: &Naming<'_>) {
        let may_be = match level.place {
            Where::Tokio => keepers::may_be_one(name),
            Where::Namespace => keepers::may_be_of_std(name),
            _ => false,
        };
        if !may_be {
            return;
        }
        let path = format!("{}::{}", scopes.path(level.scope), String::from_utf8_lossy(name));
        let locks = keepers::locks(path.as_bytes());
        if ["tokio::sync::", "std::sync::", "alloc::sync::"].iter().any(|space| path.starts_with(space))
            && !locks.is_empty()
        {
            self.types.insert(offset, locks);
        }
    }

    fn resolve(self, found: &mut Found) {
        let kept = self.members.iter().filter_map(|ty| self.types.get(ty)).flatten();
        found.keepers.extend(kept.cloned());
    }
}

/// The functions of a unit that are looked for, and how others take their names from them.
#[derive(Default)]
struct Functions<'a> {
    named: FxHashMap<u32, Function<'a>>,
    links: FxHashMap<u32, u32>,
    placed: Vec<(u32, Range<u64>)>,
    /// Those that were inlined somewhere, of which some may be looked for.
    inlined: Vec<u32>,
}

#[derive(Clone, Copy)]
enum Function<'a> {
    /// Of a task's vtable: what follows the `<`.
    Task(&'a [u8]),
    /// `block_on`: its future's type.
    BlockOn(Option<u32>),
}

/// What is read of an entry.
#[derive(Default)]
struct Read<'a> {
    name: &'a [u8],
    low: Option<u64>,
    high: Option<u64>,
    ranges: Option<AttributeValue<Slice<'a>>>,
    ty: Option<u32>,
    containing: Option<u32>,
    origin: Option<u32>,
    location: Option<gimli::Expression<Slice<'a>>>,
    linkage: Option<AttributeValue<Slice<'a>>>,
    sized: Option<()>,
    file: Option<u64>,
    line: Option<u64>,
    inlined: Option<()>,
}

/// A unit in its sections.
pub(super) struct Scan<'u, 'a> {
    pub(super) dwarf: &'u Dwarf<Slice<'a>>,
    pub(super) unit: &'u Unit<Slice<'a>>,
    /// Where it begins.
    pub(super) start: u32,
    /// Is told now and then how many bytes more were gone through.
    pub(super) passed: &'u dyn Fn(usize),
}

impl<'a> Scan<'_, 'a> {
    /// Goes through all entries.
    pub(super) fn run(&self, found: &mut Found) -> Scopes {
        let mut scopes = Naming::default();
        let mut functions = Functions::default();
        let (mut vtables, mut containing) = (vec![], FxHashMap::default());
        let mut levels =
            vec![Level { depth: isize::MIN, scope: 0, pending: None, hash: 0, place: Where::Namespace, passes: true }];
        let mut guards = Guards::default();
        // The function whose children come next.
        let mut function: Option<(isize, u32)> = None;
        let Ok(mut entries) = self.unit.entries_raw(None) else { return Scopes::default() };
        let mut told = 0;
        while !entries.is_empty() {
            let depth = entries.next_depth();
            let within = entries.next_offset();
            let offset = self.offset(within);
            if let Some(more) = within.0.checked_sub(told).filter(|more| *more >= STEP) {
                (self.passed)(more);
                told = within.0;
            }
            let abbreviation = match entries.read_abbreviation() {
                Ok(Some(abbreviation)) => abbreviation,
                Ok(None) => continue,
                Err(_) => break,
            };
            found.entries += 1;
            let tag = abbreviation.tag();
            while levels.len() > 1 && levels.last().is_some_and(|level| level.depth > depth) {
                levels.pop();
            }
            let kept = tag == dw::DW_TAG_member && levels.last().is_some_and(|level| !level.passes);
            if !(kept || is_looked_at(tag)) || (tag == dw::DW_TAG_template_type_parameter && function.is_none()) {
                if entries.skip_attributes(abbreviation.attributes()).is_err() {
                    break;
                }
                continue;
            }
            let (Some(read), Some(offset)) = (self.read(&mut entries, abbreviation), offset) else { break };
            if function.is_some_and(|function| depth <= function.0) {
                function = None;
            }
            let Some(level) = levels.last_mut() else { break };
            match tag {
                dw::DW_TAG_template_type_parameter => {
                    let (of, first) = (function.take(), read.ty);
                    if let Some(Function::BlockOn(future @ None)) = of.and_then(|of| functions.named.get_mut(&of.1)) {
                        *future = first;
                    }
                }
                dw::DW_TAG_subprogram => {
                    if self.function(&read, offset, level.place, &mut functions) && abbreviation.has_children() {
                        function = Some((depth, offset));
                    }
                }
                dw::DW_TAG_variable if read.name.starts_with(b"__awaitee\0") => {
                    if let (Some(ty), Some(file), Some(line)) = (read.ty, read.file, read.line)
                        && let (Ok(file), Ok(line)) = (u32::try_from(file), u32::try_from(line))
                    {
                        scopes.awaited(Await { ty, file, line });
                    }
                }
                dw::DW_TAG_member => guards.members.extend(read.ty),
                dw::DW_TAG_variable => self.variable(&read, level, &scopes, found, &mut vtables),
                dw::DW_TAG_namespace => {
                    let inner = namespace(level, &read, found);
                    let scope = scopes.push(level.scope, offset, read.name);
                    if abbreviation.has_children() && levels.len() < DEEPEST {
                        levels.push(Level { depth: depth + 1, scope, pending: None, ..inner });
                    }
                }
                _ => {
                    if let Some((at, name)) = level.pending.take() {
                        level.scope = scopes.push(level.scope, at, name);
                    }
                    scopes.at(offset, level.scope);
                    if let Some(of) = read.containing {
                        containing.insert(offset, of);
                    }
                    if read.sized.is_some() {
                        of_type(&read, offset, level, &scopes, found);
                    }
                    let name = terminated(read.name, LONGEST_NAME);
                    let passes = keepers::passes(name) || (level.place == Where::Type && level.passes);
                    guards.type_of(name, offset, level, &scopes);
                    // A closure is generic over what its function is; what it has are its members.
                    if !passes && !name.starts_with(b"{") {
                        found.keep(name);
                    }
                    let (scope, hash) = (level.scope, level.hash);
                    if abbreviation.has_children() && levels.len() < DEEPEST {
                        let pending = Some((offset, read.name));
                        levels.push(Level { depth: depth + 1, scope, pending, hash, place: Where::Type, passes });
                    }
                }
            }
        }
        let types = vtables.into_iter().filter_map(|(at, ty)| Some((at, *containing.get(&ty)?)));
        found.vtables.extend(types);
        self.inlined(&mut functions);
        resolve(&functions, found);
        guards.resolve(found);
        (self.passed)(self.unit.header.length_including_self().saturating_sub(told));
        scopes.finish()
    }

    fn offset(&self, within: UnitOffset) -> Option<u32> {
        u32::try_from(within.0).ok()?.checked_add(self.start)
    }

    fn read<'b>(&self, entries: &mut EntriesRaw<'b, Slice<'a>>, abbreviation: &'b Abbreviation) -> Option<Read<'a>> {
        let mut read = Read::default();
        for spec in abbreviation.attributes() {
            let attribute = entries.read_attribute(*spec).ok()?;
            let value = attribute.value();
            match attribute.name() {
                dw::DW_AT_name => read.name = name_of(self.dwarf, self.unit, &value),
                dw::DW_AT_low_pc => read.low = self.dwarf.attr_address(self.unit, value).ok().flatten(),
                dw::DW_AT_high_pc => {
                    read.high = match (value.udata_value(), read.low) {
                        (Some(len), Some(low)) => low.checked_add(len),
                        _ => self.dwarf.attr_address(self.unit, value).ok().flatten(),
                    };
                }
                dw::DW_AT_ranges => read.ranges = Some(value),
                dw::DW_AT_type => read.ty = reference(self.start, &value),
                dw::DW_AT_containing_type => read.containing = reference(self.start, &value),
                dw::DW_AT_abstract_origin | dw::DW_AT_specification => read.origin = reference(self.start, &value),
                dw::DW_AT_location => read.location = attribute.exprloc_value(),
                dw::DW_AT_linkage_name => read.linkage = Some(value),
                dw::DW_AT_byte_size => read.sized = Some(()),
                dw::DW_AT_decl_file => {
                    read.file =
                        if let AttributeValue::FileIndex(index) = value { Some(index) } else { value.udata_value() };
                }
                dw::DW_AT_inline => read.inlined = Some(()),
                dw::DW_AT_decl_line => read.line = value.udata_value(),
                _ => {}
            }
        }
        Some(read)
    }

    /// Keeps a function that is looked for; whether it is a `block_on`, whose parameter comes next.
    fn function(&self, read: &Read<'a>, offset: u32, place: Where, into: &mut Functions<'a>) -> bool {
        let name = read.name;
        let block_on = name.starts_with(b"block_on<");
        if block_on {
            into.named.insert(offset, Function::BlockOn(None));
        } else if place == Where::TaskRaw
            && let Some(of) = TASK_FUNCTIONS.iter().find_map(|prefix| name.strip_prefix(*prefix))
        {
            into.named.insert(offset, Function::Task(of));
        } else if !name.is_empty() {
            return false;
        }
        if let Some(origin) = read.origin {
            into.links.insert(offset, origin);
        }
        if read.inlined.is_some() {
            into.inlined.push(offset);
        }
        if block_on || read.origin.is_some() || read.ranges.is_none() {
            self.place(read, offset, into);
        }
        block_on
    }

    /// Notes where the code of a function is, or of a call that was inlined.
    fn place(&self, read: &Read<'a>, offset: u32, into: &mut Functions<'a>) {
        if let (Some(low), Some(high)) = (read.low, read.high) {
            into.placed.push((offset, low..high));
        } else if let Some(ranges) = &read.ranges
            && let Ok(Some(mut ranges)) = self.dwarf.attr_ranges(self.unit, *ranges)
        {
            // A function is split into a hot and a cold part; hardly into more.
            for _ in 0..8 {
                let Ok(Some(range)) = ranges.next() else { break };
                into.placed.push((offset, range.begin..range.end));
            }
        }
    }

    fn variable(
        &self,
        read: &Read<'a>,
        level: &Level<'a>,
        scopes: &Naming<'a>,
        found: &mut Found,
        vtables: &mut Vec<(u64, u32)>,
    ) {
        let Some(ty) = read.ty else { return };
        let Some(location) = &read.location else { return self.by_symbol(read, ty, level, scopes, found) };
        let mut operations = location.operations(self.unit.encoding());
        let value = match operations.next() {
            Ok(Some(Operation::Address { address })) => return found.placed(read.name, address, ty, vtables),
            Ok(Some(Operation::AddressIndex { index })) => {
                let Ok(address) = self.dwarf.address(self.unit, index) else { return };
                return found.placed(read.name, address, ty, vtables);
            }
            Ok(Some(Operation::UnsignedConstant { value })) => value,
            Ok(Some(Operation::ConstantIndex { index })) => {
                let Ok(value) = self.dwarf.address(self.unit, index) else { return };
                value
            }
            _ => return,
        };
        if let Ok(Some(Operation::TLS)) = operations.next()
            && let Some(name) = found.name(read.name)
        {
            let path = format!("{}::{name}", scopes.path(level.scope));
            found.thread_locals.push((path.into(), value, ty));
            found.outside.insert(ty);
        }
    }

    /// On aarch64 compilers do not say where a thread-local is.
    fn by_symbol(&self, read: &Read<'a>, ty: u32, level: &Level<'a>, scopes: &Naming<'a>, found: &mut Found) {
        if THREAD_LOCALS.iter().any(|name| read.name.starts_with(name))
            && let Some(linkage) = &read.linkage
            && let Some(symbol) = found.name(name_of(self.dwarf, self.unit, linkage))
            && let Some(name) = found.name(read.name)
        {
            let path = format!("{}::{name}", scopes.path(level.scope));
            found.by_symbol.push((symbol, path.into(), ty));
        }
    }
}

fn is_looked_at(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_namespace
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_subprogram
            | dw::DW_TAG_variable
            | dw::DW_TAG_template_type_parameter
    )
}

/// What is inside of a namespace.
fn namespace<'a>(outer: &Level<'a>, read: &Read<'a>, found: &mut Found) -> Level<'a> {
    let name = terminated(read.name, 64);
    let hash = found.hash(outer.hash, read.name, None);
    let under = |parts: &[&[u8]]| parts.iter().fold(0, |outer, part| hash_of(outer, part));
    let place = match outer.place {
        Where::Namespace if outer.hash == 0 && name == b"tokio" => Where::Tokio,
        Where::Namespace if name == b"thread" && hash == under(&[b"std", b"thread"]) => Where::Threads,
        Where::Namespace | Where::Threads | Where::Type => outer.place,
        _ if name == b"core" && hash == under(&[b"tokio", b"runtime", b"task", b"core"]) => Where::TaskCore,
        _ if name == b"raw" && hash == under(&[b"tokio", b"runtime", b"task", b"raw"]) => Where::TaskRaw,
        _ => Where::Tokio,
    };
    Level { depth: 0, scope: 0, pending: None, hash, place, passes: true }
}

fn hash_of(outer: u64, name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    (outer, name).hash(&mut hasher);
    hasher.finish()
}

/// A type that no walk may lead to, or that is looked for by its name.
fn of_type<'a>(read: &Read<'a>, offset: u32, level: &Level<'a>, scopes: &Naming<'a>, found: &mut Found) {
    let name = read.name;
    if level.place == Where::Type {
        return;
    }
    // What `std::thread::spawn` makes of what it is given.
    if level.place == Where::Threads && name.starts_with(b"{closure_env") && found.outside.len() < OUTSIDE {
        found.outside.insert(offset);
    }
    if name.starts_with(b"{async_") {
        let hash = found.hash(level.hash, name, None);
        if found.seen.insert(hash)
            && let Some(name) = found.name(name)
        {
            let path = format!("{}::{name}", scopes.path(level.scope));
            found.coroutines.push((path.into(), offset));
        }
        return;
    }
    if level.place == Where::TaskCore && name.starts_with(b"Cell<") {
        let hash = found.hash(level.hash, name, None);
        if found.seen.insert(hash)
            && let Some(name) = found.name(name)
            && let Some(of) = name.strip_prefix("Cell<").and_then(|of| of.strip_suffix('>'))
        {
            found.cells.push((of.into(), offset));
        }
        return;
    }
    let generic = match level.place {
        Where::Tokio | Where::TaskCore | Where::TaskRaw if !name.starts_with(b"{") => Some(b'<'),
        Where::Namespace if name.starts_with(b"ArcInner<tokio::") => None,
        _ => return,
    };
    let hash = found.hash(level.hash, name, generic);
    if found.seen.insert(hash)
        && let Some(name) = found.name(name)
    {
        let name = match generic {
            Some(_) => name.split('<').next().unwrap_or(&name),
            None => name.strip_suffix(", alloc::alloc::Global>").unwrap_or(&name),
        };
        let close = if generic.is_none() && !name.ends_with('>') { ">" } else { "" };
        let path = format!("{}::{name}{close}", scopes.path(level.scope));
        found.named.push((path.into(), offset));
    }
}

fn resolve(functions: &Functions<'_>, found: &mut Found) {
    for (offset, range) in &functions.placed {
        let mut at = *offset;
        for _ in 0..HOPS {
            match functions.named.get(&at) {
                Some(Function::Task(of)) => {
                    if range.start != 0
                        && let Some(name) = found.name(of)
                        && let Some(of) = name.strip_suffix('>')
                    {
                        found.task_functions.push((range.start, of.into()));
                    }
                    break;
                }
                Some(Function::BlockOn(Some(future))) => {
                    found.block_on.push((range.clone(), *future));
                    break;
                }
                _ => {}
            }
            let Some(next) = functions.links.get(&at) else { break };
            at = *next;
        }
    }
}

/// Where in all of `.debug_info` a reference leads.
pub(super) fn reference(start: u32, value: &AttributeValue<Slice<'_>>) -> Option<u32> {
    match value {
        AttributeValue::UnitRef(at) => u32::try_from(at.0).ok()?.checked_add(start),
        AttributeValue::DebugInfoRef(at) => u32::try_from(at.0).ok(),
        _ => None,
    }
}
