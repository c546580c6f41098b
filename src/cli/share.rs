//! `holdup share`: a recording for a bug report, without what names the program.

use super::{
    Error, Outcome,
    args::ShareArgs,
    record::{KeepError, make},
    recorded,
};
use crate::{
    number::{humanize_bytes, plural},
    record::{self, Clock, Damage, Recording, Shared, share},
};
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
};

/// Runs the subcommand: a file is written, and what came of it is said on stderr.
pub(super) fn run(args: &ShareArgs) -> Result<Outcome, Error> {
    let (from, to) = (args.file.as_path(), args.output.as_path());
    let read = |error: record::Error| Error::Recording(format!("{}: {error}", from.display()));
    let mut recording = recorded::recording(from)?;
    let clock = if args.keep_time { Clock::Kept } else { Clock::FromZero };
    let file = BufWriter::new(make(to)?);
    let written = share(&mut recording, clock, file)
        .and_then(|(file, shared)| Ok((file.into_inner().map_err(std::io::IntoInnerError::into_error)?, shared)));
    let (file, shared) = written.map_err(|error| {
        // A part of it is of no use, and nobody is to take it for the whole.
        let _ = fs::remove_file(to);
        match error {
            record::Error::Io(_) => KeepError::Share { path: to.to_owned(), error }.into(),
            _ => read(error),
        }
    })?;
    let size = file.metadata().map_or(0, |file| file.len());
    say(to, size, shared, &recording);
    Ok(Outcome::Done)
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
