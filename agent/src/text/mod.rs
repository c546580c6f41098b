//! Everything that is known, as text: for whoever looks into a log or a file because no client can come.
//!
//! It is written row by row, as it is read, and never built as a whole. No thread of the service waits for it.

mod rows;
mod runtimes;
pub(crate) mod stalls;
pub(crate) mod words;

use crate::{
    clock,
    collect::callsite::tokio_version,
    process::Process,
    runtimes::sample::{Sample, Sampler},
    settings::Detail,
    stalls::record::Stalls,
};
use std::{
    io::{self, Write},
    time::{Duration, SystemTime},
};
use words::plain;

/// What holds of a whole runtime must have been seen several times in a row to be said.
const LOOKS: usize = 4;
const BETWEEN: Duration = Duration::from_millis(50);

/// Who tells.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) process: Process,
    pub(crate) detail: Detail,
    /// How long a poll lasts that is a stall.
    pub(crate) threshold: Duration,
}

/// Writes all of it. It takes a moment: runtimes are looked at several times.
pub(crate) fn whole(out: &mut dyn Write, teller: &Teller, stalls: &Stalls) -> io::Result<()> {
    let sample = sample(teller.threshold);
    let now = clock::now();
    head(out, teller)?;
    runtimes::runtimes(out, &sample, now)?;
    stalls::all(out, &stalls.since(0).1, now)?;
    rows::locks(out, now)?;
    rows::tasks(out, teller.detail, now)?;
    rows::losses(out)?;
    writeln!(out, "\nthat is all")
}

fn sample(threshold: Duration) -> Sample {
    let mut sampler = Sampler::new(threshold);
    for _ in 1..LOOKS {
        sampler.sample(clock::now());
        std::thread::sleep(BETWEEN);
    }
    sampler.sample(clock::now())
}

fn head(out: &mut dyn Write, teller: &Teller) -> io::Result<()> {
    let Process { name, pid, executable, started_at, .. } = &teller.process;
    let at = |time: SystemTime| humantime::format_rfc3339_millis(time);
    writeln!(out, "the state of {}, process {pid}, at {}", plain(name), at(SystemTime::now()))?;
    writeln!(out, "runs {} since {}", plain(executable), at(*started_at))?;
    let tokio = tokio_version().unwrap_or("of an unknown version");
    writeln!(out, "by holdup's agent {}, tokio {tokio}, detail {}", env!("CARGO_PKG_VERSION"), teller.detail.word())
}
