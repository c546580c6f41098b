//! A console that answers `WatchUpdates` with any head, bytes and trailers, as no server built from the format would.

use console_api::instrument::Update;
use http_body_util::StreamBody;
use prost::Message;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{
    Status,
    body::Body,
    codegen::{
        Bytes,
        http::{HeaderMap, Request, Response},
    },
    server::NamedService,
    service::Routes,
};
use tower::Service;

type Frame = http_body::Frame<Bytes>;
type Frames = mpsc::UnboundedReceiver<Result<Frame, Status>>;

/// One answer, sent to the first who asks for updates.
#[derive(Clone)]
pub(crate) struct Raw {
    head: HeaderMap,
    status: u16,
    body: Arc<Mutex<Option<Frames>>>,
}

/// The body, as the test sends it. Dropping it ends the response.
pub(crate) struct RawBody(mpsc::UnboundedSender<Result<Frame, Status>>);

/// An answer with this HTTP status and these headers.
pub(crate) fn answer(status: u16, head: &[(&'static str, &'static str)]) -> (Raw, RawBody) {
    let (sender, body) = mpsc::unbounded_channel();
    let raw = Raw { head: headers(head), status, body: Arc::new(Mutex::new(Some(body))) };
    (raw, RawBody(sender))
}

/// An answer with a head as any gRPC server's.
pub(crate) fn grpc() -> (Raw, RawBody) {
    answer(200, &[("content-type", "application/grpc")])
}

/// An update in its frame.
pub(crate) fn framed(update: &Update) -> Vec<u8> {
    let message = update.encode_to_vec();
    let length = u32::try_from(message.len()).expect("a small message");
    [&[0][..], &length.to_be_bytes(), &message].concat()
}

fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
    let parse = |(name, value): &(&'static str, &'static str)| {
        let name = name.parse().expect("a name");
        (name, value.parse().expect("a value"))
    };
    list.iter().map(parse).collect()
}

impl RawBody {
    pub(crate) fn bytes(&self, bytes: Vec<u8>) {
        self.frame(Frame::data(bytes.into()));
    }

    pub(crate) fn trailers(&self, trailers: &[(&'static str, &'static str)]) {
        self.frame(Frame::trailers(headers(trailers)));
    }

    fn frame(&self, frame: Frame) {
        // Whoever asked may be gone.
        let _ = self.0.send(Ok(frame));
    }
}

impl Raw {
    pub(crate) fn routes(self) -> Routes {
        Routes::new(self)
    }
}

impl NamedService for Raw {
    const NAME: &'static str = "rs.tokio.console.instrument.Instrument";
}

impl Service<Request<Body>> for Raw {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let asks_for_updates = request.uri().path().ends_with("/WatchUpdates");
        let response = match body.take_if(|_| asks_for_updates) {
            Some(frames) => {
                let body = Body::new(StreamBody::new(UnboundedReceiverStream::new(frames)));
                let mut response = Response::new(body);
                *response.headers_mut() = self.head.clone();
                *response.status_mut() = self.status.try_into().expect("a status");
                response
            }
            None => Status::unimplemented("").into_http(),
        };
        ready(Ok(response))
    }
}
