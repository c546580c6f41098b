//! The call that tells everything, `WatchUpdates` of a console or `Watch` of an agent, read as it arrives.
//!
//! It is made on the channel itself and not through a generated client, which would hold each message whole: see
//! [`walk`](crate::source::codec::walk).

use super::{
    failure::{Failure, Shown},
    framing::{Deframer, Piece},
    lateness::Lateness,
    transport::Transport,
};
use crate::{
    source::codec::{console::Console, holdup::Holdup, walk::Walker},
    update::{Stamp, Update},
};
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{
    Status,
    body::Body,
    codegen::{
        Bytes,
        http::{HeaderMap, Method, Request, Response, StatusCode, Version, header},
    },
};
use tower::{Service, ServiceExt};

/// A request without fields, in its frame.
const REQUEST: &[u8] = &[0; 5];

/// What a stream is asked in, and told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The console's.
    Console,
    /// holdup's own.
    Holdup,
}

impl Format {
    fn path(self) -> &'static str {
        match self {
            Self::Console => "/rs.tokio.console.instrument.Instrument/WatchUpdates",
            Self::Holdup => "/holdup.v1.Diagnostics/Watch",
        }
    }
}

/// The walk over one format or the other.
#[derive(Debug)]
enum AnyWalker {
    Console(Box<Walker<Console>>),
    Holdup(Box<Walker<Holdup>>),
}

impl AnyWalker {
    fn new(format: Format) -> Self {
        match format {
            Format::Console => Self::Console(Box::default()),
            Format::Holdup => Self::Holdup(Box::default()),
        }
    }

    fn begin(&mut self, length: usize) {
        match self {
            Self::Console(walker) => walker.begin(length),
            Self::Holdup(walker) => walker.begin(length),
        }
    }

    fn feed(&mut self, bytes: &[u8], pages: &mut Vec<Update>) {
        match self {
            Self::Console(walker) => walker.feed(bytes, pages),
            Self::Holdup(walker) => walker.feed(bytes, pages),
        }
    }

    fn now(&self) -> Option<Stamp> {
        match self {
            Self::Console(walker) => walker.now(),
            Self::Holdup(walker) => walker.now(),
        }
    }

    fn flush(&mut self) -> Option<Update> {
        match self {
            Self::Console(walker) => walker.flush(),
            Self::Holdup(walker) => walker.flush(),
        }
    }

    fn end(&mut self) -> Update {
        match self {
            Self::Console(walker) => walker.end(),
            Self::Holdup(walker) => walker.end(),
        }
    }
}

/// The response: updates until it ends.
#[derive(Debug)]
pub(super) struct Updates {
    transport: Transport,
    body: Body,
    deframer: Deframer,
    walker: AnyWalker,
    limit: usize,
    message: Option<Progress>,
    lateness: Lateness,
}

/// How far a message has come, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) received: u64,
    pub(super) total: u64,
}

impl Updates {
    /// Asks for the updates; `limit` is the largest message that is accepted. Waits for the head of the response only.
    pub(super) async fn open(mut transport: Transport, format: Format, limit: usize) -> Result<Self, Failure> {
        let mut request = Request::new(Body::new(Full::new(Bytes::from_static(REQUEST))));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = format.path().parse().map_err(|_| Failure::NotConsole)?;
        let headers = request.headers_mut();
        headers.insert(header::TE, header::HeaderValue::from_static("trailers"));
        let grpc = header::HeaderValue::from_static("application/grpc");
        headers.insert(header::CONTENT_TYPE, grpc);

        let broken = |error| Failure::of_connection(&transport.peer, &error);
        let service = transport.service.ready().await.map_err(broken)?;
        let response = service.call(request).await.map_err(broken)?;
        accept(&response, transport.shown)?;
        Ok(Self {
            transport,
            body: response.into_body(),
            deframer: Deframer::new(limit),
            walker: AnyWalker::new(format),
            limit,
            message: None,
            lateness: Lateness::new(Instant::now()),
        })
    }

    /// Waits for the next bytes and adds the pages that they complete to `pages`. Cancelling it loses nothing.
    pub(super) async fn next(&mut self, pages: &mut Vec<Update>) -> Result<(), Failure> {
        let Some(frame) = self.body.frame().await else {
            return Err(self.end(None));
        };
        let frame = frame.map_err(|status| Failure::of_connection(&self.transport.peer, &status))?;
        match frame.into_data() {
            Ok(data) => {
                let (came, before) = (Instant::now(), pages.len());
                let taken = self.take(&data, came, pages);
                for page in pages.iter_mut().skip(before) {
                    self.judge(page, came);
                }
                taken
            }
            Err(frame) => Err(self.end(frame.trailers_ref())),
        }
    }

    /// How far the message under way has come; `None` between two messages.
    pub(super) fn progress(&self) -> Option<Progress> {
        self.message
    }

    /// What has come of the message under way and was not handed out yet.
    pub(super) fn flush(&mut self) -> Option<Update> {
        let mut page = self.walker.flush()?;
        self.judge(&mut page, Instant::now());
        Some(page)
    }

    fn judge(&self, page: &mut Update, came: Instant) {
        page.late = page.now.map_or(Duration::ZERO, |now| self.lateness.of(now, came));
    }

    fn take(&mut self, mut data: &[u8], came: Instant, pages: &mut Vec<Update>) -> Result<(), Failure> {
        loop {
            let piece = self.deframer.next(&mut data).map_err(|error| Failure::of_frame(error, self.limit))?;
            match piece {
                None => return Ok(()),
                Some(Piece::Begin(total)) => {
                    self.walker.begin(total);
                    self.message = Some(Progress { received: 0, total: total as u64 });
                }
                Some(Piece::Bytes(bytes)) => {
                    let said = self.walker.now();
                    self.walker.feed(bytes, pages);
                    if let (None, Some(now)) = (said, self.walker.now()) {
                        self.lateness.begin(now, came);
                    }
                    if let Some(message) = &mut self.message {
                        message.received += bytes.len() as u64;
                    }
                }
                Some(Piece::End) => {
                    pages.push(self.walker.end());
                    self.message = None;
                }
            }
        }
    }

    /// A stream that ends without a status was cut off: by the peer's end, or by something between.
    fn end(&self, trailers: Option<&HeaderMap>) -> Failure {
        match trailers.and_then(Status::from_header_map) {
            Some(status) => Failure::of_status(status.code(), status.message(), self.transport.shown),
            None if self.transport.peer.end().is_some() => Failure::Closed,
            None => Failure::Ended,
        }
    }
}

/// Whether the head of a response is a gRPC server's, and not a refusal.
fn accept(response: &Response<Body>, shown: Shown) -> Result<(), Failure> {
    if response.status() != StatusCode::OK {
        return Err(Failure::HttpStatus(response.status().as_u16()));
    }
    // A refusal may come as a head alone, and then names no type in some implementations.
    if let Some(status) = Status::from_header_map(response.headers()) {
        return Err(Failure::of_status(status.code(), status.message(), shown));
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    is_grpc.then_some(()).ok_or(Failure::NotGrpc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::codegen::http::{HeaderName, HeaderValue};

    fn head(status: u16, headers: &[(&'static str, &'static str)]) -> Result<(), Failure> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        accept(&response, Shown::Nothing)
    }

    #[test]
    fn the_head_of_a_response_tells_what_answers() {
        let grpc = ("content-type", "application/grpc+proto");
        assert_eq!(head(200, &[grpc]), Ok(()));
        assert_eq!(head(404, &[grpc]), Err(Failure::HttpStatus(404)));
        assert_eq!(head(200, &[]), Err(Failure::NotGrpc));
        assert_eq!(head(200, &[("content-type", "text/html")]), Err(Failure::NotGrpc));
        assert_eq!(head(200, &[grpc, ("grpc-status", "12")]), Err(Failure::NotConsole));
        let refused = head(200, &[grpc, ("grpc-status", "7"), ("grpc-message", "no%20entry")]);
        assert_eq!(refused, Err(Failure::Forbidden("no entry".to_owned())));
        assert_eq!(head(200, &[grpc, ("grpc-status", "16")]), Err(Failure::NoToken));
    }
}
