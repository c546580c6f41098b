//! `holdup grab`: what an analysis needs of a process's memory, written to a file in about a second, before the restart.

use super::{Error, Outcome, args::GrabArgs, out, record::is_free};
use crate::{
    diagnose::humanize_bytes,
    number::humanize,
    source::{self, Target},
};
use std::fmt::Write;

/// Runs the subcommand.
pub(super) fn run(args: &GrabArgs) -> Result<Outcome, Error> {
    let most = args.most.map_or(source::GRAB_MOST, |most| most.0 as u64);
    let pid = match &args.target {
        Target::Pid(pid) => *pid,
        Target::Name(name) => source::process_called(name).map_err(Error::Grab)?,
        other => return Err(Error::NoProcess(other.clone())),
    };
    let path = args.output.clone().unwrap_or_else(|| format!("{pid}.grab").into());
    is_free(&path)?;
    let grabbed = source::grab(pid, &path, most).map_err(Error::Grab)?;
    let mut said = format!(
        "{}: {} of memory of process {pid}, {} threads, in {}\n\
         It contains memory, and so whatever secrets the process has: nobody but you may read it (mode 0600).\n",
        path.display(),
        humanize_bytes(grabbed.memory),
        grabbed.threads,
        humanize(grabbed.took)
    );
    for left in &grabbed.left_out {
        let _ = writeln!(said, "left out: {left}");
    }
    let _ = writeln!(said, "Open it anywhere: holdup core {}", path.display());
    out::print(&said)?;
    Ok(Outcome::Done)
}
