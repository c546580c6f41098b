//! `holdup ps`: the Tokio processes of this machine, and what can be read of each.

use super::{Error, Outcome, args::PsArgs, out};
use crate::report::{ProcessList, processes};

/// Runs the subcommand.
pub(super) fn run(args: &PsArgs) -> Result<Outcome, Error> {
    let listed = crate::source::processes().map_err(Error::Processes)?;
    let list = ProcessList::new(listed);
    out::print(&if args.json { list.to_json() } else { processes::render(&list) })?;
    Ok(Outcome::Done)
}
