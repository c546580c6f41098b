//! Man pages, completions, and a configuration to begin with.

use crate::run::{self, Error, Result, at};
use clap::CommandFactory;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// The shells, with what each calls the file of a program's completions.
pub(crate) const SHELLS: [(&str, &str); 3] = [("bash", "holdup"), ("zsh", "_holdup"), ("fish", "holdup.fish")];

/// A page for the program and one for each subcommand, into a folder.
pub(crate) fn manual(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    let mut command = holdup::cli::Args::command().disable_help_subcommand(true);
    command.build();
    page(&command, folder)?;
    command.get_subcommands().filter(|part| !part.is_hide_set()).try_for_each(|part| page(part, folder))
}

fn page(command: &clap::Command, folder: &Path) -> Result<()> {
    let source = format!("holdup {}", crate::commit::VERSION);
    let man = clap_mangen::Man::new(command.clone()).manual("holdup").source(source);
    let path = folder.join(man.get_filename());
    let mut page = Vec::new();
    man.render(&mut page).and_then(|()| fs::write(&path, page)).map_err(at(&path))
}

/// What a shell completes, for each, as the binary prints it.
pub(crate) fn completions(binary: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    for (shell, file) in SHELLS {
        let path = folder.join(file);
        let printed = run::printed(bare(binary).args(["gen-completion", shell]))?;
        fs::write(&path, printed).map_err(at(&path))?;
    }
    Ok(())
}

/// The configuration as the binary prints it where nobody has set anything.
pub(crate) fn configuration(binary: &Path, path: &Path) -> Result<()> {
    let printed = run::printed(bare(binary).arg("gen-config").env("XDG_STATE_HOME", "/state"))?;
    let text = String::from_utf8(printed).map_err(|error| Error::Said(format!("gen-config: {error}")))?;
    // Where the log goes is everybody's own.
    let text = text.replace("\ndir = ", "\n# dir = ");
    fs::write(path, text).map_err(at(path))
}

/// The binary without anything of this environment, in a folder that has no configuration.
fn bare(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir("/").env_clear().env("XDG_CONFIG_HOME", "/nowhere").stdin(Stdio::null());
    command
}
