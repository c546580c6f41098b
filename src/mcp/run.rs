//! A call, answered by a command of this same program: one who is hung on ends with it, and what it needs is given back.

use super::{
    Plan,
    answer::{self, Ended},
    tools::Call,
};
use rmcp::model::CallToolResult;
use std::{ffi::OsString, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Command,
    sync::Semaphore,
    time::timeout,
};

/// Commands at a time.
const AT_ONCE: usize = 2;

/// A command may take so much longer than it watches.
const LONGER: Duration = Duration::from_secs(75);

/// More than this of what a command prints is not read; what is more than that is no report.
const OUTPUT: u64 = 64 << 20;

/// The same of its complaints.
const COMPLAINTS: u64 = 4 << 10;

#[derive(Debug)]
pub(super) struct Runner {
    pub(super) plan: Plan,
    room: Semaphore,
}

impl Runner {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, room: Semaphore::new(AT_ONCE) }
    }

    /// Answers a call, unless it is taken back meanwhile.
    pub(super) async fn answer(&self, call: Call, taken_back: impl Future<Output = ()>) -> CallToolResult {
        match call {
            Call::Targets => answer::targets(&self.plan.targets),
            Call::Explain { lint } => {
                let args = ["explain".into()].into_iter().chain(lint.map(OsString::from));
                answer::explained(self.run(args.collect(), Duration::ZERO, taken_back).await)
            }
            Call::Check { target, seconds } => {
                let window = format!("{seconds}s");
                let args = self.looks("check", &["--format", "json", "--for", &window], &[&target]);
                answer::report(self.run(args, Duration::from_secs(seconds), taken_back).await)
            }
            Call::Tree { target } => {
                let args = self.looks("tree", &["--json"], &[&target]);
                answer::report(self.run(args, Duration::ZERO, taken_back).await)
            }
            Call::Diff { before, after, seconds } => {
                let window = format!("{seconds}s");
                let args = self.looks("diff", &["--format", "json", "--for", &window], &[&before, &after]);
                answer::report(self.run(args, Duration::from_secs(seconds), taken_back).await)
            }
        }
    }

    /// A command that looks at targets. None of them is taken for an option.
    fn looks(&self, command: &str, how: &[&str], targets: &[&str]) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![command.into()];
        args.extend(how.iter().map(OsString::from));
        // `tree` reads memory and files, and shows nobody a token.
        if command != "tree" {
            args.extend(self.plan.options.iter().cloned());
        }
        args.push("--".into());
        args.extend(targets.iter().map(OsString::from));
        args
    }

    async fn run(
        &self,
        args: Vec<OsString>,
        watches: Duration,
        taken_back: impl Future<Output = ()>,
    ) -> Result<Ended, String> {
        let _place = self.room.acquire().await.map_err(|error| error.to_string())?;
        let mut child = Command::new(&self.plan.program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("holdup cannot be started: {error}"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let most = watches + LONGER;
        let ended = async {
            let (stdout, stderr) = tokio::join!(read(stdout, OUTPUT), read(stderr, COMPLAINTS));
            let status = child.wait().await.map_err(|error| error.to_string())?;
            Ok(Ended { code: status.code(), stdout, stderr })
        };
        let ended = tokio::select! {
            ended = timeout(most, ended) => {
                ended.unwrap_or_else(|_| Err(format!("it has not ended within {} s", most.as_secs())))
            }
            () = taken_back => Err("it was taken back".to_owned()),
        };
        // Of one that has ended this is the end as well.
        let _ = child.kill().await;
        ended
    }
}

/// As much of what is written as is asked for. The rest is read, and let go of, so that whoever writes can end.
async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut bytes = Vec::new();
    // What could not be read is missed where it is looked for.
    let _ = (&mut from).take(most).read_to_end(&mut bytes).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
