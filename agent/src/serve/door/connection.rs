//! One connection's life, whatever its bytes come through.

use super::{
    Io,
    calls::Calls,
    guests::Guest,
    hello::{self, Hello},
    metered::Metered,
};
use crate::serve::{gate::Gate, listen::Origin};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncWriteExt as _, copy, sink};
use tonic::service::Routes;

/// Calls that HTTP/2 lets through at once: some more than are allowed, so that the next one is told why it is not.
const STREAMS: u32 = 16;

/// What the head of a call may take. Those of known clients have less than 500 bytes.
const HEAD: u32 = 8 << 10;

/// What may be on its way to the agent unread: its calls are a few bytes each.
const WINDOW: u32 = 64 << 10;

/// What is kept of a stream that the other side does not take.
const SEND: usize = 64 << 10;

/// The other side is asked for a sign of life this often,
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// and is given up when none has come after this much more.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// What somebody with a browser is told.
const OLDER_HTTP: &str = "HTTP/1.1 505 HTTP Version Not Supported\r\n\
    content-type: text/plain\r\n\
    content-length: 52\r\n\
    connection: close\r\n\r\n\
    This is a gRPC port; watch it with holdup HOST:PORT\n";

/// Serves one connection until its end, or until it has to leave.
pub(super) async fn serve(came: (Box<dyn Io>, Origin), guest: Arc<Guest>, gate: Arc<Gate>, routes: Routes) {
    tokio::select! {
        () = guest.has_to_leave() => {}
        // How it ends is the other side's business.
        _ = converse(came, Arc::clone(&guest), gate, routes) => {}
    }
}

async fn converse(
    (io, from): (Box<dyn Io>, Origin),
    guest: Arc<Guest>,
    gate: Arc<Gate>,
    routes: Routes,
) -> io::Result<()> {
    // Also of what is said before it is known to be a client.
    let io = Metered::new(io, guest.heard());
    let (io, visitor) = gate.enter(Box::new(io), from).await?;
    // What comes by TLS was counted on its way.
    let mut io = Metered::new(io, guest.heard());
    match hello::read(&mut io).await? {
        Hello::Http2 => {
            let io = TokioIo::new(io.with_preface());
            http2().serve_connection(io, Calls::new(guest, gate, visitor, routes)).await.map_err(io::Error::other)
        }
        // Whoever speaks TLS is told by that, too, that here is none.
        Hello::Http1 | Hello::Tls => {
            io.write_all(OLDER_HTTP.as_bytes()).await?;
            io.shutdown().await?;
            // What is closed with something unread in it takes back what was answered.
            copy(&mut io, &mut sink()).await.map(drop)
        }
        Hello::Other => Ok(()),
    }
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SEND)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    builder
}

#[cfg(test)]
mod tests {
    use super::OLDER_HTTP;

    #[test]
    fn the_answer_to_the_older_http_is_as_long_as_it_says() {
        let (head, body) = OLDER_HTTP.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
