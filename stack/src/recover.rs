//! Finds a frame pointer that nobody told.
//!
//! A function that keeps a frame pointer begins by saving its caller's, right below its return address: a frame record. Two
//! ways lead to it. The function's first instructions say how far the stack pointer moved down after that, so that the record
//! lies at a known distance; if what lies there returns to right after a call that leads to this very function, or that got its
//! target from a register, there is no doubt. Else the stack is searched upwards for the first record from which unwinding goes on to the end. What is left of earlier calls
//! may look the same, and so such a stack is approximate.
//!
//! On aarch64 a function that calls no other keeps its return address in a register, which the kernel does not tell either: `syscall`,
//! in which most threads sleep, is one. Its caller has a frame record, above which the call that led to that caller can be read, and
//! within the caller the call of `syscall`.

use crate::{
    copy::StackCopy,
    memory::Memory,
    unwind::{End, Position, Step, Unwinder, caller},
};

/// Records that are tried before giving up.
const TRIALS: usize = 64;
/// So much of a function's code is looked through for a call.
const CODE: u64 = 64 << 10;

/// The way up from where the frame pointer was missing.
pub(crate) struct Way {
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
    /// There was nothing to guess.
    pub(crate) certain: bool,
}

/// What a call before a return address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Address(u64),
    /// It stood in a register, or in memory that has changed since.
    Untold,
}

pub(crate) fn recover(
    unwinder: &mut Unwinder,
    lost: Position,
    stack: StackCopy<'_>,
    memory: &dyn Memory,
) -> Option<Way> {
    let function = unwinder
        .modules()
        .find(lost.at.address_for_lookup())
        .and_then(|module| module.function(lost.at.address_for_lookup()));
    let sp = lost.registers.sp();
    let measured = function.and_then(|function| Some((function, frame_size(function, lost.at.address(), memory)?)));
    if let Some((function, size)) = measured {
        let record = sp.checked_add(size.bytes)?;
        let certain = match call_before(unwinder, memory, stack.word(record.wrapping_add(8)).unwrap_or(0)) {
            Some(Target::Address(target)) => target == function,
            Some(Target::Untold) => size.reserves,
            None => false,
        };
        if let Some(way) = certain.then(|| follow(unwinder, record, stack)).flatten() {
            return Some(Way { certain, ..way });
        }
    }
    let records = records(unwinder, sp, stack, memory)?;
    // A call that is known to lead here comes first, then one that may, then one that leads elsewhere, and jumps on perhaps.
    let likely = |target: &Target| match target {
        Target::Address(target) if Some(*target) == function => 0,
        Target::Untold => 1,
        Target::Address(_) => 2,
    };
    (0..=2).find_map(|rank| {
        let mut records = records.iter().filter(|(_, target)| likely(target) == rank);
        records.find_map(|(record, _)| follow(unwinder, *record, stack))
    })
}

/// The way up from a function that has no frame and whose return address is not known.
pub(crate) fn above_leaf(
    unwinder: &mut Unwinder,
    leaf: Position,
    stack: StackCopy<'_>,
    memory: &dyn Memory,
) -> Option<Way> {
    let sp = leaf.registers.sp();
    let records = records(unwinder, sp, stack, memory)?;
    let begin = function(unwinder, leaf.at.address_for_lookup());
    for (record, target) in &records {
        let Target::Address(caller) = *target else { continue };
        let caller = behind(caller, memory);
        let calls = begin.map(|begin| calls(unwinder, caller, begin, memory)).unwrap_or_default();
        let Some(first) = calls.first() else { continue };
        if let Some(mut way) = follow(unwinder, *record, stack) {
            way.steps.insert(0, Step { address: *first, sp });
            // Where it calls the leaf in several places, its name is right, and its line may be that of another.
            return Some(Way { certain: calls.len() == 1, ..way });
        }
    }
    // One function is left out.
    records.iter().find_map(|(record, _)| follow(unwinder, *record, stack))
}

/// The first places on the stack that may be frame records, each with what was called there.
fn records(unwinder: &Unwinder, sp: u64, stack: StackCopy<'_>, memory: &dyn Memory) -> Option<Vec<(u64, Target)>> {
    let records = (sp.checked_next_multiple_of(8)?..stack.end())
        .step_by(8)
        .filter_map(|record| Some((record, call_before(unwinder, memory, stack.word(record.wrapping_add(8))?)?)))
        .take(TRIALS);
    Some(records.collect())
}

fn function(unwinder: &Unwinder, address: u64) -> Option<u64> {
    unwinder.modules().find(address)?.function(address)
}

/// The return addresses of the calls of `leaf` in the function that begins at `caller`.
fn calls(unwinder: &Unwinder, caller: u64, leaf: u64, memory: &dyn Memory) -> Vec<u64> {
    if function(unwinder, caller) != Some(caller) {
        return Vec::new();
    }
    let mut code = vec![0; CODE as usize];
    let Ok(filled) = memory.read(caller, &mut code) else { return Vec::new() };
    let words = code.get(..filled).unwrap_or_default().windows(8).step_by(4).enumerate();
    let sites = words.filter_map(|(index, code)| {
        let next = caller.checked_add(4 * index as u64 + 8)?;
        let Some(Target::Address(target)) = called(code.try_into().ok()?, next, memory) else { return None };
        (target == leaf || behind(target, memory) == leaf).then_some(next)
    });
    sites.take_while(|next| function(unwinder, next - 1) == Some(caller)).collect()
}

/// Goes on from a frame record; `None` where that leads nowhere.
fn follow(unwinder: &mut Unwinder, record: u64, stack: StackCopy<'_>) -> Option<Way> {
    let mut steps = Vec::new();
    let end = unwinder.walk(caller(record, stack)?, stack, &mut steps);
    matches!(end, End::Root | End::Cut).then_some(Way { steps, end, certain: false })
}

/// What is called right before `address`, if it follows a call, in code that is known.
fn call_before(unwinder: &Unwinder, memory: &dyn Memory, address: u64) -> Option<Target> {
    let module = unwinder.modules().find(address)?;
    let mut code = [0; 8];
    let from = address.checked_sub(8)?;
    (module.has_code(from) && module.has_code(address)).then_some(())?;
    memory.fill(from, &mut code).then_some(())?;
    called(code, address, memory)
}

#[cfg(target_arch = "x86_64")]
fn called(code: [u8; 8], next: u64, memory: &dyn Memory) -> Option<Target> {
    let offset = i64::from(i32::from_le_bytes([code[4], code[5], code[6], code[7]]));
    if code[3] == 0xe8 {
        return Some(Target::Address(next.wrapping_add_signed(offset)));
    }
    if code[2..4] == [0xff, 0x15] {
        let mut pointer = [0; 8];
        let read = memory.fill(next.wrapping_add_signed(offset), &mut pointer);
        return Some(if read { Target::Address(u64::from_le_bytes(pointer)) } else { Target::Untold });
    }
    // A call by register or memory: opcode FF, with a 2 in the middle of the byte that follows, in two to seven bytes.
    (1..=6).any(|at| code[at] == 0xff && code[at + 1] & 0x38 == 0x10).then_some(Target::Untold)
}

#[cfg(target_arch = "aarch64")]
fn called(code: [u8; 8], next: u64, _: &dyn Memory) -> Option<Target> {
    let instruction = u32::from_le_bytes([code[4], code[5], code[6], code[7]]);
    if instruction & 0xfc00_0000 == 0x9400_0000 {
        let words = (instruction << 6).cast_signed() >> 6;
        return Some(Target::Address(next.wrapping_add_signed(i64::from(words) * 4 - 4)));
    }
    (instruction & 0xffff_fc1f == 0xd63f_0000).then_some(Target::Untold)
}

/// How far above the stack pointer a frame record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    bytes: u64,
    /// The function reserves what it needs right after it has saved registers: it moves the stack pointer no more.
    reserves: bool,
    /// How long the instructions are that do it.
    length: u64,
}

/// The size of a function's frame, once its first instructions are through.
fn frame_size(function: u64, at: u64, memory: &dyn Memory) -> Option<Size> {
    let mut code = [0; 32];
    let filled = memory.read(function, &mut code).ok()?;
    let size = pushed(&code[..filled])?;
    (at >= function.checked_add(size.length)?).then_some(size)
}

/// What a function puts below its frame record: push rbp; mov rbp, rsp; any number of pushes; then perhaps sub rsp, n.
#[cfg(target_arch = "x86_64")]
fn pushed(code: &[u8]) -> Option<Size> {
    let body = code.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(code);
    let mut rest = body.strip_prefix(&[0x55, 0x48, 0x89, 0xe5])?;
    let mut saved = 0;
    loop {
        let (bytes, reserves, after) = match rest {
            [0x50..=0x57, after @ ..] | [0x41, 0x50..=0x57, after @ ..] => {
                saved += 8;
                rest = after;
                continue;
            }
            [0x48, 0x83, 0xec, bytes @ 0..=0x7f, after @ ..] => (u64::from(*bytes), true, after),
            [0x48, 0x81, 0xec, a, b, c, d, after @ ..] => {
                (u64::from(u32::from_le_bytes([*a, *b, *c, *d])), true, after)
            }
            // It rounds the stack pointer down, by nobody knows how much.
            [0x48, 0x83 | 0x81, 0xe4, ..] => return None,
            _ => (0, false, rest),
        };
        return Some(Size { bytes: saved + bytes, reserves, length: (code.len() - after.len()) as u64 });
    }
}

/// What a call leads to, if that is one of the linker's steps to another object: adrp x16; ldr x17, [x16, n]; add; br x17.
#[cfg(target_arch = "aarch64")]
fn behind(target: u64, memory: &dyn Memory) -> u64 {
    let mut code = [0; 16];
    let read = memory.fill(target, &mut code);
    let word = |at: usize| u32::from_le_bytes([code[at], code[at + 1], code[at + 2], code[at + 3]]);
    let (page, load, end) = (word(0), word(4), word(12));
    if !read || page & 0x9f00_001f != 0x9000_0010 || load & 0xffc0_03ff != 0xf940_0211 || end != 0xd61f_0220 {
        return target;
    }
    let pages = i64::from((page >> 29 & 3 | (page >> 3 & 0x001f_fffc)) as i32) << 43 >> 43;
    let at = (target & !0xfff).wrapping_add_signed(pages << 12).wrapping_add(u64::from(load >> 10 & 0xfff) * 8);
    let mut pointer = [0; 8];
    if memory.fill(at, &mut pointer) { u64::from_le_bytes(pointer) } else { target }
}

/// On this architecture no function keeps its return address in a register.
#[cfg(target_arch = "x86_64")]
fn behind(target: u64, _: &dyn Memory) -> u64 {
    target
}

/// Where frame records lie in a frame differs on this architecture: they are searched.
#[cfg(target_arch = "aarch64")]
fn pushed(_: &[u8]) -> Option<Size> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::memory::OwnMemory;

    #[test]
    fn frames_are_measured_by_their_first_instructions() {
        // push rbp; mov rbp, rsp; push r15; push rbx; sub rsp, 0x18
        let small = [0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 0x18, 0x90];
        assert_eq!(pushed(&small), Some(Size { bytes: 16 + 0x18, reserves: true, length: 11 }));
        // endbr64; push rbp; mov rbp, rsp; sub rsp, 0x1234
        let large = [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0x34, 0x12, 0, 0];
        assert_eq!(pushed(&large), Some(Size { bytes: 0x1234, reserves: true, length: 15 }));
        // push rbp; mov rbp, rsp; push rbx; mov rbx, rdi
        let small = [0x55, 0x48, 0x89, 0xe5, 0x53, 0x48, 0x89, 0xfb];
        assert_eq!(pushed(&small), Some(Size { bytes: 8, reserves: false, length: 5 }));
        // push rbp; mov rbp, rsp; and rsp, -64
        assert_eq!(pushed(&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xc0]), None);
        assert_eq!(pushed(&[0x53, 0x48, 0x83, 0xec, 0x18]), None);
    }

    #[test]
    fn calls_are_told_from_other_code() {
        assert_eq!(called([0, 0, 0, 0xe8, 0xf0, 0xff, 0xff, 0xff], 0x1000, &OwnMemory), Some(Target::Address(0xff0)));
        let pointer = Box::new(0x4242_u64);
        let next = (&raw const *pointer as u64).wrapping_sub(0x10);
        assert_eq!(called([0, 0, 0xff, 0x15, 0x10, 0, 0, 0], next, &OwnMemory), Some(Target::Address(0x4242)));
        // call rax; call [rbx + 8]
        assert_eq!(called([0, 0, 0, 0, 0, 0, 0xff, 0xd0], 0x1000, &OwnMemory), Some(Target::Untold));
        assert_eq!(called([0, 0, 0, 0, 0, 0xff, 0x53, 0x08], 0x1000, &OwnMemory), Some(Target::Untold));
        assert_eq!(called([0x90; 8], 0x1000, &OwnMemory), None);
    }
}
