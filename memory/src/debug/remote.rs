//! Debug information from a server that keeps it by build id (debuginfod): asked only if the user's environment names one.

use super::{BuildId, Cache};
use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
    time::Duration,
};

/// No file is longer.
const LONGEST: u64 = 8 << 30;
/// How long an answer may take to begin, and as a whole.
const CONNECT: Duration = Duration::from_secs(5);
const BEGIN: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(300);

/// The servers that the environment names.
pub(super) fn servers() -> Vec<String> {
    let named = std::env::var("DEBUGINFOD_URLS").unwrap_or_default();
    let is_one = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
    named.split_whitespace().filter(is_one).map(|url| url.trim_end_matches('/').to_owned()).collect()
}

/// Asks the servers, one after the other. What they send is kept under the build's name; why one of them has nothing is in words.
pub(super) fn fetch(servers: &[String], id: &BuildId, cache: &Cache) -> Result<PathBuf, String> {
    let name = format!("{id}.debug");
    if let Some(path) = cache.get(&name) {
        return Ok(path);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(BEGIN))
        .timeout_global(Some(WHOLE))
        .user_agent("holdup")
        .build()
        .into();
    let mut failures = vec![];
    for server in servers {
        let asked = cache.put(&name, |file| get(&agent, &format!("{server}/buildid/{id}/debuginfo"), file));
        match asked {
            Ok(path) => return Ok(path),
            Err(error) => failures.push(format!("{server}: {error}")),
        }
    }
    Err(failures.join("; "))
}

fn get(agent: &ureq::Agent, url: &str, into: &mut File) -> io::Result<()> {
    let mut answer = agent.get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(404) => io::Error::other("does not have it"),
        error => io::Error::other(error.to_string()),
    })?;
    let mut body = answer.body_mut().with_config().limit(LONGEST).reader().take(LONGEST);
    io::copy(&mut body, into)?;
    Ok(())
}
