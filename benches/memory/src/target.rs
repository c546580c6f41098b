//! The processes that are read, and what the kernel tells of them and of this one.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Why something could not be measured.
pub(crate) type Failure = Box<dyn std::error::Error>;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the victims, built for release with full debug information.
pub(crate) fn built() -> Result<PathBuf, Failure> {
    let target = root().join("target/victims");
    let to = target.to_str().ok_or("a path that is no text")?;
    cargo(&root().join("tests/memory/victims"), &["build", "--quiet", "--locked", "--release", "--target-dir", to])?;
    Ok(target.join("release"))
}

/// Runs cargo in a folder.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder).args(arguments);
    // Not what the workspace sets for everything below it.
    cargo.env("RUSTFLAGS", "").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_TARGET_DIR");
    if cargo.status()?.success() { Ok(()) } else { Err(format!("{} was not built", folder.display()).into()) }
}

/// A victim that runs; it ends with its stdin.
pub(crate) struct Target {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Target {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Result<Self, Failure> {
        Self::of(&built()?.join(program), arguments)
    }

    pub(crate) fn of(program: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let mut target = Self { child, stdin, stdout: BufReader::new(stdout) };
        let mut line = String::new();
        target.stdout.read_line(&mut line)?;
        if line.starts_with("ready") { Ok(target) } else { Err(format!("not ready: {line}").into()) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines of its truth.
    pub(crate) fn truth(&mut self) -> Result<Vec<String>, Failure> {
        writeln!(self.stdin.as_mut().ok_or("no stdin")?, "truth")?;
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line)? == 0 {
                return Err("it has ended".into());
            }
            if line.starts_with("{\"end\"") {
                return Ok(lines);
            }
            lines.push(line);
        }
    }

    /// Where its echo listens.
    pub(crate) fn port(&mut self) -> Result<u16, Failure> {
        let truth = self.truth()?;
        let line = truth.iter().find(|line| line.contains("\"port\"")).ok_or("no port")?;
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        Ok(digits.parse()?)
    }

    /// How many pages of it are present.
    pub(crate) fn present(&self) -> Result<u64, Failure> {
        const PAGE: u64 = 4096;
        const PRESENT: u64 = 1 << 63;
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.pid()))?;
        let pages = fs::File::open(format!("/proc/{}/pagemap", self.pid()))?;
        let mut count = 0;
        for line in maps.lines().filter(|line| !line.ends_with("[vsyscall]")) {
            let range = line.split(' ').next().and_then(|range| range.split_once('-')).ok_or("maps")?;
            let (from, to) = (u64::from_str_radix(range.0, 16)?, u64::from_str_radix(range.1, 16)?);
            let mut words = vec![0; usize::try_from((to - from) / PAGE * 8)?];
            let read = pages.read_at(&mut words, from / PAGE * 8)?;
            let words = words[..read].chunks_exact(8).filter_map(|word| word.try_into().ok());
            count += words.filter(|word| u64::from_le_bytes(*word) & PRESENT != 0).count() as u64;
        }
        Ok(count)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Kilobytes of this process, by the kernel's name of them.
pub(crate) fn own(name: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

/// Processor time of this process, in hundredths of a second.
pub(crate) fn cpu() -> Result<u64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).ok_or("stat");
    Ok(field(11)? + field(12)?)
}

/// Bytes of all sections of debug information of a file.
pub(crate) fn debug_information(file: &Path) -> Result<u64, Failure> {
    let output = Command::new("objdump").args(["-h", "-w"]).arg(file).output();
    let text = String::from_utf8(output.map_err(|error| format!("objdump of binutils is needed: {error}"))?.stdout)?;
    let sizes = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        words.next().filter(|name| name.starts_with(".debug_"))?;
        u64::from_str_radix(words.next()?, 16).ok()
    });
    Ok(sizes.sum())
}
