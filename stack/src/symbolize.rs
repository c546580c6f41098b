//! Names addresses: function, file and line from the debug information of the file that a module was loaded from, or at
//! least the function from its symbol table.
//!
//! Files are mapped when they are first needed, and let go when nobody has asked for a while; frames that were named stay, up
//! to a bound.

use crate::{
    frame::Frame,
    large::{Large, Told},
    modules::{Module, Modules},
    unit::Part,
};
use addr2line::{FrameIter, Loader};
use object::{Object, ReadCache};
use std::{
    collections::HashMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Addresses whose frames are kept.
const KEPT: usize = 1 << 14;

/// A file that names addresses.
enum Opened {
    Whole(Box<Loader>),
    Large(Large),
    None,
}

/// A file that names addresses, as it is known from one run to the next: what it says of an address does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The linker's fingerprint; never empty.
    pub build_id: Vec<u8>,
    /// Its bytes: one that was stripped has the same fingerprint.
    pub bytes: u64,
}

/// Keeps names from one run to the next.
pub trait Keeper: Send {
    /// What was kept of this file, by address in it. The module of a frame and its address are not.
    fn recall(&mut self, of: &Origin) -> Vec<(u64, Vec<Frame>)>;

    /// Keeps all that is known of this file now.
    fn keep(&mut self, of: &Origin, named: &[(u64, Arc<[Frame]>)]);
}

/// Names addresses, and keeps the names.
#[derive(Default)]
pub struct Symbols {
    files: HashMap<u64, Opened>,
    /// When one of the files was needed last.
    used: Option<Instant>,
    /// By module and address in it.
    frames: HashMap<(u64, u64), Arc<[Frame]>>,
    executable: Option<Arc<str>>,
    keeper: Option<Box<dyn Keeper>>,
    /// Modules of which the keeper was asked; those of which more was named since.
    asked: HashMap<u64, Asked>,
}

/// What is to be kept of a module.
enum Asked {
    /// Nothing: its file cannot be told from others.
    Never,
    /// Whatever is named by this file.
    Of(Origin, Since),
}

/// What has happened since the keeper was asked, or told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Nothing,
    Named,
}

impl Symbols {
    /// With somebody who keeps what is named.
    pub fn kept_by(keeper: Option<Box<dyn Keeper>>) -> Self {
        Self { keeper, ..Self::default() }
    }

    /// The functions of a stack, innermost first. The first address is where the thread was, the others are where it returns to.
    pub fn name(&mut self, addresses: &[u64], modules: &Modules) -> Vec<Frame> {
        self.look_up(&[addresses], modules);
        let mut frames = Vec::with_capacity(addresses.len() * 2);
        for (index, address) in addresses.iter().enumerate() {
            // A call that never returns may be the last instruction of its function: the line is that of the call.
            let within = if index == 0 { *address } else { address.saturating_sub(1) };
            match modules.find(within) {
                Some(module) => frames.extend(self.frames(module, within).iter().map(|frame| frame.clone_at(*address))),
                None => frames.push(unknown("".into()).clone_at(*address)),
            }
        }
        frames
    }

    /// Lets go of mapped files, when none was needed for a while. Named frames stay.
    pub fn close_unused(&mut self, after: Duration) {
        if self.used.is_some_and(|used| used.elapsed() >= after) {
            self.files = HashMap::new();
            self.used = None;
        }
    }

    /// Gives what was named since the last time to whoever keeps it.
    pub fn hand_over(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        for (module, asked) in &mut self.asked {
            let Asked::Of(origin, since @ Since::Named) = asked else { continue };
            *since = Since::Nothing;
            let of = self.frames.iter().filter(|((of, _), _)| of == module);
            let mut named: Vec<_> = of.map(|((_, linked), frames)| (*linked, Arc::clone(frames))).collect();
            named.sort_unstable_by_key(|(linked, _)| *linked);
            keeper.keep(origin, &named);
        }
    }

    /// Asks once what was kept of a module's file.
    fn recall(&mut self, module: &Module) {
        if self.keeper.is_none() || self.asked.contains_key(&module.id) {
            return;
        }
        let name = self.file_name(module);
        let Some(keeper) = &mut self.keeper else { return };
        let asked = match origin(module) {
            None => Asked::Never,
            Some(origin) => {
                for (linked, frames) in keeper.recall(&origin) {
                    let frames = frames.into_iter().map(|frame| Frame { module: Arc::clone(&name), ..frame });
                    self.frames.entry((module.id, linked)).or_insert_with(|| frames.collect());
                }
                Asked::Of(origin, Since::Nothing)
            }
        };
        self.asked.insert(module.id, asked);
    }

    /// Notes that something of a module was named.
    fn note(&mut self, module: u64) {
        if let Some(Asked::Of(_, since)) = self.asked.get_mut(&module) {
            *since = Since::Named;
        }
    }

    fn frames(&mut self, module: &Module, address: u64) -> Arc<[Frame]> {
        let linked = address.wrapping_sub(module.bias);
        self.recall(module);
        if let Some(frames) = self.frames.get(&(module.id, linked)) {
            return Arc::clone(frames);
        }
        let name = self.file_name(module);
        self.used = Some(Instant::now());
        let mut frames = match self.files.entry(module.id).or_insert_with(|| open(module)) {
            Opened::Whole(loader) => named(loader, linked, &name),
            // They were named together.
            Opened::Large(_) | Opened::None => Vec::new(),
        };
        if frames.is_empty() {
            frames.push(unknown(name));
        }
        let frames: Arc<[Frame]> = frames.into();
        self.frames.insert((module.id, linked), Arc::clone(&frames));
        self.note(module.id);
        frames
    }

    /// Reads once what several stacks are named by: to name each then costs little. In large files that is all addresses of a file at a
    /// time; others are read as a whole.
    pub fn look_up(&mut self, stacks: &[&[u64]], modules: &Modules) {
        // Not while they are named: those of large files were looked up together.
        if self.frames.len() >= KEPT {
            self.hand_over();
            self.frames.clear();
            self.asked.clear();
        }
        let mut wanted: HashMap<u64, (&Module, Vec<u64>)> = HashMap::new();
        for (index, address) in stacks.iter().flat_map(|stack| stack.iter().enumerate()) {
            let within = if index == 0 { *address } else { address.saturating_sub(1) };
            let Some(module) = modules.find(within) else { continue };
            let linked = within.wrapping_sub(module.bias);
            self.recall(module);
            if self.frames.contains_key(&(module.id, linked)) {
                continue;
            }
            if let Opened::Large(_) = self.files.entry(module.id).or_insert_with(|| open(module)) {
                self.used = Some(Instant::now());
                wanted.entry(module.id).or_insert_with(|| (module, Vec::new())).1.push(linked);
            }
        }
        for (id, (module, linked)) in wanted {
            let name = self.file_name(module);
            let Some(Opened::Large(large)) = self.files.get(&id) else { continue };
            let frames = &mut self.frames;
            let all = large.name(&linked, &mut |address, told| {
                let Told { parts, symbol } = told;
                frames.insert((id, address), of_parts(parts, symbol, &name).into());
            });
            self.note(id);
            if !all {
                self.files.insert(id, path(module).map_or(Opened::None, |path| whole(&path)));
            }
        }
    }

    fn file_name(&mut self, module: &Module) -> Arc<str> {
        let of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into();
        if !module.path.is_empty() {
            return of(Path::new(&module.path));
        }
        let executable =
            self.executable.get_or_insert_with(|| of(&fs::read_link("/proc/self/exe").unwrap_or_default()));
        Arc::clone(executable)
    }
}

impl Frame {
    fn clone_at(&self, address: u64) -> Self {
        Self { address, ..self.clone() }
    }
}

fn unknown(module: Arc<str>) -> Frame {
    Frame { function: "".into(), file: "".into(), line: 0, column: 0, address: 0, module, inlined: false }
}

/// The file that has a module's debug information: its own, or one that a distribution keeps apart. One that was replaced
/// since it was loaded is no use.
fn open(module: &Module) -> Opened {
    let Some(path) = path(module) else { return Opened::None };
    if let Some(large) = Large::open(&path) {
        return Opened::Large(large);
    }
    whole(&path)
}

fn whole(path: &Path) -> Opened {
    Loader::new(path).map_or(Opened::None, |loader| Opened::Whole(Box::new(loader)))
}

/// The file that is known again; none without a fingerprint.
fn origin(module: &Module) -> Option<Origin> {
    if module.build_id.is_empty() {
        return None;
    }
    let bytes = fs::metadata(path(module)?).ok()?.len();
    Some(Origin { build_id: module.build_id.clone(), bytes })
}

fn path(module: &Module) -> Option<PathBuf> {
    let own = match &module.file {
        Some(file) => file.clone(),
        None if module.path.is_empty() => PathBuf::from("/proc/self/exe"),
        None => PathBuf::from(&module.path),
    };
    let is_it = |path: &Path| {
        let cache = ReadCache::new(File::open(path).ok()?);
        let file = object::File::parse(&cache).ok()?;
        let same = module.build_id.is_empty() || file.build_id().ok()?.is_none_or(|id| id == module.build_id);
        same.then(|| file.section_by_name(".debug_info").is_some())
    };
    if is_it(&own)? {
        return Some(own);
    }
    apart(&module.build_id).filter(|path| is_it(path) == Some(true)).or(Some(own))
}

/// Where distributions keep debug information that was split off.
fn apart(build_id: &[u8]) -> Option<PathBuf> {
    let digits: Vec<String> = build_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, rest) = digits.split_first()?;
    Some(PathBuf::from(format!("/usr/lib/debug/.build-id/{first}/{}.debug", rest.concat())))
}

/// The function at an address of a file, after those that were inlined into it there.
fn named(loader: &Loader, address: u64, module: &Arc<str>) -> Vec<Frame> {
    let parts = loader.find_frames(address).map(parts).unwrap_or_default();
    of_parts(parts, loader.find_symbol(address), module)
}

fn parts<R: addr2line::gimli::Reader>(mut found: FrameIter<'_, R>) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Ok(Some(frame)) = found.next() {
        let function = frame.function.as_ref().and_then(|function| Some(function.demangle().ok()?.into_owned()));
        let place = frame.location;
        parts.push(Part {
            function: function.unwrap_or_default(),
            file: place.as_ref().and_then(|place| place.file).unwrap_or_default().to_owned(),
            line: place.as_ref().and_then(|place| place.line).unwrap_or_default(),
            column: place.as_ref().and_then(|place| place.column).unwrap_or_default(),
        });
    }
    parts
}

/// The functions that were found, the last of them by its symbol where that says more.
fn of_parts(parts: Vec<Part>, symbol: Option<&str>, module: &Arc<str>) -> Vec<Frame> {
    let frame = |part: Part| Frame {
        function: part.function.into(),
        file: part.file.into(),
        line: part.line,
        column: part.column,
        inlined: true,
        ..unknown(Arc::clone(module))
    };
    let mut frames: Vec<Frame> = parts.into_iter().map(frame).collect();
    if frames.is_empty() {
        frames.push(unknown(Arc::clone(module)));
    }
    if let Some(last) = frames.last_mut() {
        last.inlined = false;
        if let Some(name) = symbol.filter(|name| last.function.is_empty() || is_rust(name)) {
            last.function = demangled(name);
        }
    }
    frames
}

/// Builds with line tables alone have names without their paths; the symbol table has whole ones, of functions that were
/// not inlined.
fn is_rust(symbol: &str) -> bool {
    symbol.starts_with("_R") || symbol.starts_with("_ZN")
}

fn demangled(symbol: &str) -> Arc<str> {
    addr2line::demangle_auto(symbol.into(), None).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn outer(number: &mut u64) -> u64 {
        *number += 1;
        inner(number)
    }

    #[inline]
    fn inner(number: &mut u64) -> u64 {
        std::hint::black_box(number.wrapping_mul(3))
    }

    #[test]
    fn a_file_that_is_read_in_pieces_says_the_same_as_the_whole() {
        let mut modules = Modules::default();
        modules.refresh();
        let mut number = 7;
        assert_eq!(outer(&mut number), 24);
        let own = outer as *const () as u64;
        let module = modules.find(own).expect("this executable is loaded");
        let path = path(module).expect("it has a file");
        let large = Large::from(&path, 0).expect("it has debug information");
        let loader = Loader::new(&path).expect("it is read");
        let name: Arc<str> = "test".into();
        // Of its own, of this crate, and of the standard library.
        let functions =
            [own, Symbols::close_unused as *const () as u64, std::fs::canonicalize::<PathBuf> as *const () as u64];
        let addresses: Vec<u64> =
            functions.iter().flat_map(|at| (0..64).map(move |step| at - module.bias + step)).collect();
        let mut told = 0;
        let done = large.name(&addresses, &mut |address, found| {
            let frames = of_parts(found.parts, found.symbol, &name);
            assert_eq!(frames, named(&loader, address, &name), "{address:x}");
            told += 1;
        });
        assert!(done);
        assert_eq!(told, addresses.len());
    }
}
