//! Writes an executable that is nothing but debug information and symbols, of any size: functions of 16 bytes each, each on a line of
//! its own.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
    path::Path,
};

/// A function that was written.
pub(crate) struct Known {
    /// Of its last instruction.
    pub(crate) address: u64,
    pub(crate) name: String,
    pub(crate) line: u32,
}

/// What was written.
pub(crate) struct Written {
    /// Of debug information.
    pub(crate) bytes: u64,
    /// The last address and one.
    pub(crate) end: u64,
    /// In a small unit after many others.
    pub(crate) small: Known,
    /// At the end of a unit that is half of all.
    pub(crate) huge: Known,
    /// In a unit that is not in the table of units.
    pub(crate) untold: Known,
    /// In a unit that has too many kinds of entries; its name is that of its symbol.
    pub(crate) odd: Known,
}

/// Bytes of a function's entry.
const ENTRY: usize = 1 + 9 + 8 + 4;
/// Bytes of a function's code.
const CODE: u64 = 16;
/// Where code begins.
const START: u64 = 0x10_0000;

/// A unit, before it is written.
struct Unit {
    base: u64,
    functions: u32,
    kinds: u32,
    lines: u32,
}

#[derive(Default)]
struct Sections {
    /// Name, type, link, offset, size, and size of an entry.
    headers: Vec<(&'static str, u32, u32, u64, u64, u64)>,
}

impl Unit {
    fn end(&self) -> u64 {
        self.base + CODE * u64::from(self.functions)
    }

    fn last(&self) -> Known {
        let index = self.functions - 1;
        Known { address: self.end() - 1, name: name(self.base, index), line: index + 1 }
    }

    /// The header and all entries.
    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        // Without the length itself: version, kinds, size of an address; the unit's entry; all others; the end of them.
        let root = [&[1][..], b"/build\0", &self.base.to_le_bytes(), &(self.end() - self.base).to_le_bytes()].concat();
        let len = 7 + root.len() + 4 + ENTRY * self.functions as usize + 1;
        out.write_all(&u32::try_from(len).expect("less than 4 GB").to_le_bytes())?;
        out.write_all(&4_u16.to_le_bytes())?;
        out.write_all(&self.kinds.to_le_bytes())?;
        out.write_all(&[8])?;
        out.write_all(&root)?;
        out.write_all(&self.lines.to_le_bytes())?;
        for index in 0..self.functions {
            out.write_all(&[2])?;
            out.write_all(name(self.base, index).as_bytes())?;
            out.write_all(&[0])?;
            out.write_all(&(self.base + CODE * u64::from(index)).to_le_bytes())?;
            out.write_all(&(CODE as u32).to_le_bytes())?;
        }
        out.write_all(&[0])
    }

    /// Its lines: one row for each function, and the end.
    fn lines(&self) -> Vec<u8> {
        // Bytes of an instruction, instructions of an operation, whether each row is a statement; a step is from 0 lines on, of 2; the
        // first opcode of a step, and how long those before it are.
        let mut files = vec![1, 1, 1, 0, 2, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
        files.extend(b"src\0\0large.rs\0\x01\0\0\0");
        let mut program = vec![0, 9, 2];
        program.extend(self.base.to_le_bytes());
        // The row of the first; each of the others is 16 bytes and one line on.
        program.push(1);
        program.extend(std::iter::repeat_n(13 + 1 + 2 * CODE as u8, self.functions as usize - 1));
        program.extend([2, CODE as u8, 0, 1, 1]);
        let mut bytes =
            u32::try_from(2 + 4 + files.len() + program.len()).expect("less than 4 GB").to_le_bytes().to_vec();
        bytes.extend(4_u16.to_le_bytes());
        bytes.extend((files.len() as u32).to_le_bytes());
        bytes.extend(files);
        bytes.extend(program);
        bytes
    }
}

/// Eight letters.
fn name(base: u64, index: u32) -> String {
    let number = (base - START) / CODE + u64::from(index);
    format!("f{number:07x}")
}

impl Sections {
    /// Notes the section that was written last.
    fn add(&mut self, name: &'static str, kind: u32, link: u32, entry: u64, offset: u64, out: &mut BufWriter<File>) {
        let size = out.stream_position().expect("a place") - offset;
        self.headers.push((name, kind, link, offset, size, entry));
    }
}

/// How the entries of a unit are written; with so many more kinds that are not used.
fn kinds(more: u32) -> Vec<u8> {
    let mut bytes = vec![1, 0x11, 1, 0x1b, 8, 0x11, 1, 0x12, 7, 0x10, 0x17, 0, 0];
    bytes.extend([2, 0x2e, 0, 3, 8, 0x11, 1, 0x12, 6, 0, 0]);
    for code in 3..3 + more {
        // In seven bits a byte, as all numbers here.
        bytes.extend([0x80 | (code & 0x7f) as u8, 0x80 | (code >> 7 & 0x7f) as u8, (code >> 14) as u8]);
        bytes.extend([0x2e, 0, 3, 8, 0, 0]);
    }
    bytes.push(0);
    bytes
}

/// Writes about so many bytes of debug information.
pub(crate) fn write(path: &Path, bytes: usize) -> Written {
    let mut out = BufWriter::new(File::create(path).expect("a file"));
    out.write_all(&[0; 64]).expect("room");
    let (plain, odd) = (kinds(0), kinds(20_000));
    let small = (bytes / 2 / (ENTRY * 2_000)) as u32;
    let mut units: Vec<Unit> = Vec::new();
    let sizes = std::iter::repeat_n(2_000, small as usize).chain([(bytes / 2 / ENTRY) as u32, 100, 100]);
    let mut base = START;
    for (index, functions) in sizes.enumerate() {
        let kinds = if index == small as usize + 2 { plain.len() as u32 } else { 0 };
        units.push(Unit { base, functions, kinds, lines: 0 });
        base = units[index].end();
    }
    let mut sections = Sections::default();
    let at = |out: &mut BufWriter<File>| out.stream_position().expect("a place");
    let place = at(&mut out);
    for unit in &mut units {
        unit.lines = (at(&mut out) - place) as u32;
        out.write_all(&unit.lines()).expect("room");
    }
    sections.add(".debug_line", 1, 0, 0, place, &mut out);
    let place = at(&mut out);
    let mut starts = Vec::new();
    for unit in &units {
        starts.push((at(&mut out) - place) as u32);
        unit.write(&mut out).expect("room");
    }
    sections.add(".debug_info", 1, 0, 0, place, &mut out);
    let bytes = at(&mut out) - place;
    let place = at(&mut out);
    out.write_all(&[plain, odd].concat()).expect("room");
    sections.add(".debug_abbrev", 1, 0, 0, place, &mut out);
    let place = at(&mut out);
    // One unit is left out.
    for (unit, start) in units.iter().zip(&starts).filter(|(unit, _)| unit.base != units[small as usize + 1].base) {
        out.write_all(&44_u32.to_le_bytes()).expect("room");
        out.write_all(&2_u16.to_le_bytes()).expect("room");
        out.write_all(&start.to_le_bytes()).expect("room");
        out.write_all(&[8, 0, 0, 0, 0, 0]).expect("room");
        for word in [unit.base, unit.end() - unit.base, 0, 0] {
            out.write_all(&word.to_le_bytes()).expect("room");
        }
    }
    sections.add(".debug_aranges", 1, 0, 0, place, &mut out);
    let place = at(&mut out);
    // Nobody's, and then a symbol for each unit: a function of all of its code.
    out.write_all(&[0; 24]).expect("room");
    for (index, unit) in units.iter().enumerate() {
        out.write_all(&(1 + 9 * index as u32).to_le_bytes()).expect("room");
        out.write_all(&[2, 0, 1, 0]).expect("room");
        out.write_all(&unit.base.to_le_bytes()).expect("room");
        out.write_all(&(unit.end() - unit.base).to_le_bytes()).expect("room");
    }
    sections.add(".symtab", 2, 6, 24, place, &mut out);
    let place = at(&mut out);
    let names: Vec<String> = units.iter().enumerate().map(|(index, _)| format!("unit{index:04x}\0")).collect();
    out.write_all(format!("\0{}", names.concat()).as_bytes()).expect("room");
    sections.add(".strtab", 3, 0, 0, place, &mut out);
    finish(out, sections);
    let [.., huge, untold, odd] = units.as_slice() else { unreachable!("three at least") };
    let symbol = |unit: &Unit, index: usize| Known { name: format!("unit{index:04x}"), ..unit.last() };
    Written {
        bytes,
        end: base,
        small: units[small as usize - 1].last(),
        huge: huge.last(),
        untold: untold.last(),
        odd: symbol(odd, small as usize + 2),
    }
}

/// Writes the table of sections, and the file's header.
fn finish(mut out: BufWriter<File>, mut sections: Sections) {
    let place = out.stream_position().expect("a place");
    sections.add(".shstrtab", 3, 0, 0, place, &mut out);
    let mut texts = vec![0];
    let mut headers = vec![0; 64];
    let all: usize = sections.headers.iter().map(|header| header.0.len() + 1).sum();
    let last = sections.headers.len() - 1;
    sections.headers[last].4 = 1 + all as u64;
    for (name, kind, link, offset, size, entry) in &sections.headers {
        headers.extend((texts.len() as u32).to_le_bytes());
        headers.extend(kind.to_le_bytes());
        for word in [0, 0, *offset, *size] {
            headers.extend(word.to_le_bytes());
        }
        headers.extend(link.to_le_bytes());
        headers.extend([0; 4]);
        headers.extend(1_u64.to_le_bytes());
        headers.extend(entry.to_le_bytes());
        texts.extend(name.as_bytes());
        texts.push(0);
    }
    out.write_all(&texts).expect("room");
    let table = out.stream_position().expect("a place");
    out.write_all(&headers).expect("room");
    let machine: u16 = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend([2, 0]);
    header.extend(machine.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    for word in [0, 0, table] {
        header.extend(word.to_le_bytes());
    }
    header.extend(0_u32.to_le_bytes());
    for half in [64, 0, 0, 64, 1 + sections.headers.len() as u16, sections.headers.len() as u16] {
        header.extend(half.to_le_bytes());
    }
    out.rewind().expect("its beginning");
    out.write_all(&header).expect("room");
    out.flush().expect("room");
}
