//! All of it as a file, when something critical lasts.

use crate::clock;
use std::{
    collections::HashMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

/// For one kind of alarm there is no more than one file in so long a time.
const PAUSE: Duration = Duration::from_secs(600);

/// What is in a folder is this many times what is kept, at the most.
const WINDOWS: u64 = 3;

/// What the names of such files end with.
const SUFFIX: &str = ".holdup";

/// The folder, and what was written to it.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    /// What the names of this service's files begin with.
    prefix: String,
    most: u64,
    tried: HashMap<&'static str, Instant>,
    failed: u64,
}

impl Files {
    pub(super) fn new(folder: PathBuf, service: &str, most: usize) -> Self {
        // The name of a service is no path.
        let name: String = service
            .chars()
            .map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' })
            .take(64)
            .collect();
        Self { folder, prefix: format!("{name}.past-"), most: most as u64 * WINDOWS, tried: HashMap::new(), failed: 0 }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How often nothing could be written.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// Whether there was none of this kind for long enough, which there is then.
    pub(super) fn is_time(&mut self, kind: &'static str) -> bool {
        let now = Instant::now();
        let is_time = self.tried.get(kind).is_none_or(|tried| now.duration_since(*tried) >= PAUSE);
        if is_time {
            self.tried.insert(kind, now);
        }
        is_time
    }

    /// Writes one. Older ones go where there would be too much.
    pub(super) fn write(&mut self, kind: &str, all: &[Arc<[u8]>]) -> io::Result<()> {
        let written = self.written(kind, all);
        self.failed += u64::from(written.is_err());
        written
    }

    fn written(&self, kind: &str, all: &[Arc<[u8]>]) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)?;
        self.make_room(all.iter().map(|piece| piece.len() as u64).sum())?;
        let seconds = clock::now().wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        // In the order in which they were written.
        let name = format!("{}{seconds}-{}-{kind}{SUFFIX}", self.prefix, std::process::id());
        let (path, aside) = (self.folder.join(&name), self.folder.join(format!("{name}.new")));
        let result = put(&aside, all).and_then(|()| fs::rename(&aside, &path));
        if result.is_err() {
            // What is there of it is of no use, and takes room.
            let _ = fs::remove_file(&aside);
        }
        result
    }

    /// Makes room for so many bytes.
    fn make_room(&self, more: u64) -> io::Result<()> {
        let mut ours = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = name.to_str().is_some_and(|name| {
                name.starts_with(&self.prefix) && [SUFFIX, ".holdup.new"].iter().any(|suffix| name.ends_with(suffix))
            });
            if is_ours && entry.file_type()?.is_file() {
                ours.push((entry.metadata()?.modified()?, entry.metadata()?.len(), entry.path()));
            }
        }
        ours.sort();
        let mut bytes: u64 = ours.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in ours {
            if bytes + more <= self.most {
                break;
            }
            fs::remove_file(path)?;
            bytes -= length;
        }
        Ok(())
    }
}

/// A new file that nobody but its owner may read.
fn put(path: &Path, all: &[Arc<[u8]>]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    all.iter().try_for_each(|piece| file.write_all(piece))?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(folder: &Path) -> Vec<String> {
        let entries =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        entries.collect()
    }

    #[test]
    fn files_are_their_owner_s_and_the_oldest_go_and_others_stay() {
        let folder = std::env::temp_dir().join(format!("holdup-past-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut files = Files::new(folder.clone(), "or/ders", 1_000);
        let window = [Arc::from(vec![7; 400]), Arc::from(vec![8; 500])];
        for kind in ["stall", "all-workers-stuck", "third", "fourth"] {
            assert!(files.is_time(kind) && !files.is_time(kind));
            files.write(kind, &window).unwrap();
            fs::write(folder.join("notes.holdup"), [0; 5_000]).unwrap();
        }
        let names = names(&folder);
        assert_eq!(names.len(), 4, "three of them, and one that is somebody else's: {names:?}");
        assert!(names.iter().filter(|name| name.starts_with("or_ders.past-")).count() == 3, "{names:?}");
        let one = names.iter().find(|name| name.ends_with("-fourth.holdup")).expect("the latest");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(one))), (0o700, 0o600));
        assert_eq!(fs::metadata(folder.join(one)).unwrap().len(), 900);
        fs::remove_dir_all(&folder).unwrap();
        fs::write(&folder, "a file").unwrap();
        assert!(files.write("fifth", &window).is_err());
        assert_eq!(files.failed(), 1);
        fs::remove_file(&folder).unwrap();
    }
}
