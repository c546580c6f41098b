//! `holdup replay`: a recording on the screens of the live view.

use super::{
    Environment, Error, Outcome,
    choice::RecordedAt,
    config::Config,
    live::has_terminal,
    log,
    recorded::{self, instant},
};
use crate::terminal;
use std::path::PathBuf;

/// Runs it until the user quits. Several files are the pieces of one recording.
pub(super) fn run(
    files: &[PathBuf],
    at: Option<RecordedAt>,
    config: &Config,
    environment: &Environment,
) -> Result<Outcome, Error> {
    if !has_terminal() {
        return Err(Error::Recording(
            "the replay needs a terminal; without one, `holdup check FILE --at` and `holdup tree FILE --at` tell of an instant".into(),
        ));
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    log::start(&config.log, |text| drop(tell.send(text)))?;
    let (name, mut player) = match files {
        [one] => (one.file_name().unwrap_or(one.as_os_str()).to_string_lossy().into_owned(), recorded::open(one)?),
        many => (format!("{} files", many.len()), recorded::open_all(many)?),
    };
    let at = match at {
        Some(at) => Some(instant(&mut player, Some(at))?),
        None => None,
    };
    let runtime = super::runtime()?;
    let result = runtime.block_on(terminal::replay(&name, player, at, config.app(environment), told));
    runtime.shutdown_background();
    result.map(|()| Outcome::Done).map_err(Error::Terminal)
}
