//! The service itself: every byte that comes in goes back out.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, debug, info_span, warn};

use crate::unstable::spawn_named;

/// Connections served at once; one more waits in the listener's backlog until another ends.
const MAX_CONNECTIONS: usize = 256;

/// Bytes that one connection reads ahead of what it has written back.
const BUFFER: usize = 4096;

/// How long to wait after `accept` failed, since the usual reason, no free file descriptor, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts and serves connections until `shutdown`; the connections' tasks are in `tracker`.
pub(crate) async fn serve(listener: TcpListener, shutdown: CancellationToken, tracker: TaskTracker) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // In a box: as it is, this future is over 1 KiB, which would be a finding of its own.
            let connection = Box::pin(serve_one(stream, peer, place, shutdown.clone()));
            let served = tracker.track_future(connection);
            if let Err(error) = spawn_named(&Handle::current(), "connection", served) {
                warn!(%error, %peer, "connection refused");
            }
        }
    };
    shutdown.run_until_cancelled(accepting).await;
}

/// Serves one connection, and gives its place back at the end.
async fn serve_one(stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, shutdown: CancellationToken) {
    async {
        debug!("accepted");
        match shutdown.run_until_cancelled(echo(stream)).await {
            Some(Ok(bytes)) => debug!(bytes, "closed by the peer"),
            Some(Err(error)) => debug!(%error, "connection lost"),
            None => debug!("closed, the server stops"),
        }
    }
    .instrument(info_span!("connection", %peer))
    .await;
    drop(place);
}

/// Echoes until the peer has closed its side; returns the number of bytes.
async fn echo(mut stream: TcpStream) -> io::Result<u64> {
    // On the heap, for a connection's future is to stay small.
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(total);
        }
        stream.write_all(&buffer[..read]).await?;
        total += read as u64;
    }
}
