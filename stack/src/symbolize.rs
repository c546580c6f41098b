//! Names addresses: function, file and line from the debug information of the file that a module was loaded from, or at
//! least the function from its symbol table.
//!
//! A file is mapped while addresses are named by it, and no longer; frames that were named stay, up to a bound.

use crate::{
    debug_file::{self, All, DebugFile, Has, Told},
    frame::Frame,
    modules::{Module, Modules},
    unit::Part,
};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes of frames that are kept, where nobody says otherwise.
#[cfg(feature = "whole")]
const KEPT: usize = 32 << 20;

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

/// How files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// Where they are mapped, and not what cannot be read there.
    InPlace,
    /// As a whole, where they cannot be read like that.
    #[cfg(feature = "whole")]
    Whole,
}

/// Names addresses, and keeps the names.
pub struct Symbols {
    /// By module; `None` where there is no file.
    files: HashMap<u64, Option<DebugFile>>,
    /// By module and address in it.
    frames: HashMap<(u64, u64), Arc<[Frame]>>,
    /// What they take, and may take, in bytes.
    bytes: usize,
    most: usize,
    means: Means,
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
    /// At any cost, with somebody who keeps what is named.
    #[cfg(feature = "whole")]
    pub fn kept_by(keeper: Option<Box<dyn Keeper>>) -> Self {
        Self { keeper, ..Self::at_any_cost(KEPT) }
    }

    /// That keep no more than so many bytes of names, and take little more beside.
    pub fn within(most: usize) -> Self {
        let (files, frames, asked) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { files, frames, bytes: 0, most, means: Means::InPlace, executable: None, keeper: None, asked }
    }

    /// The same, that read a file as a whole where it cannot be read in place, whatever that takes.
    #[cfg(feature = "whole")]
    pub fn at_any_cost(most: usize) -> Self {
        Self { means: Means::Whole, ..Self::within(most) }
    }

    /// The functions of a stack, innermost first. The first address is where the thread was, the others are where it returns to.
    pub fn name(&mut self, addresses: &[u64], modules: &Modules) -> Vec<Frame> {
        self.look_up(&[addresses], modules);
        let mut frames = Vec::with_capacity(addresses.len() * 2);
        for (index, address) in addresses.iter().enumerate() {
            // A call that never returns may be the last instruction of its function: the line is that of the call.
            let within = if index == 0 { *address } else { address.saturating_sub(1) };
            match modules.find(within) {
                Some(module) => {
                    let offset = if module.is_executable() { within.wrapping_sub(module.bias) } else { 0 };
                    let at = |frame: &Frame| Frame { address: *address, offset, ..frame.clone() };
                    frames.extend(self.frames(module, within).iter().map(at));
                }
                None => frames.push(Frame { address: *address, ..unknown("".into()) }),
            }
        }
        frames
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
                    let frames: Arc<[Frame]> = frames.collect();
                    self.bytes += bytes(&frames);
                    self.frames.insert((module.id, linked), frames);
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

    /// What was named together with all else that is asked for.
    fn frames(&mut self, module: &Module, address: u64) -> Arc<[Frame]> {
        let linked = address.wrapping_sub(module.bias);
        match self.frames.get(&(module.id, linked)) {
            Some(frames) => Arc::clone(frames),
            None => [unknown(self.file_name(module))].into(),
        }
    }

    /// Reads once what several stacks are named by: to name each then costs little.
    pub fn look_up(&mut self, stacks: &[&[u64]], modules: &Modules) {
        // Not while they are named: they were looked up together.
        if self.bytes >= self.most {
            self.hand_over();
            self.frames = HashMap::new();
            self.asked.clear();
            self.bytes = 0;
        }
        let mut wanted: HashMap<u64, (&Module, Vec<u64>)> = HashMap::new();
        for (index, address) in stacks.iter().flat_map(|stack| stack.iter().enumerate()) {
            let within = if index == 0 { *address } else { address.saturating_sub(1) };
            let Some(module) = modules.find(within) else { continue };
            let linked = within.wrapping_sub(module.bias);
            self.recall(module);
            if !self.frames.contains_key(&(module.id, linked)) {
                wanted.entry(module.id).or_insert_with(|| (module, Vec::new())).1.push(linked);
            }
        }
        for (id, (module, linked)) in wanted {
            let name = self.file_name(module);
            let file = self.files.entry(id).or_insert_with(|| path(module).map(DebugFile::new));
            if let Some(file) = file {
                let mut tell = |address, told: Told<'_>| {
                    let frames: Arc<[Frame]> = of_parts(told, &name).into();
                    self.bytes += bytes(&frames);
                    self.frames.insert((id, address), frames);
                };
                if file.name(&linked, &mut tell) == All::NotTold && self.means != Means::InPlace {
                    #[cfg(feature = "whole")]
                    crate::whole::name(file.path(), &linked, &mut tell);
                }
            }
            self.note(id);
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

fn unknown(module: Arc<str>) -> Frame {
    Frame { function: "".into(), file: "".into(), line: 0, column: 0, address: 0, offset: 0, module, inlined: false }
}

/// The file that is known again; none without a fingerprint.
fn origin(module: &Module) -> Option<Origin> {
    if module.build_id.is_empty() {
        return None;
    }
    let bytes = fs::metadata(path(module)?).ok()?.len();
    Some(Origin { build_id: module.build_id.clone(), bytes })
}

/// The file that has a module's debug information: its own, or one that a distribution keeps apart. One that was replaced
/// since it was loaded is no use.
fn path(module: &Module) -> Option<PathBuf> {
    let own = match &module.file {
        Some(file) => file.clone(),
        None if module.path.is_empty() => PathBuf::from("/proc/self/exe"),
        None => PathBuf::from(&module.path),
    };
    let is_it = |path: &Path| debug_file::is_it(path, &module.build_id);
    if is_it(&own)? == Has::DebugInformation {
        return Some(own);
    }
    apart(&module.build_id).filter(|path| is_it(path) == Some(Has::DebugInformation)).or(Some(own))
}

/// Where distributions keep debug information that was split off.
fn apart(build_id: &[u8]) -> Option<PathBuf> {
    let digits: Vec<String> = build_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, rest) = digits.split_first()?;
    Some(PathBuf::from(format!("/usr/lib/debug/.build-id/{first}/{}.debug", rest.concat())))
}

/// What frames take, about.
fn bytes(frames: &[Frame]) -> usize {
    frames.iter().map(|frame| size_of::<Frame>() + frame.function.len() + frame.file.len()).sum::<usize>() + 64
}

/// The functions that were found, the last of them by its symbol where that says more.
fn of_parts(told: Told<'_>, module: &Arc<str>) -> Vec<Frame> {
    let Told { parts, symbol } = told;
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
    use crate::whole;
    use object::{Object, ObjectSymbol, SymbolKind};

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
    fn a_unit_at_a_time_says_the_same_as_the_whole_file() {
        let mut modules = Modules::default();
        modules.refresh();
        let mut number = 7;
        assert_eq!(outer(&mut number), 24);
        let own = outer as *const () as u64;
        let module = modules.find(own).expect("this executable is loaded");
        let path = path(module).expect("it has a file");
        let name: Arc<str> = "test".into();
        // Of its own, of this crate, of the standard library, and of all others every twentieth.
        let bytes = fs::read(&path).expect("it is read");
        let file = object::File::parse(&*bytes).expect("it is an executable");
        let text = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0);
        let functions = text.step_by(20).map(|symbol| (symbol.address(), symbol.size().min(64)));
        let known = [own, Symbols::within as *const () as u64, fs::canonicalize::<PathBuf> as *const () as u64];
        let known = known.map(|at| (at - module.bias, 64));
        let addresses: Vec<u64> = functions.chain(known).flat_map(|(at, len)| at..at + len).collect();
        let mut told = HashMap::new();
        let all = DebugFile::new(path.clone()).name(&addresses, &mut |address, found| {
            assert!(told.insert(address, of_parts(found, &name)).is_none(), "once");
        });
        assert_eq!(all, All::Told);
        whole::name(&path, &addresses, &mut |address, found| {
            assert_eq!(told.get(&address), Some(&of_parts(found, &name)), "{address:x}");
        });
        assert!(told.len() > 3_000 && told.values().any(|frames| frames.len() > 3), "{}", told.len());
    }
}
