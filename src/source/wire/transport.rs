//! One connection: dial the target, by TLS where it says so, and speak HTTP/2 over it.
//!
//! The connection is made here and handed to tonic once. Left to itself, tonic would quietly dial again when it breaks,
//! and whoever answers then may be another process.

use super::{
    Credentials, Options,
    failure::{Failure, KEEP_ALIVE, KEEP_ALIVE_TIMEOUT, Shown},
    peer::{Observed, Peer, Speaks},
    tls,
};
use crate::source::Target;
use futures::future::{BoxFuture, select_ok};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use std::{
    future::ready,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tonic::{
    body::Body,
    codegen::http::{HeaderValue, Request, Response, Uri, header},
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
    pub(super) service: Requests<Channel>,
    pub(super) peer: Peer,
    pub(super) shown: Shown,
}

/// Connects.
pub(super) async fn connect(target: &Target, options: &Options) -> Result<Transport, Failure> {
    let Options { connect_timeout, answer_timeout, credentials, .. } = options;
    let token = credentials.header().map_err(|error| Failure::Credentials(error.to_string()))?;
    let waited = *connect_timeout;
    let dialed = timeout(waited, dial(target)).await.unwrap_or_else(|_| {
        let target = target.short();
        Err(Failure::ConnectTimeout { target, waited })
    })?;
    let Dialed { io, way } = match target {
        Target::Tls { host, .. } => secure(dialed.io, host, target, credentials, *answer_timeout).await?,
        _ => dialed,
    };
    let (token, shown) = way.shows(token);
    let peer = Peer::new();
    let mut once = Some(TokioIo::new(Observed::new(io, peer.clone())));
    let connector =
        tower::service_fn(move |_: Uri| ready(once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))));
    let channel = endpoint(target)
        .connect_with_connector(connector)
        .await
        .map_err(|error| Failure::of_connection(&peer, &error))?;
    Ok(Transport { service: Requests { inner: channel, token }, peer, shown })
}

fn endpoint(target: &Target) -> Endpoint {
    // A zone is meaningful on this machine only, and no part of a URI.
    let authority = match target {
        Target::Tcp { host, .. } | Target::Tls { host, .. } if host.contains('%') => None,
        // tonic would make the connection secure itself, which is done by then.
        Target::Tcp { .. } | Target::Tls { .. } => Endpoint::from_shared(format!("http://{}", target.short())).ok(),
        Target::Unix(_) | Target::Pid(_) | Target::Name(_) | Target::Core(_) | Target::Recording(_) => None,
    };
    let endpoint = authority.unwrap_or_else(|| Endpoint::from_static("http://localhost"));
    let endpoint = match (target, target.to_string().parse()) {
        (Target::Tls { .. }, Ok(origin)) => endpoint.origin(origin),
        _ => endpoint,
    };
    endpoint
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, and whether others could read along.
struct Dialed {
    io: Box<dyn Io>,
    way: Way,
}

/// The way to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It stays on this machine, or is by TLS.
    Private,
    /// Others could read along.
    Open,
}

impl Way {
    /// Of TCP, without TLS.
    fn to(address: IpAddr) -> Self {
        if address.to_canonical().is_loopback() { Self::Private } else { Self::Open }
    }

    /// What is sent of a token this way.
    fn shows(self, token: Option<HeaderValue>) -> (Option<HeaderValue>, Shown) {
        match (token, self) {
            (None, _) => (None, Shown::Nothing),
            (Some(_), Self::Open) => (None, Shown::Withheld),
            (Some(token), Self::Private) => (Some(token), Shown::Token),
        }
    }
}

async fn dial(target: &Target) -> Result<Dialed, Failure> {
    let connected = match target {
        Target::Tcp { host, port } | Target::Tls { host, port } => tcp(resolve(host, *port).await?).await,
        Target::Unix(path) => unix(path).await,
        // What is read in memory is connected to by nobody.
        Target::Pid(_) | Target::Name(_) | Target::Core(_) | Target::Recording(_) => {
            Err(io::ErrorKind::Unsupported.into())
        }
    };
    connected.map_err(|error| Failure::to_connect(&target.short(), &error))
}

/// Makes a connection secure.
async fn secure(
    io: Box<dyn Io>,
    host: &str,
    target: &Target,
    credentials: &Credentials,
    waited: Duration,
) -> Result<Dialed, Failure> {
    let wrong = |error: super::CredentialError| Failure::Credentials(error.to_string());
    let name = credentials.name_of(host).map_err(wrong)?;
    let connector = TlsConnector::from(credentials.tls().map_err(wrong)?);
    let outside = Peer::new();
    let said = name.to_str().into_owned();
    let connecting = connector.connect(name, Observed::new(io, outside.clone()));
    let Ok(connected) = timeout(waited, connecting).await else {
        return Err(Failure::NoAnswer { target: target.short(), waited });
    };
    connected.map(|io| Dialed { io: Box::new(io), way: Way::Private }).map_err(|error| match outside.speaks() {
        Speaks::Tls => tls::failure(&error, &said),
        Speaks::Nothing => Failure::of_connection(&outside, &error),
        Speaks::Http1 | Speaks::Http2 | Speaks::Unknown => Failure::NotTls,
    })
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
async fn tcp(addresses: Vec<SocketAddr>) -> io::Result<Dialed> {
    let tries = addresses.into_iter().map(|to| Box::pin(TcpStream::connect(to)));
    let (stream, _) = select_ok(tries).await?;
    stream.set_nodelay(true)?;
    let way = Way::to(stream.peer_addr()?.ip());
    Ok(Dialed { io: Box::new(stream), way })
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Dialed> {
    Ok(Dialed { io: Box::new(tokio::net::UnixStream::connect(path).await?), way: Way::Private })
}

#[cfg(not(unix))]
async fn unix(_: &Path) -> io::Result<Dialed> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Requests with the client's token. Their responses carry no status details: nobody reads them here, and tonic trusts them too much.
#[derive(Debug, Clone)]
pub(super) struct Requests<S> {
    inner: S,
    token: Option<HeaderValue>,
}

impl<S> Service<Request<Body>> for Requests<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(token) = &self.token {
            request.headers_mut().insert(header::AUTHORIZATION, token.clone());
        }
        let response = self.inner.call(request);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_where_nobody_else_could_read_it() {
        let token = || Some(HeaderValue::from_static("Bearer s3cret"));
        for here in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            let way = Way::to(here.parse().expect("an address"));
            assert_eq!(way.shows(token()), (token(), Shown::Token), "{here}");
        }
        for there in ["10.0.0.1", "192.168.1.1", "::ffff:10.0.0.1", "fe80::1"] {
            let way = Way::to(there.parse().expect("an address"));
            assert_eq!(way.shows(token()), (None, Shown::Withheld), "{there}");
            assert_eq!(way.shows(None), (None, Shown::Nothing));
        }
    }
}
