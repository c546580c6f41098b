//! servers: services made of well-known crates, which are well, and bear their load with ease.
//!
//! ```text
//! servers NAME INSTRUMENT     the service, and its clients in a process of their own; it ends with its stdin
//! servers load NAME ADDRESS   the clients alone
//! ```
//!
//! It says `ready`, and where its console is if it has one, when its clients have been answered once. An error of a client ends both: a
//! service of which nothing is wanted is no proof of anything.

mod broker;
mod chat;
mod clients;
mod instrument;
mod orders;
mod rpc;
mod web;

use instrument::Instrument;
use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    time::Duration,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Whatever goes wrong in a service or in its clients.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

/// How long a service may take to end what it has begun.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
enum Name {
    Axum,
    Tonic,
    Sqlx,
    Websocket,
    Broker,
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Axum, Self::Tonic, Self::Sqlx, Self::Websocket, Self::Broker];
        all.into_iter().find(|name| name.text() == text)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Tonic => "tonic",
            Self::Sqlx => "sqlx",
            Self::Websocket => "websocket",
            Self::Broker => "broker",
        }
    }

    /// Serves until it is stopped.
    async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result {
        listener.set_nonblocking(true)?;
        match self {
            Self::Axum => web::serve(tokio::net::TcpListener::from_std(listener)?, stop).await,
            Self::Tonic => rpc::serve(tokio::net::TcpListener::from_std(listener)?, stop).await,
            Self::Sqlx => orders::serve(tokio::net::TcpListener::from_std(listener)?, stop).await,
            Self::Websocket => chat::serve(tokio::net::TcpListener::from_std(listener)?, stop).await,
            Self::Broker => broker::serve(listener, stop).await,
        }
    }

    /// Asks, until there is an error.
    async fn load(self, at: SocketAddr) -> Result {
        let mut clients = clients::Clients::none();
        match self {
            Self::Axum => web::load(at, &mut clients),
            Self::Tonic => rpc::load(at, &mut clients),
            Self::Sqlx => orders::load(at, &mut clients),
            Self::Websocket => chat::load(at, &mut clients),
            Self::Broker => broker::load(at, &mut clients),
        }
        clients.run().await
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words[..] {
        ["load", name, at] => Name::parse(name).zip(at.parse().ok()).map(|(name, at)| load(name, at)),
        [name, how] => Name::parse(name).zip(Instrument::parse(how)).map(|(name, how)| serve(name, how)),
        _ => None,
    };
    match ended {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("error: {words:?}: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("error: servers axum|tonic|sqlx|websocket|broker none|console|agent");
            ExitCode::FAILURE
        }
    }
}

fn serve(name: Name, instrument: Instrument) -> Result {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let at = listener.local_addr()?;
    let seen = instrument.start()?;
    let runtime = Runtime::new()?;
    let stop = CancellationToken::new();
    let service = runtime.spawn(name.serve(listener, stop.clone()));
    let (mut load, stdin) = start_load(name, at)?;
    println!("ready {}", seen.console());
    // The clients go first: to be sent away would be an error to them.
    end_with(std::io::stdin(), move || drop(stdin));
    std::thread::spawn(move || match load.wait() {
        Ok(status) if status.success() => stop.cancel(),
        // They have said why.
        _ => std::process::exit(1),
    });
    runtime.block_on(service)??;
    runtime.shutdown_timeout(PATIENCE);
    Ok(())
}

/// The clients, once each of them has been answered. They end with the pipe.
fn start_load(name: Name, at: SocketAddr) -> Result<(Child, ChildStdin)> {
    let mut load = Command::new(std::env::current_exe()?)
        .args(["load", name.text(), &at.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (stdin, stdout) = load.stdin.take().zip(load.stdout.take()).ok_or("it has no pipes")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    if line != "answered\n" {
        return Err(format!("the clients of {} were not answered", name.text()).into());
    }
    Ok((load, stdin))
}

fn load(name: Name, at: SocketAddr) -> Result {
    end_with(std::io::stdin(), || std::process::exit(0));
    Runtime::new()?.block_on(name.load(at))
}

/// Does something when a pipe is closed: whoever started this is gone.
fn end_with(mut pipe: impl Read + Send + 'static, then: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let _ = pipe.read_to_end(&mut Vec::new());
        then();
    });
}
