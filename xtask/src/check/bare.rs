//! The binary in a root with nothing but two files of `/etc`, and what the kernel tells of processes.

use super::Root;
use crate::{
    commit::Commit,
    made::{Made, copy},
    run::{self, Error, Result, at},
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A name that stands in the root's own `/etc/hosts` and nowhere else.
const NAME: &str = "orders.internal";

/// What is switched on in the server that is watched, and has to be found in it.
const TROUBLE: &str = "deadlock";

pub(super) fn check(_: &Commit, made: &Made) -> Result<String> {
    run::needs("unshare")?;
    let root = Root::new("bare")?;
    furnish(root.path(), &made.binary)?;
    let server = Server::start(&made.binary)?;
    let (by_name, by_address) = (format!("{NAME}:{}", server.port), format!("127.0.0.1:{}", server.port));
    let pid = server.process.id().to_string();
    let recording = "/orders.holdup";
    for target in [&by_name, &by_address] {
        says(root.path(), &["check", target, "--for", "4s"], TROUBLE)?;
    }
    // What its memory tells of a stripped program is that it has tasks, and seldom what they wait for.
    says(root.path(), &["check", &pid, "--for", "4s"], &format!("watched pid:{pid} (memory)"))?;
    let recorded = inside(root.path(), &["record", &by_address, "--for", "4s", "--output", recording])?;
    if !recorded.status.success() {
        return Err(Error::Said(format!("record: {}", String::from_utf8_lossy(&recorded.stderr))));
    }
    says(root.path(), &["check", recording], TROUBLE)?;
    Ok(format!("{TROUBLE} by name, by address and in a recording, and tasks by process id"))
}

fn furnish(root: &Path, binary: &Path) -> Result<()> {
    for folder in ["etc", "proc"] {
        let folder = root.join(folder);
        fs::create_dir(&folder).map_err(at(&folder))?;
    }
    let hosts = root.join("etc/hosts");
    fs::write(&hosts, format!("127.0.0.1 localhost {NAME}\n")).map_err(at(&hosts))?;
    // Nobody answers there: what is in no file is not found.
    let resolver = root.join("etc/resolv.conf");
    fs::write(&resolver, "nameserver 127.0.0.1\n").map_err(at(&resolver))?;
    copy(binary, &root.join("holdup"), 0o755)
}

/// Runs the binary with that root as its own.
fn inside(root: &Path, arguments: &[&str]) -> Result<std::process::Output> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if run::line(Command::new("id").arg("-u"))? != "0" {
        command.args(["--user", "--map-root-user"]);
    }
    let script = "mount --rbind /proc \"$1/proc\" && exec chroot \"$@\"";
    command.args(["sh", "-c", script, "sh"]).arg(root).arg("/holdup").args(arguments);
    run::output(command.env_remove("HOME").stdin(Stdio::null()))
}

/// That a check ran to its end, with these words among what it says.
fn says(root: &Path, arguments: &[&str], words: &str) -> Result<()> {
    let output = inside(root, arguments)?;
    let said = String::from_utf8_lossy(&output.stdout);
    if matches!(output.status.code(), Some(0 | 1)) && said.contains(words) {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Error::Said(format!("{}: it does not say {words:?}\n{said}{errors}", arguments.join(" "))))
}

/// The demo's server, which ends with this.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(binary: &Path) -> Result<Self> {
        let process = Command::new(binary)
            .args(["demo-server", "--exit-with-stdin", "--scenario", TROUBLE])
            .args(["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0", "--settings", "environment"])
            // It answers to no other name than its own.
            .env("HOLDUP_HOSTS", NAME)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(at(binary))?;
        let mut server = Self { process, port: 0 };
        let lines = server.process.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        let port = |line: String| line.strip_prefix("console listening on http://127.0.0.1:")?.parse().ok();
        let found = lines.and_then(|mut lines| lines.find_map(|line| port(line.ok()?)));
        server.port = found.ok_or_else(|| Error::Said("the demo's server did not say where it listens".into()))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
