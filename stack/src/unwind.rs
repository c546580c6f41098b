//! Finds the return addresses in a copied stack, by the tables that compilers leave for exceptions: code needs no frame
//! pointers for it.
//!
//! Code that does keep them (the standard library does) is unwound by them, and of a thread that sleeps the kernel does not
//! tell the frame pointer. It mostly stands on the stack, saved by a function further in. Where it does not, see `recover`.

use crate::{
    copy::StackCopy,
    memory::Memory,
    modules::{Bytes, Loaded, Modules, Tables},
    recover,
};
use framehop::{
    CacheNative, ExplicitModuleSectionInfo, FrameAddress, Module, UnwindRegsNative, Unwinder as _, UnwinderNative,
};

/// Frames beyond these are left out.
const FRAMES: usize = 128;

/// Stands for a register that is not known: no such address exists, and reading there fails.
const UNKNOWN: u64 = 0x7fff_ffff_0000_0000;

/// Unwinds, and keeps what it learns of modules and functions.
pub struct Unwinder {
    modules: Modules,
    of: Of,
    /// In the unwinder now, by where they start.
    added: Vec<u64>,
    rules: UnwinderNative<Bytes, framehop::MayAllocateDuringUnwind>,
    cache: CacheNative<framehop::MayAllocateDuringUnwind>,
}

/// Whose stacks are unwound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// This process's: the loader tells what is loaded.
    This,
    /// Another's: what is loaded is given.
    Another,
}

/// What unwinding found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Where the thread was, then return addresses, innermost first.
    pub addresses: Vec<u64>,
    /// The stack pointer in each of them: what a function keeps on the stack is from there up to the next.
    pub pointers: Vec<u64>,
    /// A register had to be guessed on the way.
    pub approximate: bool,
    /// Why it is not the whole stack; empty when it is.
    pub limitation: &'static str,
}

/// A point on the way up.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) at: FrameAddress,
    pub(crate) registers: UnwindRegsNative,
}

/// A function on the way up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) address: u64,
    pub(crate) sp: u64,
}

/// Where a walk came to its end.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The function that started the thread.
    Root,
    /// The end of the copy.
    Cut,
    /// The caller of this one is found by a frame pointer, and that is not known.
    Pointerless(Position),
    /// This one has its return address in a register, and that is not known.
    Leaf(Position),
    /// A place that nothing is known of.
    Lost,
}

impl Default for Unwinder {
    fn default() -> Self {
        Self::new()
    }
}

impl Unwinder {
    /// For stacks of this process. Knows nothing yet.
    pub fn new() -> Self {
        Self::of(Of::This)
    }

    /// For stacks of another process, of which [`Unwinder::load`] says what is loaded.
    pub fn of_another() -> Self {
        Self::of(Of::Another)
    }

    fn of(of: Of) -> Self {
        Self {
            modules: Modules::default(),
            of,
            added: Vec::new(),
            rules: UnwinderNative::new(),
            cache: CacheNative::new_in(),
        }
    }

    /// What is loaded, as of the last stack that was unwound.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// What is loaded into the other process, from whose memory the tables are read; all of it, each time.
    pub fn load(&mut self, loaded: Vec<Loaded>, memory: &dyn Memory) {
        self.modules.give(loaded, memory);
        self.add();
    }

    /// Unwinds a copy of a stack, innermost frame first. `memory` is that of the process whose stack it is.
    pub fn unwind(&mut self, stack: StackCopy<'_>, memory: &dyn Memory) -> Trace {
        if self.of == Of::This {
            self.refresh();
        }
        let mut steps = Vec::with_capacity(32);
        let mut approximate = false;
        let mut end = self.walk(start(stack), stack, &mut steps);
        // A guess leads to a place where nothing is missing, or it is none.
        let way = match end {
            End::Pointerless(position) => recover::recover(self, position, stack, memory),
            End::Leaf(position) => recover::above_leaf(self, position, stack, memory),
            _ => None,
        };
        if let Some(way) = way {
            approximate = !way.certain;
            steps.extend(way.steps);
            end = way.end;
        }
        steps.truncate(FRAMES);
        let (addresses, pointers) = steps.iter().map(|step| (step.address, step.sp)).unzip();
        let limitation = match end {
            End::Root => "",
            End::Cut => "the stack is deeper than what was copied of it",
            End::Pointerless(_) | End::Leaf(_) | End::Lost => "the stack could not be unwound to its end",
        };
        Trace { addresses, pointers, approximate, limitation }
    }

    /// Goes up from a position, notes each step, and says why it went no further.
    pub(crate) fn walk(&mut self, from: Position, stack: StackCopy<'_>, steps: &mut Vec<Step>) -> End {
        let Position { mut at, mut registers } = from;
        let mut read = |address| stack.word(address).ok_or(());
        for _ in 0..FRAMES {
            if !self
                .modules
                .find(at.address_for_lookup())
                .is_some_and(|module| module.has_code(at.address_for_lookup()))
            {
                return End::Lost;
            }
            steps.push(Step { address: at.address(), sp: registers.sp() });
            let before = registers;
            match self.rules.unwind_frame(at, &mut registers, &mut self.cache, &mut read) {
                Ok(None) => return End::Root,
                Ok(Some(address)) if is_unknown(address) => return End::Leaf(Position { at, registers: before }),
                Ok(Some(address)) => match FrameAddress::from_return_address(address) {
                    Some(next) => at = next,
                    None => return End::Root,
                },
                Err(framehop::Error::CouldNotReadStack(address)) if is_unknown(address) => {
                    return End::Pointerless(Position { at, registers: before });
                }
                Err(framehop::Error::CouldNotReadStack(address)) if address >= stack.end().saturating_sub(8) => {
                    return End::Cut;
                }
                Err(_) => return End::Lost,
            }
        }
        End::Cut
    }

    fn refresh(&mut self) {
        if self.modules.refresh() {
            self.add();
        }
    }

    /// Tells the unwinder of the modules anew.
    fn add(&mut self) {
        for start in self.added.drain(..) {
            self.rules.remove_module(start);
        }
        for module in self.modules.iter() {
            let Some(Tables { index, index_at, frames, frames_at }) = module.tables.clone() else { continue };
            let sections = ExplicitModuleSectionInfo {
                eh_frame_svma: Some(frames_at..frames_at + frames.len() as u64),
                eh_frame: Some(frames),
                eh_frame_hdr_svma: Some(index_at..index_at + index.len() as u64),
                eh_frame_hdr: Some(index),
                ..ExplicitModuleSectionInfo::default()
            };
            self.rules.add_module(Module::new(module.path.clone(), module.range.clone(), module.bias, sections));
            self.added.push(module.range.start);
        }
    }
}

fn is_unknown(address: u64) -> bool {
    (UNKNOWN - 4096..UNKNOWN + 4096).contains(&address)
}

/// Where a thread was when it was captured.
fn start(stack: StackCopy<'_>) -> Position {
    let registers = stack.registers;
    Position {
        at: FrameAddress::from_instruction_pointer(registers.pc),
        registers: native(registers.pc, registers.sp, registers.fp.unwrap_or(UNKNOWN), registers.lr.unwrap_or(UNKNOWN)),
    }
}

/// The registers of a caller, whose frame record lies at `record`.
pub(crate) fn caller(record: u64, stack: StackCopy<'_>) -> Option<Position> {
    let (fp, address) = (stack.word(record)?, stack.word(record.wrapping_add(8))?);
    let at = FrameAddress::from_return_address(address)?;
    Some(Position { at, registers: native(address, record.wrapping_add(16), fp, address) })
}

#[cfg(target_arch = "x86_64")]
fn native(pc: u64, sp: u64, fp: u64, _: u64) -> UnwindRegsNative {
    UnwindRegsNative::new(pc, sp, fp)
}

#[cfg(target_arch = "aarch64")]
fn native(_: u64, sp: u64, fp: u64, lr: u64) -> UnwindRegsNative {
    UnwindRegsNative::new(lr, sp, fp)
}
