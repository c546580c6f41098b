//! The synthetic target as a process.

use crate::screen::Error;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// What the target does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Live tasks.
    pub tasks: usize,
    /// Percentage polled each second.
    pub change: f64,
    /// Ends and starts each second.
    pub churn: usize,
    /// Percentage whose future is large.
    pub flagged: f64,
    /// Where those are spawned.
    pub places: u64,
    /// Mutexes that are held by a task that sleeps.
    pub locks: usize,
    /// Tasks in each message of the first state; `None` for one message.
    pub page: Option<usize>,
}

impl Load {
    /// Whether there is anything to find.
    pub(crate) fn has_findings(&self) -> bool {
        self.flagged > 0.0 || self.locks > 0
    }
}

/// A target. It is ended when this is dropped.
pub(crate) struct Target {
    child: Child,
    /// Where it listens.
    pub url: String,
    first: Receiver<Instant>,
}

impl Target {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(program: &Path, load: &Load) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.arg("--tasks").arg(load.tasks.to_string());
        command.arg("--change").arg(load.change.to_string());
        command.arg("--churn").arg(load.churn.to_string());
        command.arg("--flagged").arg(load.flagged.to_string());
        command.arg("--places").arg(load.places.to_string());
        command.arg("--locks").arg(load.locks.to_string());
        if let Some(page) = load.page {
            command.arg("--page").arg(page.to_string());
        }
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("the target has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let (sender, first) = channel();
        std::thread::spawn(move || {
            // The only other line says that the first message is under way.
            if output.read_line(&mut String::new()).is_ok_and(|read| read > 0) {
                let _ = sender.send(Instant::now());
            }
        });
        Ok(Self { child, url, first })
    }

    /// When the first of its first message went to the client.
    pub(crate) fn first_message(&self) -> Option<Instant> {
        self.first.recv_timeout(Duration::from_secs(1)).ok()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // A target that has ended by itself cannot be ended again; that is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
