//! `holdup layout`: what is needed of gigabytes of debug information, in megabytes: made once, and shipped beside a stripped binary.

use super::{Error, Outcome, args::LayoutArgs, out, record::is_free};
use crate::{
    diagnose::humanize_bytes,
    number::{grouped, humanize},
    source,
};
use std::{path::PathBuf, time::Instant};

/// Runs the subcommand.
pub(super) fn run(args: &LayoutArgs) -> Result<Outcome, Error> {
    let to = args.output.clone().unwrap_or_else(|| {
        let name = args.executable.file_name().map_or_else(|| "a".into(), std::ffi::OsStr::to_os_string);
        PathBuf::from(name).with_extension("layout")
    });
    is_free(&to)?;
    let began = Instant::now();
    let written = source::layout(&args.executable, &to).map_err(Error::Layout)?;
    out::print(&format!(
        "{}: {} types in {}, made in {}\nGive it to holdup with --layout where the executable is stripped.\n",
        to.display(),
        grouped(written.types as u64),
        humanize_bytes(written.bytes),
        humanize(began.elapsed())
    ))?;
    Ok(Outcome::Done)
}
