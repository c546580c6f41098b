//! What stands in a file: whether tokio is in it, in which version, and what its debug information gives. Sections alone are looked at.

use crate::Grade;
use memchr::memmem::Finder;
use object::{
    Endianness, FileKind, Object, ObjectSection,
    elf::FileHeader64,
    read::elf::{ElfFile64, FileHeader, ProgramHeader},
};

/// More than this of one file is not searched.
const MOST_BYTES: usize = 1 << 30;
/// Sections larger than this are not unpacked.
const MOST_UNPACKED: u64 = 64 << 20;
/// More versions in one file are not told.
const MOST_VERSIONS: usize = 4;

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Contents {
    /// Versions of tokio; empty if it has none, or does not tell.
    pub(crate) versions: Vec<String>,
    /// Whether tokio is in it.
    pub(crate) has_tokio: bool,
    /// Whether the service is in it that consoles ask.
    pub(crate) has_console: bool,
    pub(crate) grade: Grade,
    pub(crate) elsewhere: Option<String>,
}

/// Looks at a file.
pub(crate) fn of(content: &[u8]) -> Contents {
    if !matches!(FileKind::parse(content), Ok(FileKind::Elf64)) {
        return Contents::default();
    }
    let Ok(file) = ElfFile64::<Endianness>::parse(content) else { return Contents::default() };
    let mut contents = Contents::default();
    for data in constants(&file, content) {
        search(data, &mut contents);
    }
    if contents.has_tokio {
        (contents.grade, contents.elsewhere) = grade(&file);
    }
    contents
}

/// The constant data: a section, or what is loaded as such, where there are no sections.
fn constants<'a>(file: &ElfFile64<'a, Endianness>, content: &'a [u8]) -> Vec<&'a [u8]> {
    let whole = |data: &'a [u8]| data.get(..data.len().min(MOST_BYTES)).unwrap_or_default();
    if let Some(data) = file.section_by_name(".rodata").and_then(|section| section.data().ok()) {
        return vec![whole(data)];
    }
    let endian = file.endian();
    let headers = FileHeader64::<Endianness>::parse(content).and_then(|header| header.program_headers(endian, content));
    let loaded = headers.unwrap_or_default().iter().filter(|header| header.p_type(endian).0 == 1).take(64);
    loaded.filter_map(|header| header.data(endian, content).ok()).map(whole).collect()
}

/// Paths such as `/tokio-1.54.1/src/` stand in messages of panics; the workers' name stands where a runtime is built.
fn search(data: &[u8], contents: &mut Contents) {
    contents.has_console = contents.has_console || Finder::new(b"rs.tokio.console.instrument").find(data).is_some();
    let path = Finder::new(b"/tokio-");
    for at in path.find_iter(data) {
        let Some(version) = data.get(at + 7..).and_then(version) else { continue };
        contents.has_tokio = true;
        if !contents.versions.contains(&version) {
            contents.versions.push(version);
        }
        if contents.versions.len() >= MOST_VERSIONS {
            return;
        }
    }
    let names = ["tokio-runtime-worker", "tokio-rt-worker", "tokio/src/runtime/"];
    contents.has_tokio = contents.has_tokio || names.iter().any(|name| Finder::new(name).find(data).is_some());
}

/// The first version of tokio that stands in a path here.
pub(crate) fn version_in(data: &[u8]) -> Option<String> {
    Finder::new(b"/tokio-").find_iter(data).find_map(|at| version(data.get(at + 7..)?))
}

/// `1.54.1` of `1.54.1/src/…`.
fn version(text: &[u8]) -> Option<String> {
    let end = text.iter().take(40).position(|byte| *byte == b'/')?;
    let version = std::str::from_utf8(text.get(..end)?).ok()?;
    let is_one = version.starts_with(|first: char| first.is_ascii_digit())
        && version.contains('.')
        && version.chars().all(|character| character.is_ascii_alphanumeric() || ".-+".contains(character));
    (is_one && text.get(end..)?.starts_with(b"/src/")).then(|| version.to_owned())
}

fn grade(file: &ElfFile64<'_, Endianness>) -> (Grade, Option<String>) {
    let link = file.gnu_debuglink().ok().flatten().map(|(name, _)| String::from_utf8_lossy(name).into_owned());
    let has = |name| file.section_by_name(name).is_some();
    if !has(".debug_info") {
        return (if has(".symtab") { Grade::Symbols } else { Grade::Stripped }, link);
    }
    let section = file.section_by_name(".debug_abbrev");
    let abbreviations = section.and_then(|section| {
        let size = section.compressed_file_range().ok()?.uncompressed_size;
        (size <= MOST_UNPACKED).then(|| section.uncompressed_data().ok()).flatten()
    });
    let kinds = kinds(&abbreviations.unwrap_or_default());
    match kinds {
        Kinds { variants: true, .. } => (Grade::Full, link),
        Kinds { skeletons: true, .. } => (Grade::Full, Some("split".into())),
        _ => (Grade::Lines, link),
    }
}

/// What kinds of entries there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Kinds {
    /// Enums with data and coroutines, which only full information has.
    variants: bool,
    /// Units whose information is in files of their own.
    skeletons: bool,
}

/// Goes through the abbreviations: a small section that names every kind of entry once for each unit that has any.
fn kinds(abbreviations: &[u8]) -> Kinds {
    const VARIANT_PART: u64 = 0x33;
    const SKELETON_UNIT: u64 = 0x4a;
    const DWO_NAMES: [u64; 2] = [0x76, 0x2130];
    const IMPLICIT_CONST: u64 = 0x21;
    let mut kinds = Kinds::default();
    let mut rest = abbreviations;
    while !kinds.variants {
        let Some(code) = number(&mut rest) else { break };
        // The end of a table.
        if code == 0 {
            continue;
        }
        let Some(kind) = number(&mut rest) else { break };
        kinds.variants |= kind == VARIANT_PART;
        kinds.skeletons |= kind == SKELETON_UNIT;
        rest = rest.get(1..).unwrap_or_default();
        while let (Some(name), Some(form)) = (number(&mut rest), number(&mut rest)) {
            if form == IMPLICIT_CONST {
                let _ = number(&mut rest);
            }
            kinds.skeletons |= DWO_NAMES.contains(&name);
            if (name, form) == (0, 0) {
                break;
            }
        }
    }
    kinds
}

/// A number of seven bits a byte.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_paths() {
        let mut contents = Contents::default();
        search(
            b"xx/tokio-util-0.7.1/src/ /tokio-1.54.1/src/runtime /tokio-1.54.1/src/time /tokio-1.x y/src/",
            &mut contents,
        );
        assert_eq!((contents.versions, contents.has_tokio), (vec!["1.54.1".to_owned()], true));
        assert_eq!(version_in(b"/tokio-rustls-0.26.0/src/a.rs /tokio-1.54.1/src/b.rs").as_deref(), Some("1.54.1"));
        assert_eq!(version_in(b"/tokio-1.54.1"), None);
        let mut contents = Contents::default();
        search(b"a /tokio- tokio-runtime-worker", &mut contents);
        assert!(contents.versions.is_empty() && contents.has_tokio);
        let mut contents = Contents::default();
        search(b"a /tokio-util-0.7/src/ /tokio-", &mut contents);
        assert_eq!(contents, Contents::default());
    }

    #[test]
    fn this_test_has_lines_and_no_tokio() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let file = ElfFile64::<Endianness>::parse(&*own).unwrap();
        assert_eq!(grade(&file), (Grade::Lines, None));
        assert_eq!(of(b"hello"), Contents::default());
    }

    #[test]
    fn grades_are_told_by_sections() {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("a.rs"), folder.path().join("a"));
        std::fs::write(&source, "fn main() { println!(\"/tokio-1.99.0/src/ {:?}\", std::env::args().next()); }")
            .unwrap();
        let cases: [(&[&str], Grade); 4] = [
            (&["-Cdebuginfo=2"], Grade::Full),
            (&["-Cdebuginfo=line-tables-only"], Grade::Lines),
            (&["-Cdebuginfo=0", "-Cstrip=debuginfo"], Grade::Symbols),
            (&["-Cstrip=symbols"], Grade::Stripped),
        ];
        for (flags, grade) in cases {
            let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            let done =
                std::process::Command::new(rustc).args(flags).arg("-O").arg("-o").arg(&program).arg(&source).status();
            assert!(done.unwrap().success());
            let contents = of(&std::fs::read(&program).unwrap());
            assert_eq!((contents.grade, &*contents.versions), (grade, &["1.99.0".to_owned()][..]), "{flags:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_file_is_it_is_looked_at(noise in proptest::collection::vec(0_u8.., 0..2000)) {
            let _ = (of(&noise), kinds(&noise));
            let _ = of(&[&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &noise].concat());
        }
    }
}
