//! A process that ends with whoever started it, and what is seen of it from outside.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, BufRead as _, BufReader},
    process::{self, ChildStdout, Command, Stdio},
};

/// This program once more, as something else.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    lines: io::Lines<BufReader<ChildStdout>>,
}

/// What a process has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Resident memory, in bytes.
    pub resident: u64,
    /// File descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
}

impl Child {
    /// Starts it. It should end with its stdin.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn start(words: &[&str]) -> io::Result<Self> {
        Self::start_with(words, &[])
    }

    /// The same with these variables of an agent's, and no other ones.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn start_with(words: &[&str], environment: &[(&str, OsString)]) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOLDUP_")) {
            command.env_remove(name);
        }
        command
            .args(words)
            .env_remove("RUST_LOG")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().ok_or_else(|| io::Error::other("it is piped"))?;
        Ok(Self { process, lines: BufReader::new(stdout).lines() })
    }

    /// The next of its lines that can be read as this.
    ///
    /// # Errors
    ///
    /// Where it ends first.
    pub fn says<T>(&mut self, read: impl Fn(&str) -> Option<T>) -> io::Result<T> {
        loop {
            let line = self.lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
            if let Some(said) = read(&line) {
                return Ok(said);
            }
        }
    }

    /// Tells it to end. What it still says can be read.
    pub fn end(&mut self) {
        drop(self.process.stdin.take());
    }

    /// What it has now.
    ///
    /// # Errors
    ///
    /// Where it has ended.
    pub fn seen(&self) -> io::Result<Seen> {
        let at = format!("/proc/{}", self.process.id());
        let status = fs::read_to_string(format!("{at}/status"))?;
        let number = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            number.ok_or_else(|| io::Error::other(format!("it tells no {key}")))
        };
        let descriptors = fs::read_dir(format!("{at}/fd"))?.count() as u64;
        Ok(Seen { resident: number("VmRSS:")? << 10, descriptors, threads: number("Threads:")? })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
