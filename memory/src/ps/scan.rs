//! Goes through the processes.

use super::{
    Listed, ListedCopy, Listing,
    contents::{self, Contents},
    ports, tasks,
};
use crate::bytes::{maps, proc, rights, sockets};
use rustc_hash::{FxHashMap, FxHashSet};
use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The names that tokio gives to threads, as far as the kernel keeps them.
const WORKERS: [&str; 2] = ["tokio-runtime-w", "tokio-rt-worker"];

/// A file in one state: device, inode, and when it was changed.
type Key = (u64, u64, i64, i64);

/// Whether a process has the service that consoles ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Console {
    Possible,
    Impossible,
}

/// By user number.
type Users = FxHashMap<u32, String>;

/// Lists processes, and keeps what it learns of files.
#[derive(Debug, Default)]
pub struct Lister {
    files: FxHashMap<Key, Arc<Contents>>,
    users: Users,
}

impl Lister {
    /// The processes with tokio in them, this one aside.
    ///
    /// # Errors
    ///
    /// Where `/proc` cannot be read, in words.
    pub fn list(&mut self) -> Result<Listing, String> {
        let own = std::process::id();
        let entries = fs::read_dir("/proc").map_err(|error| format!("/proc cannot be read: {error}"))?;
        let mut pids: Vec<u32> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|pid| *pid != own)
            .collect();
        pids.sort_unstable();
        let mut hidden: BTreeMap<rights::Why, usize> = BTreeMap::new();
        let mut processes = Vec::new();
        for pid in pids {
            match self.one(pid) {
                Ok(listed) => processes.extend(listed),
                // What has no memory, or no longer, is nothing that was missed.
                Err(rights::Why::Kernel | rights::Why::Ended) => {}
                Err(why) => *hidden.entry(why).or_default() += 1,
            }
        }
        tasks::count(&mut processes);
        let mut hidden: Vec<(String, usize)> =
            hidden.into_iter().map(|(why, count)| (why.short().to_owned(), count)).collect();
        hidden.dedup_by(|later, earlier| {
            later.0 == earlier.0 && {
                earlier.1 += later.1;
                true
            }
        });
        Ok(Listing { processes, hidden })
    }

    /// One process, if tokio is in it.
    fn one(&mut self, pid: u32) -> Result<Option<Listed>, rights::Why> {
        let refused = || rights::facts(pid).map_or(rights::Why::Ended, |facts| rights::why(&facts));
        let link = PathBuf::from(format!("/proc/{pid}/exe"));
        let executable = fs::read_link(&link).map_err(|_| refused())?.to_string_lossy().into_owned();
        let executable = executable.strip_suffix(" (deleted)").unwrap_or(&executable).to_owned();
        let (mut copies, mut console) = (Vec::new(), Console::Impossible);
        let mut buffer = Vec::new();
        let regions =
            proc::read_into(&format!("/proc/{pid}/maps"), &mut buffer).map(maps::parse).map_err(|_| refused())?;
        let mut seen: FxHashSet<(&str, u64)> = FxHashSet::default();
        for region in regions.iter().filter(|region| region.may.execute() && region.path.starts_with('/')) {
            if !seen.insert((&region.device, region.inode)) {
                continue;
            }
            let is_executable = region.path == executable;
            let range = &region.range;
            let path = if is_executable {
                link.clone()
            } else if region.deleted {
                PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", range.start, range.end))
            } else {
                PathBuf::from(format!("/proc/{pid}/root{}", region.path))
            };
            let contents = self.contents(&path);
            if contents.as_ref().is_some_and(|contents| contents.has_console) {
                console = Console::Possible;
            }
            copies.extend(contents.filter(|contents| contents.has_tokio).map(|contents| ListedCopy {
                object: region.path.clone(),
                version: (!contents.versions.is_empty()).then(|| contents.versions.join(", ")),
                grade: contents.grade,
                elsewhere: contents.elsewhere.clone(),
            }));
        }
        if copies.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.described(pid, executable, copies, console)))
    }

    fn described(&mut self, pid: u32, executable: String, copies: Vec<ListedCopy>, console: Console) -> Listed {
        let stat = proc::text(&format!("/proc/{pid}/stat")).as_deref().and_then(proc::stat).unwrap_or_default();
        let threads = proc::thread_ids(pid).unwrap_or_default();
        let names: Vec<(u32, String)> = threads
            .iter()
            .map(|id| (*id, proc::text(&format!("/proc/{pid}/task/{id}/comm")).unwrap_or_default()))
            .collect();
        let workers = names.iter().filter(|(_, name)| WORKERS.contains(&name.trim_end())).count();
        let listens = listens(pid);
        let serving = names.iter().filter(|_| console == Console::Possible);
        let status = proc::text(&format!("/proc/{pid}/status")).unwrap_or_default();
        let user = proc::status(&status, "Uid").and_then(|ids| ids.split_ascii_whitespace().next()?.parse().ok());
        // The same question that a read of memory asks.
        let may = File::open(format!("/proc/{pid}/mem")).is_ok();
        Listed {
            pid,
            name: crate::bytes::name(&stat.name, &executable),
            user: user.map_or_else(String::new, |user| user_name(&mut self.users, user)),
            executable,
            copies,
            workers: (workers > 0).then_some(workers),
            ports: serving.filter_map(|thread| ports::port(pid, thread, &listens)).collect(),
            tasks: Err("its memory may not be read".to_owned()),
            threads: threads.len(),
            listens: addresses(listens),
            refused: (!may).then(|| rights::refused(pid).to_string()),
        }
    }

    /// What a file has; looked at once, as long as it does not change.
    fn contents(&mut self, path: &Path) -> Option<Arc<Contents>> {
        // Opening a pipe would wait for somebody to write into it.
        let meta = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let key = (meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec());
        if let Some(known) = self.files.get(&key) {
            return Some(Arc::clone(known));
        }
        let content = crate::bytes::Content::of(&File::open(path).ok()?);
        let contents = Arc::new(content.map(|content| contents::of(&content)).unwrap_or_default());
        self.files.insert(key, Arc::clone(&contents));
        Some(contents)
    }
}

fn user_name(users: &mut Users, user: u32) -> String {
    let name = || {
        let found = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(user)).ok().flatten();
        found.map_or_else(|| user.to_string(), |found| found.name)
    };
    users.entry(user).or_insert_with(name).clone()
}

/// Where a process listens, by the descriptor.
fn listens(pid: u32) -> Vec<(i32, String)> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let own: FxHashMap<u64, i32> = descriptors
        .filter_map(|entry| {
            let inode = sockets::inode(&fs::read_link(entry.path()).ok()?)?;
            Some((inode, entry.file_name().to_str()?.parse().ok()?))
        })
        .collect();
    if own.is_empty() {
        return Vec::new();
    }
    sockets::listening(&format!("/proc/{pid}"), &own)
}

fn addresses(listens: Vec<(i32, String)>) -> Vec<String> {
    let mut all: Vec<String> = listens.into_iter().map(|(_, address)| address).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    #[test]
    fn a_process_with_tokio_in_it_is_listed_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("a.rs"), folder.path().join("like-tokio-but-small"));
        let text = "use std::{io::Read, net::TcpListener, thread::Builder};\n\
            fn main() {\n\
                let listener = TcpListener::bind(\"127.0.0.1:0\").unwrap();\n\
                let name = \"tokio-runtime-worker\";\n\
                for _ in 0..3 { Builder::new().name(name.into()).spawn(|| std::thread::park()).unwrap(); }\n\
                std::thread::sleep(std::time::Duration::from_millis(50));\n\
                println!(\"{} /tokio-1.98.7/src/\", listener.local_addr().unwrap());\n\
                let _ = std::io::stdin().read(&mut [0]);\n\
            }";
        std::fs::write(&source, text).unwrap();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        assert!(Command::new(rustc).args(["-O", "-o"]).arg(&program).arg(&source).status().unwrap().success());
        let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split(' ').next().unwrap().to_owned();
        let mut lister = Lister::default();
        let listing = lister.list().unwrap();
        let began = Instant::now();
        assert_eq!(lister.list().unwrap().processes.iter().filter(|listed| listed.pid == child.id()).count(), 1);
        // Tasks are counted for so long, and the process that was begun by then is still counted.
        let most = 4 * tasks::TIME + Duration::from_secs(1);
        assert!(began.elapsed() < most, "{:?}", began.elapsed());
        child.kill().unwrap();
        child.wait().unwrap();
        let found = listing.processes.iter().find(|listed| listed.pid == child.id()).unwrap();
        assert_eq!((&*found.name, found.workers, found.threads), ("like-tokio-but-small", Some(3), 4));
        assert_eq!((&found.listens, &found.refused), (&vec![address], &None));
        assert_eq!(found.copies.len(), 1);
        assert_eq!(found.copies[0].version.as_deref(), Some("1.98.7"));
        assert!(listing.processes.iter().all(|listed| listed.pid != std::process::id() && listed.pid != 1));
    }
}
