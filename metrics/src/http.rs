//! One connection, one request: HTTP/1.1, `GET` alone, and an end after five seconds whatever comes.
//!
//! Whoever serves accepts connections itself, no more than [`CONNECTIONS`] at once, and hands each over. What is kept of one is bounded: a head that is
//! too large is refused, and a body is not read.

use crate::format::Format;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Frame, Incoming, SizeHint},
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};

pub use hyper::{HeaderMap, Uri, body::Bytes};

/// Connections at once.
pub const CONNECTIONS: usize = 8;

/// What a connection has for all that it does.
pub const TIME: Duration = Duration::from_secs(5);

/// Bytes of a request's head. Prometheus' own has less than 1 KiB.
const HEAD: usize = 8 << 10;

/// Headers of a request.
const HEADERS: usize = 64;

/// Why somebody is told nothing, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// What is asked for was not shown: a token.
    Unauthorized(String),
    /// Whoever it is, they may not.
    Forbidden(String),
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Metrics, in this format.
    Metrics(Format, Bytes),
    /// A line that all is well.
    Well(&'static str),
    /// A line that it is not, for now.
    NotNow(&'static str),
    /// There is nothing of that name.
    Nowhere,
}

/// Whoever answers requests.
pub trait Answers {
    /// Whether this request may be made, whatever it asks for.
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused>;

    /// What there is at this path. Metrics are told in the format.
    fn answer(&self, path: &str, format: Format) -> Answer;
}

/// Reads a request and answers it. It is over after [`TIME`] whatever the other side does; how it ends is the other side's business.
pub async fn converse(io: impl AsyncRead + AsyncWrite + Unpin, answers: &impl Answers) {
    let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(respond(&request, answers))));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(TIME).keep_alive(false).max_buf_size(HEAD).max_headers(HEADERS);
    let _ = timeout(TIME, server.serve_connection(TokioIo::new(io), service)).await;
}

fn respond(request: &Request<Incoming>, answers: &impl Answers) -> Response<Whole> {
    if let Err(refused) = answers.admit(request.uri(), request.headers()) {
        return match refused {
            Refused::Unauthorized(why) => {
                with(line(StatusCode::UNAUTHORIZED, &why), WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Refused::Forbidden(why) => line(StatusCode::FORBIDDEN, &why),
        };
    }
    if request.method() != Method::GET {
        let refused = line(StatusCode::METHOD_NOT_ALLOWED, "there is GET, and nothing else");
        return with(refused, ALLOW, HeaderValue::from_static("GET"));
    }
    let accept = request.headers().get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let format = Format::of(Some(&accept.collect::<Vec<_>>().join(",")));
    match answers.answer(request.uri().path(), format) {
        Answer::Metrics(format, text) => {
            with(Response::new(Whole(Some(text))), CONTENT_TYPE, HeaderValue::from_static(format.content_type()))
        }
        Answer::Well(said) => line(StatusCode::OK, said),
        Answer::NotNow(said) => line(StatusCode::SERVICE_UNAVAILABLE, said),
        Answer::Nowhere => line(StatusCode::NOT_FOUND, "metrics are at /metrics"),
    }
}

fn line(status: StatusCode, said: &str) -> Response<Whole> {
    let mut response = whole(format!("{said}\n"));
    *response.status_mut() = status;
    with(response, CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
}

fn whole(text: String) -> Response<Whole> {
    Response::new(Whole(Some(text.into())))
}

fn with(mut response: Response<Whole>, name: hyper::header::HeaderName, value: HeaderValue) -> Response<Whole> {
    response.headers_mut().insert(name, value);
    response
}

/// A body of which all is there.
#[derive(Debug)]
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests;
