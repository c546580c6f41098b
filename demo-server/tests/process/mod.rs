//! A server in a process of its own, which ends with the test that started it.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread::{JoinHandle, sleep},
    time::{Duration, Instant},
};

use demo_server::Listening;

/// How long a server may take to end. Far above what it allows itself: a test that hangs is to fail instead.
const END: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub echo: SocketAddr,
    pub console: SocketAddr,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Stderr,
}

/// What a server writes to stderr, read while it runs: a thousand panics fill a pipe, and whoever prints one then waits.
type Stderr = Option<JoinHandle<String>>;

/// All that was written to stderr. Whatever a server made has it, too, so that it ends with the last of them.
fn read(stderr: &mut Stderr) -> String {
    let asked = Instant::now();
    while stderr.as_ref().is_some_and(|reading| !reading.is_finished()) {
        assert!(asked.elapsed() < END, "a process that the server made outlives it");
        sleep(Duration::from_millis(20));
    }
    stderr.take().map(|reading| reading.join().unwrap()).unwrap_or_default()
}

/// What a process has left behind: its exit code and what it wrote, but for what a test had read already.
pub(crate) struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo-server"));
    command.args(args).env_remove("RUST_LOG");
    // What ends a whole group is not to end the tests.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Runs the server with arguments with which it ends at once.
pub(crate) fn refused(args: &[&str]) -> Ended {
    let Output { status, stdout, stderr } = command(args).stdin(Stdio::null()).output().unwrap();
    Ended {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// Starts a server on free ports whose stdout is closed, and waits for its end.
pub(crate) fn deaf(args: &[&str]) -> Ended {
    let (mut child, mut stderr) = spawn(args);
    drop(child.stdout.take());
    ended(&mut child, &mut stderr)
}

fn spawn(args: &[&str]) -> (Child, Stderr) {
    let mut child = command(args)
        .args(["--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"])
        .arg("--exit-with-stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        stderr.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    });
    (child, Some(reading))
}

fn ended(child: &mut Child, stderr: &mut Stderr) -> Ended {
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if asked.elapsed() > END {
            child.kill().unwrap();
            panic!("the server does not end");
        }
        sleep(Duration::from_millis(20));
    };
    Ended { code: status.code(), stdout: String::new(), stderr: read(stderr) }
}

impl Server {
    /// Starts a server on free ports and waits until it has said which.
    pub(crate) fn start(args: &[&str]) -> Self {
        let (mut child, mut stderr) = spawn(args);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (mut echo, mut console) = (None, None);
        while echo.is_none() || console.is_none() {
            let mut line = String::new();
            let length = stdout.read_line(&mut line).unwrap();
            assert!(length > 0, "the server ended before it listened: {}", read(&mut stderr));
            match line.parse() {
                Ok(Listening::Echo(addr)) => echo = Some(addr),
                Ok(Listening::Console(addr)) => console = Some(addr),
                Err(()) => panic!("not a line that says where it listens: {line:?}"),
            }
        }
        Self { echo: echo.unwrap(), console: console.unwrap(), child, stdout, stderr }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Closes the server's stdin, and waits for its end.
    pub(crate) fn end_stdin(mut self) -> Ended {
        drop(self.child.stdin.take());
        self.ended()
    }

    /// Sends the server a signal by its name, and waits for its end.
    #[cfg(unix)]
    pub(crate) fn signal(self, name: &str) -> Ended {
        let pid = self.child.id().to_string();
        self.signal_to(name, &pid)
    }

    /// Sends a signal to the server's group, as a terminal does, and waits for the end of all that is in it.
    #[cfg(unix)]
    pub(crate) fn signal_group(self, name: &str) -> Ended {
        let group = format!("-{}", self.child.id());
        self.signal_to(name, &group)
    }

    #[cfg(unix)]
    fn signal_to(mut self, name: &str, whom: &str) -> Ended {
        let sent = Command::new("kill").args(["-s", name, "--", whom]).status().unwrap();
        assert!(sent.success(), "kill -s {name} -- {whom}");
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let mut ended = ended(&mut self.child, &mut self.stderr);
        self.stdout.read_to_string(&mut ended.stdout).unwrap();
        ended
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already when the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
