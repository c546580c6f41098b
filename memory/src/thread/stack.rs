//! Stacks of threads that sleep, and of those whose registers a core file has: copied, unwound by the tables of what is loaded, and
//! named. A stack that has not changed is not unwound again.

use super::names::Names;
use crate::{
    Place, StackFrame,
    bytes::{Bytes, Image, KernelThread, Region, Registers, Scene, Segment, find},
    debug::Cache,
};
use holdup_stack::{
    copy::{Registers as Start, StackCopy},
    memory::Memory,
    modules::Loaded,
    symbolize::{Keeper, Symbols},
    unwind::{Trace, Unwinder},
};
use rustc_hash::FxHashMap;
use std::{io, sync::Arc, time::Duration};

/// So much of a stack is copied first, and no more than this where that is not enough.
const FIRST_BYTES: u64 = 8 << 10;
pub(crate) const MOST_BYTES: u64 = 64 << 10;
/// Addresses above are no process's.
const MOST_ADDRESS: u64 = 1 << 56;

/// A thread's stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// The functions, the innermost first.
    pub frames: Arc<[StackFrame]>,
    /// Of each address on it, the stack pointer there: what a function keeps on the stack is from its own up to the next.
    pub pointers: Arc<[(u64, u64)]>,
    /// Whether it may be wrong.
    pub approximate: bool,
    /// Why there is none, or not the whole; empty where there is.
    pub unread: Arc<str>,
}

impl Stack {
    /// None, for this reason.
    pub(crate) fn none(why: &str) -> Self {
        Self { frames: Arc::from([]), pointers: Arc::from([]), approximate: false, unread: Arc::from(why) }
    }
}

/// What tells that a thread has not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    registers: Registers,
    cpu: Option<Duration>,
    switches: Option<(u64, u64)>,
}

impl Mark {
    fn of(thread: &KernelThread, registers: Registers) -> Self {
        Self { registers, cpu: thread.cpu, switches: thread.switches }
    }
}

/// A thread's stack before it is named.
enum Traced {
    /// As far as it could be unwound.
    Whole(Trace),
    /// It cannot be, for this reason.
    Not(&'static str),
    /// The thread ran meanwhile.
    Moved,
}

const MOVED: &str = "it woke up while its stack was copied";
const NO_REGISTERS: &str = "its registers are none that a process can have";

/// The stacks of a process's threads.
pub(crate) struct Stacks {
    unwinder: Unwinder,
    symbols: Symbols,
    kept: FxHashMap<u32, (Mark, Stack)>,
}

impl std::fmt::Debug for Stacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stacks").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

impl Default for Stacks {
    fn default() -> Self {
        Self::kept_in(None)
    }
}

impl Stacks {
    /// With names that are kept in this cache, from one reader to the next.
    pub(crate) fn kept_in(cache: Option<Cache>) -> Self {
        let keeper = cache.map(|cache| Box::new(Names::new(cache)) as Box<dyn Keeper>);
        Self { unwinder: Unwinder::of_another(), symbols: Symbols::kept_by(keeper), kept: FxHashMap::default() }
    }

    /// What is loaded now.
    pub(crate) fn load(&mut self, images: &[Image], bytes: &dyn Bytes) {
        let loaded = images.iter().map(|image| Loaded {
            path: image.path.to_string(),
            file: bytes.file(&image.region).ok(),
            bias: image.bias,
            range: image.range.clone(),
            code: image
                .loaded()
                .filter(|segment| segment.flags & Segment::EXECUTE != 0)
                .map(|segment| image.place(segment))
                .collect(),
            build_id: image.build_id.clone(),
            index: image.segment(Segment::EH_FRAME).map(Segment::linked),
            segments: image.loaded().map(Segment::in_file).collect(),
        });
        self.unwinder.load(loaded.collect(), &Through(bytes));
        self.kept.clear();
    }

    /// Lets go of what belongs to threads that are gone.
    pub(crate) fn tidy(&mut self, scene: &Scene) {
        if self.kept.len() > scene.threads.len() {
            self.kept.retain(|id, _| scene.threads.iter().any(|thread| thread.id == *id));
        }
    }

    /// The stack of a thread, as it was in the scene.
    pub(crate) fn of(&mut self, thread: &KernelThread, scene: &Scene, bytes: &dyn Bytes) -> Stack {
        let Some(registers) = thread.registers else {
            return Stack::none(if thread.state == 'R' {
                "it runs, and only a thread that is stopped tells its registers"
            } else {
                "the kernel does not tell where it sleeps, or it woke up meanwhile"
            });
        };
        let mark = Mark::of(thread, registers);
        if let Some((known, stack)) = self.kept.get(&thread.id)
            && *known == mark
        {
            return stack.clone();
        }
        let stack = match self.traced(thread, registers, scene, bytes) {
            Traced::Moved => return Stack::none(MOVED),
            Traced::Not(why) => Stack::none(why),
            Traced::Whole(trace) => self.named(trace),
        };
        self.kept.insert(thread.id, (mark, stack.clone()));
        stack
    }

    /// Makes the stacks of all threads ready, which takes less than one by one: what is read to name them is read once.
    pub(crate) fn ready(&mut self, scene: &Scene, bytes: &dyn Bytes) {
        let mut traces = Vec::new();
        for thread in &scene.threads {
            let Some(registers) = thread.registers else { continue };
            let mark = Mark::of(thread, registers);
            if self.kept.get(&thread.id).is_some_and(|(known, _)| *known == mark) {
                continue;
            }
            if let Traced::Whole(trace) = self.traced(thread, registers, scene, bytes) {
                traces.push((thread.id, mark, trace));
            }
        }
        let addresses: Vec<&[u64]> = traces.iter().map(|(_, _, trace)| trace.addresses.as_slice()).collect();
        self.symbols.look_up(&addresses, self.unwinder.modules());
        for (thread, mark, trace) in traces {
            let stack = self.named(trace);
            self.kept.insert(thread, (mark, stack));
        }
        self.symbols.hand_over();
    }

    /// Copies a thread's stack and unwinds it, more of it where that is not enough.
    fn traced(&mut self, thread: &KernelThread, registers: Registers, scene: &Scene, bytes: &dyn Bytes) -> Traced {
        let mut traced = Traced::Not("its stack pointer leads to memory that cannot be read");
        for most in [FIRST_BYTES, MOST_BYTES] {
            let Some(copy) = copy(registers, &scene.regions, most, bytes) else { break };
            if !bytes.still(thread) {
                return Traced::Moved;
            }
            traced = self.unwound(registers, &copy, bytes).map_or(Traced::Not(NO_REGISTERS), Traced::Whole);
            let is_whole = matches!(&traced, Traced::Whole(trace) if trace.limitation.is_empty());
            if is_whole || (copy.len() as u64) < most {
                break;
            }
        }
        traced
    }

    /// Unwinds and names a stack that was copied.
    pub(crate) fn unwind(&mut self, registers: Registers, copy: &[u8], bytes: &dyn Bytes) -> Stack {
        self.unwound(registers, copy, bytes).map_or_else(|| Stack::none(NO_REGISTERS), |trace| self.named(trace))
    }

    fn named(&mut self, trace: Trace) -> Stack {
        let named = self.symbols.name(&trace.addresses, self.unwinder.modules());
        Stack {
            frames: named.into_iter().map(frame).collect(),
            pointers: trace.addresses.into_iter().zip(trace.pointers).collect(),
            approximate: trace.approximate,
            unread: Arc::from(trace.limitation),
        }
    }

    /// Unwinds a stack that was copied; `None` where its registers are out of this world.
    pub(crate) fn unwound(&mut self, registers: Registers, copy: &[u8], bytes: &dyn Bytes) -> Option<Trace> {
        let Registers { pc, sp, fp, lr, .. } = registers;
        (pc < MOST_ADDRESS && sp < MOST_ADDRESS).then_some(())?;
        let start = StackCopy { registers: Start { pc, sp, fp, lr }, bytes: copy };
        Some(self.unwinder.unwind(start, &Through(bytes)))
    }
}

/// Copies a stack from the stack pointer up.
fn copy(registers: Registers, regions: &[Region], most: u64, bytes: &dyn Bytes) -> Option<Vec<u8>> {
    let region = find(regions, registers.sp).filter(|region| region.may.read())?;
    let len = (region.range.end - registers.sp).min(most);
    let mut copy = vec![0; usize::try_from(len).ok()?];
    bytes.read(registers.sp, &mut copy).then_some(copy)
}

pub(super) fn frame(frame: holdup_stack::frame::Frame) -> StackFrame {
    let place = (!frame.file.is_empty()).then(|| Place { file: Arc::clone(&frame.file), line: frame.line });
    let function = if frame.function.is_empty() { Arc::from(format!("{:#x}", frame.address)) } else { frame.function };
    StackFrame { function, module: frame.module, place, address: frame.address, inlined: frame.inlined }
}

/// The memory of a process, as unwinding reads it.
struct Through<'a>(&'a dyn Bytes);

impl Memory for Through<'_> {
    fn read(&self, address: u64, into: &mut [u8]) -> io::Result<usize> {
        if self.0.read(address, into) {
            return Ok(into.len());
        }
        let mut read = 0;
        while let Some(rest) = into.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let Some(at) = address.checked_add(read as u64) else { break };
            let len = rest.len().min((4096 - at % 4096) as usize);
            if !rest.get_mut(..len).is_some_and(|piece| self.0.read(at, piece)) {
                break;
            }
            read += len;
        }
        if read == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(read) }
    }

    fn fill(&self, address: u64, into: &mut [u8]) -> bool {
        self.0.read(address, into)
    }
}
