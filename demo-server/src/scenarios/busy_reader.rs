//! A task whose socket is never empty.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use tokio::{io::AsyncReadExt, runtime::Builder};

use super::{Ctx, Kind, Scenario};
use crate::unstable::spawn_named;

/// What the other end sends at a time.
const CHUNK: usize = 64 << 10;

/// How long the reader takes for each read: longer than the sender, so that there is always something to read.
const TAKES: Duration = Duration::from_micros(20);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "busy-reader",
    kind: Kind::Control,
    says: "A task reads from a socket whose other end sends more than it can take: it is always ready, and earns it.",
    tasks: &["busy-reader"],
    // A read that is slow for a while makes a long poll of those that its budget allows.
    also: &["long-polls"],
    file: file!(),
    within: Duration::from_secs(8),
    start,
    ..Scenario::BASE
};

/// On a runtime of its own: others are not to wait for a turn beside it.
fn start(ctx: &Ctx) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut sends = TcpStream::connect(listener.local_addr()?)?;
    let (reads, _) = listener.accept()?;
    reads.set_nonblocking(true)?;
    // It ends with the reader.
    thread::Builder::new().name("busy-sender".to_owned()).spawn(move || {
        let chunk = vec![0; CHUNK];
        while sends.write_all(&chunk).is_ok() {}
    })?;
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("busy-reader").name("busy-reader").enable_io();
    ctx.prepare(&mut builder);
    let runtime = builder.build()?;
    spawn_named(runtime.handle(), "busy-reader", async move {
        let Ok(mut reads) = tokio::net::TcpStream::from_std(reads) else { return };
        let mut buffer = vec![0; CHUNK / 4];
        while reads.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            thread::sleep(TAKES);
        }
    })?;
    ctx.keep(runtime);
    Ok(())
}
