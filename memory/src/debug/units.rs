//! The units of an object's debug information, whichever file each is in: the object, a package beside it, files of its own. All
//! are in one space of offsets, so that a type is named by one number.

use super::{
    lines::Macros,
    scan::{Found, Scan},
    scopes::{Scopes, name_of},
    sections::{ObjectFile, Slice},
};
use gimli::{DebuggingInformationEntry, Dwarf, DwarfPackage, DwoId, Unit, UnitHeader, UnitOffset};
use rustc_hash::FxHashMap;
use std::{
    ops::ControlFlow,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// No object has more units.
const MOST_UNITS: usize = 1 << 20;
/// So many units are kept as they were opened, with the tables that each needs to be read.
const MOST_OPEN: usize = 256;
/// After so many bytes that were gone through, and after so many questions, the pages of the files are given back: they are the
/// kernel's to keep, and not this process's.
const MOST_PRESENT: usize = 16 << 20;
const ASKED: usize = 512;
/// Files that are smaller stay as they are.
const MANY: usize = 128 << 20;

/// The files that an object's debug information is in.
pub(super) struct Files {
    /// The one with the units, or with what stands for them.
    pub(super) main: ObjectFile,
    /// The package of all that was split off.
    pub(super) package: Option<ObjectFile>,
    /// What was split off, a file for each unit.
    pub(super) split: Vec<ObjectFile>,
}

impl Files {
    fn all(&self) -> impl Iterator<Item = &ObjectFile> {
        self.package.iter().chain(&self.split).chain([&self.main])
    }

    /// How long they are in all.
    pub(super) fn len(&self) -> usize {
        self.all().map(|file| file.data().len()).fold(0, usize::saturating_add)
    }

    /// Gives back the pages of them that this process has.
    pub(super) fn forget_all(&self) {
        self.all().for_each(ObjectFile::forget);
    }

    /// The same on the way, where they can be many.
    fn forget(&self) {
        if self.len() >= MANY {
            self.forget_all();
        }
    }
}

/// Counts what is gone through.
#[derive(Default)]
struct Present(AtomicUsize);

impl Present {
    /// Whether with this so much is present that it is to be given back.
    fn is_much(&self, more: usize) -> bool {
        let before = self.0.fetch_add(more, Ordering::Relaxed);
        before / MOST_PRESENT != before.wrapping_add(more) / MOST_PRESENT
    }
}

/// A unit.
struct At<'a> {
    /// Where its offsets begin in the space of all.
    start: u32,
    /// How many there are.
    len: u32,
    dwarf: Arc<Dwarf<Slice<'a>>>,
    header: UnitHeader<Slice<'a>>,
    /// What stands for it in the object, if it was split off.
    skeleton: Option<UnitHeader<Slice<'a>>>,
    scopes: OnceLock<Scopes>,
}

/// All units.
pub(super) struct Units<'a> {
    files: &'a Files,
    main: Arc<Dwarf<Slice<'a>>>,
    all: Vec<At<'a>>,
    /// Those that were asked for last, by where they begin.
    open: RwLock<FxHashMap<u32, Arc<Unit<Slice<'a>>>>>,
    /// How often one was asked for.
    asked: AtomicUsize,
    /// Units whose other half was looked for and not found: what it is called.
    pub(super) missing: Vec<String>,
    /// Units that have lines.
    pub(super) lined: usize,
    /// The compiler, as it says itself.
    pub(super) producer: String,
    /// What macros await, by type, once somebody has asked.
    pub(super) macros: OnceLock<Macros>,
}

/// A unit, with what it is to be read by.
pub(super) struct Opened<'u, 'a> {
    pub(super) dwarf: &'u Dwarf<Slice<'a>>,
    /// What the table of files has its text from.
    pub(super) lines: &'u Dwarf<Slice<'a>>,
    pub(super) unit: Arc<Unit<Slice<'a>>>,
    pub(super) scopes: &'u Scopes,
    pub(super) start: u32,
}

impl<'a> Opened<'_, 'a> {
    /// The entry at this offset in the space of all, if it is one of this unit.
    pub(super) fn entry(&self, at: u32) -> Option<DebuggingInformationEntry<Slice<'a>>> {
        self.unit.entry(UnitOffset(at.checked_sub(self.start)? as usize)).ok()
    }

    /// The namespace of the type at this offset.
    pub(super) fn space(&self, at: u32) -> String {
        self.scopes.of(at, &|at| self.named(at).unwrap_or_default())
    }

    /// The name of the entry at this offset, with whatever follows it in its section.
    pub(super) fn named(&self, at: u32) -> Option<&'a [u8]> {
        let value = self.entry(at)?.attr_value(gimli::DW_AT_name)?;
        Some(name_of(self.dwarf, &self.unit, &value))
    }
}

impl<'a> Units<'a> {
    /// Finds the units of all files.
    pub(super) fn new(files: &'a Files) -> Self {
        let main = Arc::new(files.main.dwarf());
        let package = files.package.as_ref().and_then(ObjectFile::package);
        let split = by_id(&files.split, &main);
        let mut units = Self {
            files,
            main: main.clone(),
            all: vec![],
            open: RwLock::default(),
            asked: AtomicUsize::new(0),
            missing: vec![],
            lined: 0,
            producer: String::new(),
            macros: OnceLock::new(),
        };
        // What is split off has numbers after those of the object.
        let mut next = gimli::Section::reader(&main.debug_info).slice().len();
        let mut headers = main.units();
        let present = Present::default();
        while let Ok(Some(header)) = headers.next()
            && units.all.len() < MOST_UNITS
        {
            let Some(start) = header.debug_info_offset() else { continue };
            if present.is_much(header.length_including_self()) {
                files.forget();
            }
            let Ok(unit) = main.unit(header) else { continue };
            units.lined += usize::from(unit.line_program.is_some());
            if units.producer.is_empty() {
                units.producer = producer(&main, &unit);
            }
            let other = unit.dwo_id.and_then(|id| other_half(id, &main, package.as_ref(), &split));
            if let Some((dwarf, of)) = other {
                if units.producer.is_empty()
                    && let Ok(unit) = dwarf.unit(of)
                {
                    units.producer = producer(&dwarf, &unit);
                }
                let start = next;
                next = next.saturating_add(of.length_including_self());
                units.add(start, dwarf, of, Some(header));
            } else {
                if let (Some(_), Some(name)) = (unit.dwo_id, dwo_name(&main, &unit)) {
                    units.missing.push(name);
                }
                units.add(start.0, main.clone(), header, None);
            }
        }
        units.all.sort_by_key(|at| at.start);
        files.forget();
        units
    }

    fn add(
        &mut self,
        start: usize,
        dwarf: Arc<Dwarf<Slice<'a>>>,
        header: UnitHeader<Slice<'a>>,
        skeleton: Option<UnitHeader<Slice<'a>>>,
    ) {
        let len = header.length_including_self();
        // What has no number is left out.
        let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) else { return };
        if start.checked_add(len).is_some() {
            self.all.push(At { start, len, dwarf, header, skeleton, scopes: OnceLock::new() });
        }
    }

    fn read(&self, at: &At<'a>) -> Option<Unit<Slice<'a>>> {
        let mut unit = at.dwarf.unit(at.header).ok()?;
        if let Some(skeleton) = at.skeleton {
            let skeleton = self.main.unit(skeleton).ok()?;
            unit.copy_relocated_attributes(&skeleton);
            // Files are numbered by the table that the object has.
            unit.line_program = skeleton.line_program;
        }
        Some(unit)
    }

    /// The pass over all units, by all processors; the largest ones first, so that none is left with one at the end.
    pub(super) fn scan(&self) -> Vec<Found> {
        let mut order: Vec<&At<'a>> = self.all.iter().collect();
        order.sort_by_key(|at| std::cmp::Reverse(at.len));
        let processors = std::thread::available_parallelism().map_or(1, usize::from).min(order.len()).max(1);
        let (next, present) = (AtomicUsize::new(0), Present::default());
        let work = || {
            let mut found = Found::default();
            while let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(unit) = self.read(at) else { continue };
                // The units of a large program are themselves more than should be present.
                let passed = |more| {
                    if present.is_much(more) {
                        self.files.forget();
                    }
                };
                let scan = Scan { dwarf: &at.dwarf, unit: &unit, start: at.start, passed: &passed };
                let _ = at.scopes.set(scan.run(&mut found));
            }
            found
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..processors).map(|_| scope.spawn(work)).collect();
            let mut all = vec![work()];
            all.extend(others.into_iter().filter_map(|thread| thread.join().ok()));
            self.files.forget();
            all
        })
    }

    /// All units in turn in which something is awaited, each opened for this alone: in a gigabyte there are too many to keep them so.
    pub(super) fn each_that_awaits(&self, visit: &mut dyn FnMut(&Opened<'_, 'a>) -> ControlFlow<()>) {
        let present = Present::default();
        for at in &self.all {
            if present.is_much(at.len as usize) {
                self.files.forget();
            }
            let Some(scopes) = at.scopes.get().filter(|scopes| !scopes.awaits().is_empty()) else { continue };
            let Some(unit) = self.kept(at).or_else(|| self.read(at).map(Arc::new)) else { continue };
            let lines = if at.skeleton.is_some() { &self.main } else { &at.dwarf };
            if visit(&Opened { dwarf: &at.dwarf, lines, unit, scopes, start: at.start }).is_break() {
                return;
            }
        }
    }

    /// The unit in which this offset is, and how it is read.
    pub(super) fn of(&self, offset: u32) -> Option<Opened<'_, 'a>> {
        let after = self.all.partition_point(|at| at.start <= offset);
        let at = self.all.get(after.checked_sub(1)?)?;
        if offset - at.start >= at.len {
            return None;
        }
        let unit = self.kept(at).or_else(|| self.keep(at))?;
        if self.asked.fetch_add(1, Ordering::Relaxed) % ASKED == ASKED - 1 {
            self.files.forget();
        }
        let scopes = at.scopes.get_or_init(Scopes::default);
        let lines = if at.skeleton.is_some() { &self.main } else { &at.dwarf };
        Some(Opened { dwarf: &at.dwarf, lines, unit, scopes, start: at.start })
    }

    fn kept(&self, at: &At<'a>) -> Option<Arc<Unit<Slice<'a>>>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(&at.start).cloned()
    }

    fn keep(&self, at: &At<'a>) -> Option<Arc<Unit<Slice<'a>>>> {
        let unit = Arc::new(self.read(at)?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST_OPEN {
            open.clear();
        }
        open.insert(at.start, unit.clone());
        Some(unit)
    }
}

fn producer<'a>(dwarf: &Dwarf<Slice<'a>>, unit: &Unit<Slice<'a>>) -> String {
    let text = || {
        let mut entries = unit.entries();
        let value = entries.next_dfs().ok()??.attr_value(gimli::DW_AT_producer)?;
        let text = dwarf.attr_string(unit, value).ok()?;
        let text = text.to_string_lossy();
        // Other languages have units too, and are not asked.
        text.contains("rustc").then(|| text.chars().take(256).collect())
    };
    text().unwrap_or_default()
}

fn dwo_name<'a>(dwarf: &Dwarf<Slice<'a>>, unit: &Unit<Slice<'a>>) -> Option<String> {
    let name = dwarf.attr_string(unit, unit.dwo_name().ok()??).ok()?;
    Some(name.to_string_lossy().chars().take(4096).collect())
}

type Half<'a> = (Arc<Dwarf<Slice<'a>>>, UnitHeader<Slice<'a>>);

/// What was split off of a unit.
fn other_half<'a>(
    id: DwoId,
    main: &Dwarf<Slice<'a>>,
    package: Option<&DwarfPackage<Slice<'a>>>,
    split: &FxHashMap<DwoId, Half<'a>>,
) -> Option<Half<'a>> {
    if let Some(Ok(Some(dwarf))) = package.map(|package| package.find_cu(id, main))
        && let Ok(Some(header)) = dwarf.units().next()
    {
        return Some((Arc::new(dwarf), header));
    }
    split.get(&id).cloned()
}

/// The units of files of their own, by what they have in common with those that stand for them.
fn by_id<'a>(files: &'a [ObjectFile], main: &Dwarf<Slice<'a>>) -> FxHashMap<DwoId, Half<'a>> {
    let mut all = FxHashMap::default();
    for file in files {
        let mut dwarf = file.split();
        dwarf.make_dwo(main);
        let dwarf = Arc::new(dwarf);
        let mut headers = dwarf.units();
        while let Ok(Some(header)) = headers.next()
            && all.len() < MOST_UNITS
        {
            if let Some(id) = dwarf.unit(header).ok().and_then(|unit| unit.dwo_id) {
                all.insert(id, (dwarf.clone(), header));
            }
        }
    }
    all
}

/// The name of a file that was split off, and the directory in which it was written.
pub(super) struct SplitOff {
    pub(super) directory: String,
    pub(super) name: String,
}

/// What was split off of an object, as its units say.
pub(super) fn split_off(object: &ObjectFile) -> Vec<SplitOff> {
    let dwarf = object.dwarf();
    let mut headers = dwarf.units();
    let mut all = vec![];
    // What is split off has its addresses in a section of their own.
    if !object.has_addresses() {
        return all;
    }
    let present = Present::default();
    while let Ok(Some(header)) = headers.next()
        && all.len() < MOST_UNITS
    {
        if present.is_much(header.length_including_self()) {
            object.forget();
        }
        let Ok(unit) = dwarf.unit(header) else { continue };
        if unit.dwo_id.is_some()
            && let Some(name) = dwo_name(&dwarf, &unit)
        {
            let directory = unit.comp_dir.map(|directory| directory.to_string_lossy().chars().take(4096).collect());
            all.push(SplitOff { directory: directory.unwrap_or_default(), name });
        }
    }
    all
}
