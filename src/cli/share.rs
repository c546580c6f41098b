//! `holdup share`: a recording for a bug report, without what names the program.

use super::{
    Error, Outcome,
    args::ShareArgs,
    record::{KeepError, make},
    recorded,
};
use crate::{
    number::{humanize_bytes, plural},
    record::{Clock, Damage, Recording, Shared, share},
};
use std::{
    cell::Cell,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

/// Runs the subcommand: a file is written, and what came of it is said on stderr.
pub(super) fn run(args: &ShareArgs) -> Result<Outcome, Error> {
    let to = args.output.as_path();
    let mut recording = recorded::pieces(&args.recording)?;
    let clock = if args.keep_time { Clock::Kept } else { Clock::FromZero };
    let could_be_written = Cell::new(true);
    let file = Output { file: BufWriter::new(make(to)?), could_be_written: &could_be_written };
    let written = share(&mut recording, clock, file).and_then(|(mut output, shared)| {
        output.flush()?;
        Ok((output.file.get_ref().metadata().map_or(0, |file| file.len()), shared))
    });
    let (size, shared) = written.map_err(|error| {
        // A part of it is of no use, and nobody is to take it for the whole.
        let _ = fs::remove_file(to);
        if could_be_written.get() {
            Error::Recording(format!("{}: {error}", recorded::names(&args.recording)))
        } else {
            KeepError::Share { path: to.to_owned(), error }.into()
        }
    })?;
    say(to, size, shared, &recording);
    Ok(Outcome::Done)
}

/// Where it is written to: an error of it is not one of the recording.
struct Output<'a> {
    file: BufWriter<File>,
    could_be_written: &'a Cell<bool>,
}

impl Output<'_> {
    fn noting<T>(&mut self, act: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>) -> io::Result<T> {
        act(&mut self.file).inspect_err(|_| self.could_be_written.set(false))
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.noting(|file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.noting(Write::flush)
    }
}

/// Says what was shared, and what was not.
fn say(to: &Path, size: u64, shared: Shared, recording: &Recording) {
    let Shared { updates, left_out: Damage { segments, messages, bytes } } = shared;
    let damaged = [(segments, "segment"), (messages, "message"), (bytes, "byte")];
    let damaged: Vec<String> =
        damaged.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(count, what)).collect();
    let mut lines = vec![format!("shared {}: {}, {}", plural(updates, "update"), to.display(), humanize_bytes(size))];
    if !damaged.is_empty() {
        lines.push(format!("left out, since it is damaged: {}", damaged.join(", ")));
    }
    if !recording.is_closed() {
        lines.push("the recording was not closed: what it had so far is shared".to_owned());
    }
    // Nobody who cannot be told needs to be.
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}
