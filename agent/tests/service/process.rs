//! A process that plays a role: it says on stdout what there is to know, and a service ends with its stdin.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use crate::{alone, captures, harmless, hindered, large, trails};
use crate::{attach, blind, causes, compat, disabled, losses, metrics, setup, wire};
use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

const ROLE: &str = "HOLDUP_TEST_ROLE";

/// Begins whatever a role says; what is before it, and other lines, are the test harness's.
const SAYS: &str = "|> ";

/// What a process can be told to do, by name.
pub(crate) type Roles = &'static [(&'static str, fn())];

const ROLES: &[Roles] = &[
    setup::ROLES,
    blind::ROLES,
    attach::ROLES,
    wire::ROLES,
    compat::ROLES,
    disabled::ROLES,
    losses::ROLES,
    causes::ROLES,
    metrics::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    captures::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    harmless::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    hindered::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    trails::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    alone::ROLES,
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    large::ROLES,
];

/// Not a test: where a process finds its role.
#[test]
fn role() {
    let Ok(name) = env::var(ROLE) else { return };
    let roles = ROLES.iter().copied().flatten();
    let (_, play) = roles.into_iter().find(|(known, _)| *known == name).expect("the role is known");
    play();
}

/// Says something to whoever started the role.
pub(crate) fn say(what: impl std::fmt::Display) {
    for line in what.to_string().lines() {
        println!("{SAYS}{line}");
    }
}

/// Waits until whoever started the role has seen enough.
pub(crate) fn until_stdin_ends() {
    let mut ignored = Vec::new();
    std::io::stdin().read_to_end(&mut ignored).expect("stdin can be read");
}

/// Waits until whoever started the role has it go on.
pub(crate) fn until_told() {
    std::io::stdin().read_line(&mut String::new()).expect("stdin can be read");
}

fn command(role: &str, environment: &[(&str, &str)]) -> Command {
    command_of(&env::current_exe().expect("this executable is known"), role, environment)
}

fn command_of(executable: &Path, role: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(executable);
    command.args(["--exact", "process::role", "--nocapture", "--test-threads", "1"]);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("HOLDUP_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "0").env(ROLE, role).envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// Plays a role to its end: what it said.
pub(crate) fn play(role: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let output = command(role, environment).stdin(Stdio::null()).output().expect("the role runs");
    assert!(output.status.success(), "{role}: {}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stdout).expect("text");
    said.lines().filter_map(|line| line.split_once(SAYS)).map(|(_, said)| said.to_owned()).collect()
}

/// A role that goes on until this is dropped.
pub(crate) struct Service {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Service {
    pub(crate) fn start(role: &str, environment: &[(&str, &str)]) -> Self {
        Self::started(command(role, environment))
    }

    /// The same by another executable, which is this one but for what cannot be told at run time.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn start_as(executable: &Path, role: &str, environment: &[(&str, &str)]) -> Self {
        Self::started(command_of(executable, role, environment))
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the role runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, stdout }
    }

    /// The same, with what it writes to stderr.
    pub(crate) fn start_with_stderr(role: &str, environment: &[(&str, &str)]) -> (Self, BufReader<ChildStderr>) {
        let mut child = command(role, environment).stderr(Stdio::piped()).spawn().expect("the role runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        (Self { child, stdout }, stderr)
    }

    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end: the code with which it exits, `None` where a signal ended it.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.child.wait().expect("it was started").code()
    }

    /// Sends it a signal, by the signal's name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("a shell").success());
    }

    /// The next line that it says.
    pub(crate) fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).expect("text"), 0, "it ended");
            if let Some((_, said)) = line.trim_end().split_once(SAYS) {
                return said.to_owned();
            }
        }
    }

    /// Has it go on, if it waits for that.
    pub(crate) fn tell(&mut self) {
        self.child.stdin.as_mut().expect("it is piped").write_all(b"\n").expect("it listens");
    }

    /// Ends what it waits for in [`until_stdin_ends`].
    pub(crate) fn end_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// An address that it says next.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let said = self.hear();
        said.parse().unwrap_or_else(|_| panic!("{said:?} is no address"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // A role whose workers are stuck by design does not end by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
