//! Which process this is.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::SystemTime,
};

/// One run of one executable.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Random: no two processes share it.
    pub(crate) boot_id: [u8; 16],
    pub(crate) pid: u32,
    /// Empty where the system does not tell.
    pub(crate) executable: String,
    /// What the service calls itself, or the file name of its first argument.
    pub(crate) name: String,
    pub(crate) started_at: SystemTime,
}

impl Process {
    /// This one.
    pub(crate) fn this(name: Option<&str>) -> Self {
        Self {
            boot_id: boot_id(),
            pid: std::process::id(),
            executable: std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
            name: name.map_or_else(first_argument, str::to_owned),
            started_at: started_at().unwrap_or_else(SystemTime::now),
        }
    }
}

/// What maps are keyed by: the standard library has it of the system by itself, wherever a program runs at all, and no service ends for want of it here.
fn boot_id() -> [u8; 16] {
    let halves = [(); 2].map(|()| RandomState::new().build_hasher().finish().to_le_bytes());
    let mut id = [0; 16];
    id[..8].copy_from_slice(&halves[0]);
    id[8..].copy_from_slice(&halves[1]);
    id
}

fn first_argument() -> String {
    let argument = std::env::args_os().next().unwrap_or_default();
    let path = std::path::Path::new(&argument);
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// When the process started, where the system tells; the agent's own start is a good second, for it is among the first
/// things that a service does.
#[cfg(target_os = "linux")]
fn started_at() -> Option<SystemTime> {
    use std::{fs::read_to_string, time::Duration};

    /// What the kernel counts such times in, for whatever reads /proc.
    const TICKS_PER_SECOND: f64 = 100.0;

    let stat = read_to_string("/proc/self/stat").ok()?;
    // The second field, the name, may have spaces in it; the time of the start is the 22nd.
    let after_name = &stat[stat.rfind(')')? + 1..];
    let started: f64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    let uptime: f64 = read_to_string("/proc/uptime").ok()?.split_whitespace().next()?.parse().ok()?;
    let age = Duration::try_from_secs_f64(uptime - started / TICKS_PER_SECOND).ok()?;
    SystemTime::now().checked_sub(age)
}

#[cfg(not(target_os = "linux"))]
fn started_at() -> Option<SystemTime> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_differ_and_the_name_is_the_services() {
        let (one, two) = (Process::this(Some("orders")), Process::this(None));
        assert_ne!(one.boot_id, two.boot_id);
        assert_eq!(one.name, "orders");
        assert!(two.name.starts_with("holdup_agent-"), "{}", two.name);
        assert!(one.started_at <= SystemTime::now());
        assert!(one.started_at.elapsed().unwrap().as_secs() < 24 * 3600, "{:?}", one.started_at);
    }
}
