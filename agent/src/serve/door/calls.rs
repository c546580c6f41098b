//! The calls of one connection: each is counted, and goes on to the two services.

use super::guests::{Asks, Call, Guest};
use crate::serve::gate::{ATTACHES, Gate, Visitor};
use futures::future::BoxFuture;
use hyper::{
    Request, Response,
    body::{Frame, Incoming, SizeHint},
    service::Service,
};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{
    Status,
    body::Body,
    codegen::{Bytes, Service as _},
    service::Routes,
};

/// The two services, as one connection has them.
#[derive(Debug)]
pub(super) struct Calls {
    guest: Arc<Guest>,
    gate: Arc<Gate>,
    visitor: Visitor,
    routes: Routes,
}

impl Calls {
    pub(super) fn new(guest: Arc<Guest>, gate: Arc<Gate>, visitor: Visitor, routes: Routes) -> Self {
        Self { guest, gate, visitor, routes }
    }
}

impl Service<Request<Incoming>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let known = match self.gate.admit(&self.visitor, request.uri(), request.headers()) {
            Ok(known) => known,
            // It stays at the door, with as little time as one that says nothing: a place inside is for those who may look, and nobody keeps one at the door
            // by asking for what they may not have. The first call that may be made brings the connection in, whatever was refused before it.
            Err(refused) => return Box::pin(async move { Ok(refused.into_http()) }),
        };
        let asks = if ATTACHES.contains(&request.uri().path()) { Asks::Whole } else { Asks::Little };
        let call = match self.guest.call(asks) {
            Ok(call) => call,
            Err(refused) => return Box::pin(async move { Ok(Status::from(refused).into_http()) }),
        };
        if let Err(refused) = self.gate.is_time(&self.visitor, &known, request.uri()) {
            return Box::pin(async move { Ok(refused.into_http()) });
        }
        self.gate.note(&self.visitor, &known, request.uri());
        let response = self.routes.clone().call(request.map(Body::new));
        Box::pin(async move { Ok(response.await?.map(|body| Body::new(Counted { body, _call: call }))) })
    }
}

/// What a call is answered with. The call goes on until this is let go.
struct Counted {
    body: Body,
    _call: Call,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
