//! The same works by an executable that is built without any of tokio's instrumentation: what a service costs that knows of none.

use crate::work::Work;
use std::{env, path::PathBuf, process::Command, sync::OnceLock};

/// Does a work once.
pub(crate) fn run(work: Work, scale: usize) -> Result<f64, String> {
    let output = Command::new(built()?)
        .args([work.done(), &scale.to_string()])
        .output()
        .map_err(|error| format!("cannot start it: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)))
}

/// The executable, built when it is asked for first.
fn built() -> Result<&'static PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).as_ref().map_err(Clone::clone)
}

fn build() -> Result<PathBuf, String> {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("bare");
    let executable = env::current_exe().map_err(|error| error.to_string())?;
    let target =
        executable.parent().and_then(|profile| profile.parent()).ok_or("there is no target folder")?.join("bare");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--release", "--target-dir"])
        .arg(&target)
        .current_dir(sources)
        // Without the flags of the workspace's configuration.
        .env("RUSTFLAGS", "")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(target.join("release/bare")) } else { Err("it cannot be built".to_owned()) }
}
