//! Which process is meant by a name.

use super::Failure;
use std::{fmt::Write, fs};

/// More candidates than this are counted, and not named.
const NAMED_MOST: usize = 12;

/// The only process whose executable, or whose own name, is this.
pub(super) fn find(name: &str) -> Result<u32, Failure> {
    let own = std::process::id();
    let mut found: Vec<u32> = processes().filter(|&pid| pid != own && is_called(pid, name)).collect();
    found.sort_unstable();
    match found[..] {
        [] => Err(Failure::Gone(format!(
            "no process of this machine that can be seen is called {name:?}; `holdup ps` lists those that run on Tokio"
        ))),
        [only] => Ok(only),
        _ => Err(Failure::Gone(several(name, &found))),
    }
}

fn several(name: &str, found: &[u32]) -> String {
    let mut lines = format!("{} processes are called {name:?}; type one of", found.len());
    for pid in found.iter().take(NAMED_MOST) {
        let _ = write!(lines, " {pid}");
    }
    if found.len() > NAMED_MOST {
        let _ = write!(lines, " and {} more", found.len() - NAMED_MOST);
    }
    lines
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The kernel keeps fifteen bytes of a name; the executable has all of it.
fn is_called(pid: u32, name: &str) -> bool {
    let executable = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let file = executable.as_ref().and_then(|path| path.file_name()?.to_str());
    if file.is_some_and(|file| file.trim_end_matches(" (deleted)") == name) {
        return true;
    }
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|own| own.trim_end() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_says_what_to_type() {
        let said = find("no-such-service-of-this-machine").map_err(|failure| failure.to_string());
        assert!(said.is_err_and(|said| said.contains("holdup ps")));
        let many: Vec<u32> = (1..=40).collect();
        assert!(several("orders", &many).ends_with(" 12 and 28 more"), "{}", several("orders", &many));
    }
}
