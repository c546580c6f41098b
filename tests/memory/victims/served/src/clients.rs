//! Clients, each with a request that is never answered.

use crate::{frame, truth, wait};
use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks, and waits a little for it to be on its way.
pub async fn by_hand(to: SocketAddr, path: &'static str) {
    tokio::spawn(asks(to, path));
    tokio::time::sleep(Duration::from_millis(50)).await;
}

async fn asks(to: SocketAddr, path: &'static str) {
    let mut at = frame!();
    let Ok(mut stream) = TcpStream::connect(to).await else { return };
    let (method, length) = if path == "/body" { ("POST", "content-length: 10\r\n") } else { ("GET", "") };
    let request = format!("{method} {path} HTTP/1.1\r\nhost: here\r\n{length}\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return;
    }
    let mut answer = [0; 64];
    wait!(at, truth::io(&stream, "read"));
    let _ = stream.read(&mut answer).await;
}

pub async fn by_reqwest(to: SocketAddr) {
    let mut at = frame!();
    let client = reqwest::Client::new();
    let request = client.get(format!("http://{to}/slow/21"));
    wait!(at, truth::opaque());
    let _ = request.send().await;
}

pub async fn by_hyper(to: SocketAddr) {
    let mut at = frame!();
    let client: Client<HttpConnector, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let Ok(uri) = format!("http://{to}/slow/22").parse() else { return };
    wait!(at, truth::opaque());
    let _ = client.get(uri).await;
}

pub async fn by_http2(to: SocketAddr) {
    let mut at = frame!();
    let Ok(stream) = TcpStream::connect(to).await else { return };
    let made = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let Ok((mut sender, connection)) = made else { return };
    tokio::spawn(connects(connection));
    let Ok(request) = hyper::Request::builder().uri(format!("http://{to}/")).body(Empty::<Bytes>::new()) else { return };
    wait!(at, truth::opaque());
    let _ = sender.send_request(request).await;
}

type Connection = hyper::client::conn::http2::Connection<TokioIo<TcpStream>, Empty<Bytes>, TokioExecutor>;

async fn connects(connection: Connection) {
    let mut at = frame!();
    wait!(at, truth::opaque());
    let _ = connection.await;
}
