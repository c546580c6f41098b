//! Whether what was made is what is promised of it.

mod bare;
mod debian;
mod same;

use crate::{
    commit::Commit,
    made::{self, Made},
    run::{self, Error, Result, at},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The largest that the binary may be.
const LARGEST: u64 = 15 << 20;

/// How long `--version` may take.
const SOON: Duration = Duration::from_millis(20);

/// One thing that is tried, and what is said of it.
type Check = fn(&Commit, &Made) -> Result<String>;

const CHECKS: [(&str, Check); 6] = [
    ("size", size),
    ("--version", version),
    ("a root with next to nothing in it", bare::check),
    ("lintian", debian::lintian),
    ("installed, removed and purged", debian::life),
    ("the same bytes once more", same::check),
];

/// Makes everything and tries all of it, whatever is wrong with some of it.
pub(crate) fn dist() -> Result<()> {
    let commit = Commit::last()?;
    let mut made = made::of(&commit, &commit.root, &commit.target, &commit.made())?;
    let mut wrong = Vec::new();
    if let Some(missing) = made.missing.take() {
        println!("no  bill of materials: {missing}");
        wrong.push("bill of materials");
    }
    for (name, check) in CHECKS {
        match check(&commit, &made) {
            Ok(said) => println!("ok  {name}: {said}"),
            Err(error) => {
                println!("no  {name}: {error}");
                wrong.push(name);
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Said(format!("not as promised: {}", wrong.join("; ")))) }
}

fn size(_: &Commit, made: &Made) -> Result<String> {
    let size = fs::metadata(&made.binary).map_err(at(&made.binary))?.len();
    let said = format!("{size} bytes of {LARGEST}");
    if size <= LARGEST { Ok(said) } else { Err(Error::Said(said)) }
}

/// The median of some, since others want the processors as well.
fn version(_: &Commit, made: &Made) -> Result<String> {
    let mut took = Vec::new();
    for _ in 0..21 {
        let began = Instant::now();
        run::printed(Command::new(&made.binary).arg("--version"))?;
        took.push(began.elapsed());
    }
    took.sort();
    let said = format!("{:?}, of {SOON:?}", took[took.len() / 2]);
    if took[took.len() / 2] <= SOON { Ok(said) } else { Err(Error::Said(said)) }
}

/// A folder of this process's own, for as long as this is kept. What is mounted in it is mounted for a child alone.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("holdup-{name}-{}", std::process::id()));
        fs::create_dir(&folder).map_err(at(&folder))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // Nobody is told: what is left is in a folder for what is left.
        let _ = fs::remove_dir_all(&self.0);
    }
}
