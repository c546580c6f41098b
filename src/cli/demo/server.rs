//! The demo server in a process of its own, which never outlives this one: it is killed and waited for when its handle is
//! dropped, and it stops by itself when its stdin ends, which it does however this process ends.

use super::{super::args::DemoArgs, DemoError};
use crate::{
    source::Target,
    terminal::{Switchboard, Turn},
};
use demo_server::{Args, Instrument, Instrumentation, Listening, Switch};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

/// How long the server may take until it listens. It takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much of what a server that does not start says is shown.
const SAYS_MOST: u64 = 4 * 1024;

/// The server's options: everything on free ports of this machine.
pub(super) fn args(args: &DemoArgs) -> Args {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Args {
        echo_addr: free,
        console_addr: free,
        workers: args.workers,
        // On the tour its troubles are switched on one by one.
        scenario: if args.tour { vec!["healthy".to_owned()] } else { args.scenario.clone() },
        instrumentation: Instrumentation { instrument: args.instrument, ..Instrumentation::default() },
        load: args.load,
        log: None,
        list: args.list,
        exit_with_stdin: true,
    }
}

/// A server that listens.
#[derive(Debug)]
pub(super) struct Server {
    /// Its console, or where it has none its echo.
    address: SocketAddr,
    instrument: Instrument,
    /// Ends the process when it is dropped.
    process: Process,
}

/// A process that ends with its handle.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts this executable once more as the server, and waits until it says where it listens.
    pub(super) fn start(args: &Args) -> Result<Self, DemoError> {
        let executable = std::env::current_exe().map_err(DemoError::Start)?;
        let mut process = Command::new(executable)
            .arg("demo-server")
            .args(args.to_words())
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Process)
            .map_err(DemoError::Start)?;
        let Some(stdout) = process.0.stdout.take() else { return Err(DemoError::Silent(Duration::ZERO)) };
        let instrument = args.instrumentation.instrument;
        let (found, finding) = mpsc::channel();
        // Ends with the server's stdout, which ends with its process.
        thread::spawn(move || {
            let _ = found.send(address_of(stdout, instrument));
        });
        match finding.recv_timeout(PATIENCE) {
            Ok(Ok(Some(address))) => {
                drain(&mut process.0);
                Ok(Self { address, instrument, process })
            }
            Ok(Ok(None)) => Err(DemoError::Ended(last_words(&mut process.0))),
            Ok(Err(error)) => Err(DemoError::Start(error)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Err(DemoError::Silent(PATIENCE)),
        }
    }

    /// What switches its troubles. A server that has ended switches none, and its end is seen on the screen.
    pub(super) fn switchboard(&mut self) -> Switchboard {
        let mut orders = self.process.0.stdin.take();
        Box::new(move |trouble, turn| {
            let (Some(orders), Some(trouble)) = (&mut orders, demo_server::scenario(trouble)) else { return };
            let switch = match turn {
                Turn::On => Switch::On(trouble),
                Turn::Off => Switch::Off(trouble),
            };
            let _ = writeln!(orders, "{switch}");
        })
    }

    /// What to attach to.
    pub(super) fn target(&self) -> Target {
        match self.instrument {
            Instrument::None => Target::Pid(self.process.0.id()),
            Instrument::Agent | Instrument::ConsoleSubscriber => {
                Target::Tcp { host: self.address.ip().to_string(), port: self.address.port() }
            }
        }
    }
}

/// Reads until the server has said where its console is, or its echo where it has none; `None` if it ends before that.
fn address_of(stdout: impl Read, instrument: Instrument) -> io::Result<Option<SocketAddr>> {
    for line in BufReader::new(stdout).lines() {
        match (line?.parse(), instrument) {
            (Ok(Listening::Console(address)), _) | (Ok(Listening::Echo(address)), Instrument::None) => {
                return Ok(Some(address));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Why a server that has ended did so, in its own words.
fn last_words(process: &mut Child) -> String {
    let mut says = Vec::new();
    if let Some(stderr) = process.stderr.take() {
        // What cannot be read is not there to be shown.
        let _ = stderr.take(SAYS_MOST).read_to_end(&mut says);
    }
    let says = String::from_utf8_lossy(&says);
    let says = says.trim();
    says.strip_prefix("error: ").unwrap_or(if says.is_empty() { "it said nothing" } else { says }).to_owned()
}

/// Keeps the server's stderr from filling up, and off the screen.
fn drain(process: &mut Child) {
    if let Some(mut stderr) = process.stderr.take() {
        thread::spawn(move || io::copy(&mut stderr, &mut io::sink()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_console_is_there_when_its_echo_is() {
        let [echo, console] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let both = format!("{}\n{}\n", Listening::Echo(echo), Listening::Console(console));
        assert_eq!(address_of(both.as_bytes(), Instrument::Agent).unwrap(), Some(console));
        let only = format!("{}\n", Listening::Echo(echo));
        assert_eq!(address_of(only.as_bytes(), Instrument::None).unwrap(), Some(echo));
        assert_eq!(address_of(only.as_bytes(), Instrument::Agent).unwrap(), None);
    }
}
