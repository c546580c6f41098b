//! A service with an agent: this very executable, once more, in a role.

use std::{
    env,
    io::{BufRead, BufReader, Read as _},
    process::{Child, ChildStdout, Command, Stdio},
};
use tracing::Instrument as _;

const ROLE: &str = "HOLDUP_TEST_ROLE";

/// Set, the service's worker has something to do for good.
pub(crate) const BUSY: &str = "HOLDUP_TEST_BUSY";

/// Begins whatever the role says; what is before it, and other lines, are the test harness's.
const SAYS: &str = "|> ";

/// Not a test: where a process finds that it is to be a service. Its log goes to stdout.
#[test]
fn role() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    // What panics here does so on purpose.
    std::panic::set_hook(Box::new(|_| {}));
    let log = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(std::io::stdout).finish();
    let builder = holdup_agent::builder().from_env();
    match builder.with_subscriber(log).try_init() {
        Ok(agent) => {
            match (agent.address(), agent.socket()) {
                (Some(address), None) => println!("{SAYS}{address}"),
                (None, Some(path)) => println!("{SAYS}{}", path.display()),
                other => panic!("it listens at {other:?}"),
            }
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
            runtime.block_on(greet());
            if env::var_os(BUSY).is_some() {
                runtime.spawn(async { computes_for_good(1) });
            }
            std::io::stdin().read_to_end(&mut Vec::new()).expect("stdin can be read");
            agent.shutdown();
            // A worker that computes for good is not waited for.
            runtime.shutdown_background();
        }
        Err(error) => println!("{SAYS}{error}"),
    }
}

/// Keeps its worker.
#[inline(never)]
fn computes_for_good(mut number: u64) {
    loop {
        number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

/// A task in a span that says whose it is, and one whose panic does.
async fn greet() {
    let request = tracing::info_span!("request", route = "/greet", user = "alice");
    let asleep = async {
        tokio::task::yield_now().await;
        std::future::pending::<()>().await;
    };
    tokio::spawn(asleep.instrument(request));
    let failed = tokio::spawn(async { panic!("no greeting for alice") });
    assert!(failed.await.is_err());
}

/// A service that goes on until this is dropped.
pub(crate) struct Service {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it listens, or why it does not.
    pub said: String,
}

impl Service {
    /// With these variables and no others of the agent's.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env::current_exe().expect("this executable is known"));
        command.args(["--exact", "service::role", "--nocapture", "--test-threads", "1"]);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("HOLDUP_") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "0").env(ROLE, "1").envs(environment.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the role runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut service = Self { child, stdout, said: String::new() };
        service.said = service.line(SAYS);
        service
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// On a free port.
    pub(crate) fn on_loopback(environment: &[(&str, &str)]) -> Self {
        Self::start(&[&[("HOLDUP_ADDR", "127.0.0.1:0")], environment].concat())
    }

    pub(crate) fn port(&self) -> u16 {
        let port = self.said.rsplit(':').next().and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("it does not listen: {}", self.said))
    }

    /// The port as a target with this scheme, by a name.
    pub(crate) fn target(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.port())
    }

    /// What follows `mark` in the next line that has it.
    pub(crate) fn line(&mut self, mark: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).expect("text"), 0, "it ended before it said {mark:?}");
            if let Some((_, said)) = line.trim_end().split_once(mark) {
                return said.to_owned();
            }
        }
    }

    /// Ends it as a service ends, and waits for that.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
