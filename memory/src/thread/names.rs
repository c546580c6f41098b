//! Names of functions on stacks, kept from one reader to the next: threads sleep at the same places all day, and to name one in a
//! gigabyte of debug information takes longer than all the rest of a look.
//!
//! One file for a build, of lines: what it is of, then each address with its functions. It is the user's own, and still each line is
//! checked; what is damaged is named anew.

use crate::debug::Cache;
use holdup_stack::{
    frame::Frame,
    symbolize::{Keeper, Origin},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

/// Raised when lines have another form.
const VERSION: u32 = 1;
/// Smaller files are as soon read again.
const LEAST: u64 = 1 << 20;
/// More is neither kept nor read.
const MOST: usize = 4 << 20;
/// A file that was written is not written again so soon.
const PAUSE: Duration = Duration::from_secs(10);

/// Those of all builds that were looked at.
pub(super) struct Names {
    cache: Cache,
    /// When each was written.
    written: BTreeMap<String, Instant>,
}

impl Names {
    pub(super) fn new(cache: Cache) -> Self {
        Self { cache, written: BTreeMap::new() }
    }
}

impl Keeper for Names {
    fn recall(&mut self, of: &Origin) -> Vec<(u64, Vec<Frame>)> {
        let path = (of.bytes >= LEAST).then(|| self.cache.get(&name(of))).flatten();
        let Some(path) = path.filter(|path| path.metadata().is_ok_and(|file| file.len() <= MOST as u64)) else {
            return vec![];
        };
        fs::read_to_string(path).ok().and_then(|text| read(&text, of)).unwrap_or_default()
    }

    fn keep(&mut self, of: &Origin, named: &[(u64, Arc<[Frame]>)]) {
        let name = name(of);
        if of.bytes < LEAST || self.written.get(&name).is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        let text = written(of, named);
        let put = |file: &mut File| file.write_all(text.as_bytes());
        // What cannot be kept is named again.
        let _: io::Result<_> = self.cache.put(&name, put);
        self.written.insert(name, Instant::now());
    }
}

fn name(of: &Origin) -> String {
    let digits = of.build_id.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    format!("{digits}.{VERSION}.names")
}

fn head(of: &Origin) -> String {
    format!("holdup names {VERSION} {} {}", name(of), of.bytes)
}

fn written(of: &Origin, named: &[(u64, Arc<[Frame]>)]) -> String {
    let mut text = head(of);
    let whole = |text: &str| !text.contains(['\n', '\t']);
    for (address, frames) in named {
        if text.len() > MOST / 2 || !frames.iter().all(|frame| whole(&frame.function) && whole(&frame.file)) {
            continue;
        }
        let _ = write!(text, "\n{address:x}");
        for Frame { function, file, line, column, inlined, .. } in &**frames {
            let _ = write!(text, "\t{}\t{line}\t{column}\t{file}\t{function}", u8::from(*inlined));
        }
    }
    text.push_str("\nend\n");
    text
}

/// `None` where it is damaged, or of another file.
fn read(text: &str, of: &Origin) -> Option<Vec<(u64, Vec<Frame>)>> {
    let lines = text.strip_prefix(&head(of))?.strip_suffix("\nend\n")?;
    lines.split('\n').skip(1).map(one).collect()
}

fn one(line: &str) -> Option<(u64, Vec<Frame>)> {
    let mut parts = line.split('\t');
    let address = u64::from_str_radix(parts.next()?, 16).ok()?;
    let mut frames = vec![];
    while let Some(inlined) = parts.next() {
        frames.push(Frame {
            inlined: inlined == "1",
            line: parts.next()?.parse().ok()?,
            column: parts.next()?.parse().ok()?,
            file: parts.next()?.into(),
            function: parts.next()?.into(),
            address: 0,
            offset: 0,
            module: Arc::default(),
        });
    }
    (!frames.is_empty()).then_some((address, frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str, line: u32) -> Frame {
        let inlined = line.is_multiple_of(2);
        let (function, file) = (function.into(), file.into());
        Frame { function, file, line, column: 7, inlined, address: 0, offset: 0, module: "".into() }
    }

    fn some() -> Vec<(u64, Arc<[Frame]>)> {
        let inner = [frame("a::b<C, D>", "/src/a.rs", 4), frame("", "", 0)];
        vec![(0x1234, inner.into()), (0xffff_ffff_ffff_ffff, [frame("main", "src/main.rs", 3)].into())]
    }

    fn origin() -> Origin {
        Origin { build_id: vec![0xab, 0x01], bytes: 5 << 20 }
    }

    #[test]
    fn what_was_kept_is_recalled() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("cache"));
        let mut names = Names::new(cache.clone());
        assert!(names.recall(&origin()).is_empty());
        names.keep(&origin(), &some());
        let told = |names: &mut Names, of: &Origin| {
            names.recall(of).into_iter().map(|(at, frames)| (at, frames.into())).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut Names::new(cache), &origin()), some());
        // Of a file that was stripped since, and of another build, nothing was kept.
        assert!(told(&mut names, &Origin { bytes: 4 << 20, ..origin() }).is_empty());
        assert!(told(&mut names, &Origin { build_id: vec![1], ..origin() }).is_empty());
        // Not written again at once.
        names.keep(&origin(), &[]);
        assert_eq!(told(&mut names, &origin()), some());
    }

    #[test]
    fn small_files_are_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let of = Origin { bytes: LEAST - 1, ..origin() };
        Names::new(Cache::new(directory.path().to_owned())).keep(&of, &some());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_damaged_is_not_believed() {
        let text = written(&origin(), &some());
        assert_eq!(read(&text, &origin()).map(|all| all.len()), Some(2));
        for end in 0..text.len() {
            assert_eq!(read(&text[..end], &origin()), None);
        }
        assert_eq!(read(&text.replace("\t7\t", "\tseven\t"), &origin()), None);
        assert_eq!(read(&text.replace("1234", "12 34"), &origin()), None);
    }

    #[test]
    fn a_name_that_would_break_a_line_is_left_out() {
        let named = [(1, Arc::from([frame("odd\tname", "", 1)])), (2, Arc::from([frame("even", "", 1)]))];
        let all = read(&written(&origin(), &named), &origin()).unwrap();
        assert_eq!(all.iter().map(|one| one.0).collect::<Vec<_>>(), [2]);
    }
}
