//! `holdup mcp`: tools for an assistant, on stdin and stdout.

use super::{
    Error, Outcome,
    args::{CredentialArgs, McpArgs},
    config::Config,
    log, targets, watch,
};
use crate::mcp::{self, Plan};
use std::{ffi::OsString, path::PathBuf};

/// Runs the subcommand until the assistant hangs up.
pub(super) fn run(args: &McpArgs, mut config: Config) -> Result<Outcome, Error> {
    config.apply_credentials(args.credentials.clone());
    config.apply_files(&args.files);
    let targets = targets::all(&args.targets, args.list.as_deref())?;
    config.check_credentials_for(targets.iter().map(|listed| &listed.target))?;
    log::start(&config.log, |text| log::on_stderr(&text))?;
    let plan = Plan {
        program: std::env::current_exe().map_err(Error::Program)?,
        options: options(args),
        targets: targets.iter().map(|listed| listed.target.to_string()).collect(),
    };
    let runtime = super::runtime()?;
    let served = runtime.block_on(mcp::serve(plan, watch::asked_to_stop()));
    // Nobody can take back that stdin is read.
    runtime.shutdown_background();
    served.map(|()| Outcome::Done).map_err(Error::Mcp)
}

/// What each command is given besides what it looks at.
fn options(args: &McpArgs) -> Vec<OsString> {
    let CredentialArgs { token_file, ca, cert, key, server_name } = &args.credentials;
    let files: [(&str, &Option<PathBuf>); 5] = [
        ("--token-file", token_file),
        ("--ca", ca),
        ("--cert", cert),
        ("--key", key),
        ("--config", &args.files.config),
    ];
    let files = files.into_iter().filter_map(|(option, file)| Some((option, file.as_ref()?.into())));
    let name = server_name.iter().map(|name| ("--server-name", name.into()));
    files.chain(name).flat_map(|(option, value): (&str, OsString)| [option.into(), value]).collect()
}
