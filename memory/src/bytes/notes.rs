//! The notes of a core file: threads with registers, mapped files, the auxiliary vector, what ended the process, and a grab's own.

use super::{KernelThread, Registers, facts::Facts, proc};

/// More threads and files than these are not read.
const MOST: usize = 1 << 20;

/// The processor that a core file is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    X86_64,
    Aarch64,
}

impl Machine {
    /// By the number in the header.
    pub(crate) fn of(number: u16) -> Option<Self> {
        match number {
            62 => Some(Self::X86_64),
            183 => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// The one that this was built for.
    pub(crate) fn here() -> Self {
        if cfg!(target_arch = "x86_64") { Self::X86_64 } else { Self::Aarch64 }
    }
}

/// A file that was mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) offset: u64,
    pub(crate) path: String,
}

/// What the notes say.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) threads: Vec<KernelThread>,
    pub(crate) files: Vec<Mapped>,
    pub(crate) auxv: Vec<(u64, u64)>,
    pub(crate) pid: Option<u32>,
    pub(crate) name: String,
    pub(crate) signal: Option<u32>,
    pub(crate) facts: Option<Facts>,
    /// Parts of a grab that were gone when they were to be copied.
    pub(crate) holes: Vec<(u64, u64)>,
}

pub(crate) const NAME: &[u8] = b"HOLDUP";
/// What the kernel told, and what could not be copied.
pub(crate) const FACTS: u32 = 1;
pub(crate) const HOLES: u32 = 2;
/// Kinds that kernels and debuggers write.
pub(crate) const PRSTATUS: u32 = 1;
const PRPSINFO: u32 = 3;
pub(crate) const AUXV: u32 = 6;
pub(crate) const FILE: u32 = 0x4649_4c45;
const SIGINFO: u32 = 0x5349_4749;
const ARM_TLS: u32 = 0x401;

/// Where the registers stand in the status of a thread.
pub(crate) const REGISTERS: usize = 112;

impl Notes {
    /// Takes a note in.
    pub(crate) fn take(&mut self, name: &[u8], kind: u32, text: &[u8], machine: Machine) {
        let name = name.strip_suffix(b"\0").unwrap_or(name);
        match (name, kind) {
            (b"CORE", PRSTATUS) if self.threads.len() < MOST => self.threads.extend(thread(text, machine)),
            (b"CORE", PRPSINFO) => {
                self.pid = half(text, 24);
                let name = text.get(40..56).unwrap_or_default();
                self.name =
                    String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
            }
            (b"CORE", AUXV) => self.auxv = proc::auxv(text),
            (b"CORE", FILE) => self.files = files(text).unwrap_or_default(),
            (b"CORE", SIGINFO) => self.signal = half(text, 0).filter(|signal| *signal != 0),
            // It follows the status of the thread that it is of.
            (b"LINUX", ARM_TLS) => {
                if let Some(registers) = self.threads.last_mut().and_then(|thread| thread.registers.as_mut()) {
                    registers.tp = word(text, 0);
                }
            }
            (NAME, FACTS) => self.facts = Facts::read(&String::from_utf8_lossy(text)),
            (NAME, HOLES) => {
                let pairs = text.chunks_exact(16).map_while(|pair| word(pair, 0).zip(word(pair, 8)));
                self.holes = pairs.take_while(|(start, end)| start < end).collect();
            }
            _ => {}
        }
    }
}

fn thread(text: &[u8], machine: Machine) -> Option<KernelThread> {
    let id = half(text, 32)?;
    let register = |index: usize| word(text, REGISTERS + 8 * index);
    let registers = match machine {
        Machine::X86_64 => {
            Registers { pc: register(16)?, sp: register(19)?, fp: register(4), lr: None, tp: register(21) }
        }
        Machine::Aarch64 => {
            Registers { pc: register(32)?, sp: register(31)?, fp: register(29), lr: register(30), tp: None }
        }
    };
    Some(KernelThread { id, inner_id: id, state: '?', registers: Some(registers), ..KernelThread::default() })
}

/// The status of a thread as a core file has it: what [`Notes::take`] reads.
pub(crate) fn status(id: u32, registers: Registers, machine: Machine) -> Vec<u8> {
    let count = match machine {
        Machine::X86_64 => 27,
        Machine::Aarch64 => 34,
    };
    let mut text = vec![0; REGISTERS + 8 * count + 8];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(room) = text.get_mut(at..at + bytes.len()) {
            room.copy_from_slice(bytes);
        }
    };
    put(32, &id.to_le_bytes());
    let Registers { pc, sp, fp, lr, tp } = registers;
    let placed: [(usize, Option<u64>); 4] = match machine {
        Machine::X86_64 => [(16, Some(pc)), (19, Some(sp)), (4, fp), (21, tp)],
        Machine::Aarch64 => [(32, Some(pc)), (31, Some(sp)), (29, fp), (30, lr)],
    };
    for (index, value) in placed {
        put(REGISTERS + 8 * index, &value.unwrap_or(0).to_le_bytes());
    }
    text
}

fn files(text: &[u8]) -> Option<Vec<Mapped>> {
    let (count, page) = (usize::try_from(word(text, 0)?).ok()?.min(MOST), word(text, 8)?);
    let names_at = count.checked_mul(24)?.checked_add(16)?;
    let names = text.get(names_at..)?.split(|byte| *byte == 0);
    let entry = |index: usize| {
        let at = 16 + 24 * index;
        Some((word(text, at)?, word(text, at + 8)?, word(text, at + 16)?.checked_mul(page)?))
    };
    let mapped = (0..count).zip(names).filter_map(|(index, name)| {
        let (start, end, offset) = entry(index)?;
        (start < end).then(|| Mapped { start, end, offset, path: String::from_utf8_lossy(name).into_owned() })
    });
    Some(mapped.collect())
}

/// A word of a note.
pub(crate) fn word(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

fn half(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_as_it_is_written() {
        let registers = Registers { pc: 1, sp: 2, fp: Some(3), lr: None, tp: Some(5) };
        let mut notes = Notes::default();
        notes.take(b"CORE\0", PRSTATUS, &status(77, registers, Machine::X86_64), Machine::X86_64);
        assert_eq!((notes.threads[0].id, notes.threads[0].registers), (77, Some(registers)));
        let registers = Registers { pc: 1, sp: 2, fp: Some(3), lr: Some(4), tp: None };
        notes.take(b"CORE", PRSTATUS, &status(78, registers, Machine::Aarch64), Machine::Aarch64);
        notes.take(b"LINUX", ARM_TLS, &9_u64.to_le_bytes(), Machine::Aarch64);
        assert_eq!(notes.threads[1].registers, Some(Registers { tp: Some(9), ..registers }));
    }

    #[test]
    fn a_count_that_lies_reads_no_more_than_there_is() {
        let mut text: Vec<u8> = [1_u64 << 60, 4096, 1, 2, 3].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(files(&text), None);
        text[..8].copy_from_slice(&1_u64.to_le_bytes());
        text.extend(b"/opt/x\0");
        assert_eq!(files(&text), Some(vec![Mapped { start: 1, end: 2, offset: 3 * 4096, path: "/opt/x".into() }]));
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_note_is_it_is_read(text in proptest::collection::vec(0_u8.., 0..600), kind in 0_u32..8) {
            for (name, kind) in [(&b"CORE"[..], kind), (b"CORE", FILE), (b"CORE", SIGINFO), (b"LINUX", ARM_TLS), (NAME, kind)] {
                Notes::default().take(name, kind, &text, Machine::X86_64);
                Notes::default().take(name, kind, &text, Machine::Aarch64);
            }
        }
    }
}
