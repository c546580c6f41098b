//! One connection: dial the target, speak HTTP/2 over it.
//!
//! The connection is made here and handed to tonic once. Left to itself, tonic would quietly dial again when it breaks,
//! and whoever answers then may be another process.

use super::{
    Options,
    failure::{Failure, KEEP_ALIVE, KEEP_ALIVE_TIMEOUT},
    peer::{Observed, Peer},
};
use crate::source::Target;
use futures::future::{BoxFuture, select_ok};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use std::{
    future::ready,
    io,
    net::SocketAddr,
    path::Path,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tonic::{
    body::Body,
    codegen::http::{Request, Response, Uri},
    transport::{Channel, Endpoint},
};
use tower::Service;

/// How much may be on its way to us unread: enough for 80 Mbit/s at 400 ms, and small beside a model.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 2 * STREAM_WINDOW;

/// A name with more addresses than this is answered by a load balancer; any of them will do.
const MAX_ADDRESSES: usize = 8;

/// The header in which a status carries details. tonic 0.14 panics on one that is not base64.
const STATUS_DETAILS: &str = "grpc-status-details-bin";

/// A connection, ready for requests.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) service: Sanitized<Channel>,
    pub(super) peer: Peer,
}

/// Connects.
pub(super) async fn connect(target: &Target, options: &Options) -> Result<Transport, Failure> {
    let waited = options.connect_timeout;
    let io = timeout(waited, dial(target)).await.unwrap_or_else(|_| {
        let target = target.short();
        Err(Failure::ConnectTimeout { target, waited })
    })?;
    let peer = Peer::new();
    let mut once = Some(TokioIo::new(Observed::new(io, peer.clone())));
    let connector =
        tower::service_fn(move |_: Uri| ready(once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))));
    let channel = endpoint(target)
        .connect_with_connector(connector)
        .await
        .map_err(|error| Failure::of_connection(&peer, &error))?;
    Ok(Transport { service: Sanitized(channel), peer })
}

fn endpoint(target: &Target) -> Endpoint {
    // A zone is meaningful on this machine only, and no part of a URI.
    let authority = match target {
        Target::Tcp { host, .. } if host.contains('%') => None,
        Target::Tcp { .. } => Endpoint::from_shared(target.to_string()).ok(),
        Target::Unix(_) | Target::Pid(_) | Target::Name(_) | Target::Core(_) => None,
    };
    authority
        .unwrap_or_else(|| Endpoint::from_static("http://localhost"))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

async fn dial(target: &Target) -> Result<Box<dyn Io>, Failure> {
    let connected = match target {
        Target::Tcp { host, port } => tcp(resolve(host, *port).await?).await,
        Target::Unix(path) => unix(path).await,
        // What is read in memory is connected to by nobody.
        Target::Pid(_) | Target::Name(_) | Target::Core(_) => Err(io::ErrorKind::Unsupported.into()),
    };
    connected.map_err(|error| Failure::to_connect(&target.short(), &error))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    let unresolved = |error: String| Failure::Resolve { host: host.to_owned(), error };
    let found = lookup_host((host, port)).await.map_err(|error| unresolved(error.to_string()))?;
    let addresses: Vec<_> = found.take(MAX_ADDRESSES).collect();
    if addresses.is_empty() {
        return Err(unresolved("it has no address".to_owned()));
    }
    Ok(addresses)
}

/// All of them at once: a host whose IPv6 leads nowhere is as fast as its IPv4.
async fn tcp(addresses: Vec<SocketAddr>) -> io::Result<Box<dyn Io>> {
    let tries = addresses.into_iter().map(|to| Box::pin(TcpStream::connect(to)));
    let (stream, _) = select_ok(tries).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Box<dyn Io>> {
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> io::Result<Box<dyn Io>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A service whose responses carry no status details: nobody reads them here, and tonic trusts them too much.
#[derive(Debug, Clone)]
pub(super) struct Sanitized<S>(S);

impl<S> Service<Request<Body>> for Sanitized<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let response = self.0.call(request);
        Box::pin(async move { response.await.map(sanitize) })
    }
}

fn sanitize(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().remove(STATUS_DETAILS);
    response.map(|body| {
        Body::new(body.map_frame(|mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                trailers.remove(STATUS_DETAILS);
            }
            frame
        }))
    })
}
