//! A test's own executable as a service with an agent, in a process of its own, which ends with its test. The executable has a test called
//! `role`, which is the service where a variable says so.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// Begins where the service listens; other lines are the test harness's.
pub(crate) const SAYS: &str = "|> ";

/// A service that goes on until this is dropped.
pub(crate) struct Service {
    child: Child,
    /// Where its agent is.
    pub(crate) target: String,
}

impl Service {
    /// Starts one by this variable and what it says, with others set as well.
    pub(crate) fn start(role: &str, played: &str, set: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env::current_exe().expect("this executable is known"));
        command.args(["--exact", "role", "--nocapture", "--test-threads", "1"]);
        command.env(role, played).env("HOLDUP_ADDR", "127.0.0.1:0").env_remove("RUST_LOG").envs(set.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the role runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let said = lines.find_map(|line| line.ok()?.split_once(SAYS).map(|(_, said)| said.to_owned()));
        Self { child, target: said.expect("it says where it listens") }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
