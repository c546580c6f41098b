//! A worker that waits for a peer in a blocking read.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use tokio::time::sleep;

use super::{Ctx, Kind, STALLED, Scenario};

/// How long the peer lets wait for each byte.
const SILENCE: Duration = Duration::from_millis(1500);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "stalled-by-read",
    kind: Kind::Trouble,
    says: "A task reads from a blocking socket whose peer sends a byte every 1.5 s.",
    raises: Some("never-yields"),
    severity: Some("critical"),
    from_agent: Some(&[STALLED]),
    also: &["long-polls"],
    tasks: &["stalled-by-read"],
    file: file!(),
    within: Duration::from_secs(5),
    keeps_workers: 1,
    start,
    ..Scenario::BASE
};

fn start(ctx: &Ctx) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut peer = TcpStream::connect(listener.local_addr()?)?;
    let (mut socket, _) = listener.accept()?;
    thread::Builder::new().name("slow-peer".to_owned()).spawn(move || {
        // Until the other side is gone.
        while peer.write_all(b".").is_ok() {
            thread::sleep(SILENCE);
        }
    })?;
    ctx.spawn("stalled-by-read", async move {
        let mut byte = [0];
        while socket.read_exact(&mut byte).is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    })
}
