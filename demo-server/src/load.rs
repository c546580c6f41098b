//! The built-in load: real TCP clients, from a thread and a runtime of their own.
//!
//! They are not instrumented: a console shows the service, not those who call on it.

use std::{io, net::SocketAddr, thread, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use crate::{Error, silent};

/// Clients at the most, whatever the rate.
const CLIENTS: u32 = 8;

/// How long a client keeps its connection, so that connections come and go.
const CONNECTION: Duration = Duration::from_secs(20);

/// How long a client waits for its echo before it takes a new connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a client waits after a failure.
const PAUSE: Duration = Duration::from_millis(500);

const REQUEST: &[u8; 64] = b"the quick brown fox jumps over the lazy dog, and says it again.\n";

/// Starts `rate` requests per second, spread over a few clients, to an echo server; none when `rate` is 0.
///
/// The rate is an upper bound: a client sends its next request only when the last was answered.
pub(crate) fn start(rate: u32, echo: SocketAddr) -> Result<(), Error> {
    if rate == 0 {
        return Ok(());
    }
    let runtime = silent::runtime("build the runtime of the built-in load")?;
    thread::Builder::new()
        .name("load".to_owned())
        .spawn(move || {
            let _silent = silent::here();
            runtime.block_on(async {
                let clients = rate.min(CLIENTS);
                let period = Duration::from_secs(1) * clients / rate;
                let clients: Vec<_> =
                    (0..clients).map(|number| tokio::spawn(play(echo, period, period * number / clients))).collect();
                for client in clients {
                    // A client never ends; should one panic, the others go on.
                    let _ = client.await;
                }
            });
        })
        .map_err(Error::io("start the thread of the built-in load"))?;
    Ok(())
}

/// One client, for ever; `stagger` keeps the clients from calling all at once.
async fn play(echo: SocketAddr, period: Duration, stagger: Duration) {
    sleep(stagger).await;
    loop {
        if connection(echo, period).await.is_err() {
            sleep(PAUSE).await;
        }
    }
}

async fn connection(echo: SocketAddr, period: Duration) -> io::Result<()> {
    let mut stream = timeout(PATIENCE, TcpStream::connect(echo)).await??;
    let mut pace = interval(period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answer = [0; REQUEST.len()];
    let connected = Instant::now();
    while connected.elapsed() < CONNECTION {
        pace.tick().await;
        timeout(PATIENCE, async {
            stream.write_all(REQUEST).await?;
            stream.read_exact(&mut answer).await
        })
        .await??;
    }
    Ok(())
}
