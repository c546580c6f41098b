//! What becomes of a connection some of whose calls are refused.

use super::*;
use crate::{
    access::{Access, Secret},
    audit::Audit,
    serve::{gate::Gate, listen::Place},
};
use holdup_proto::v1::{DescribeRequest, diagnostics_client::DiagnosticsClient};
use hyper_util::rt::TokioIo;
use std::{
    future::{Ready, pending, ready},
    net::Ipv4Addr,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{DuplexStream, duplex},
    time::sleep,
};
use tonic::{
    Code, Request,
    codegen::{Service, http::Uri},
    service::Routes,
    transport::{Channel, Endpoint},
};

const TOKEN: &str = "0123456789abcdef";

/// One connection comes, and no other.
struct One(Option<DuplexStream>);

impl Listen for One {
    async fn accept(&mut self) -> io::Result<Arrived> {
        let Some(io) = self.0.take() else { return pending().await };
        let from = Origin::Tcp { local: Ipv4Addr::LOCALHOST.into(), remote: ([127, 0, 0, 1], 4000).into() };
        Ok(Arrived { io: Box::new(io), descriptor: None, from })
    }
}

/// Its other end: who has lost it cannot connect again.
struct Near(Option<DuplexStream>);

impl Service<Uri> for Near {
    type Response = TokioIo<DuplexStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::ConnectionRefused.into()))
    }
}

/// A client of an agent that asks for a token and has no services: what the gate lets through is not implemented.
async fn come() -> DiagnosticsClient<Channel> {
    let (near, far) = duplex(64 << 10);
    let access = Access { token: Some(Secret::new(TOKEN.to_owned())), ..Access::default() };
    let place = Place::Tcp(([127, 0, 0, 1], 6669).into());
    let gate = Gate::new(&access, &place, Audit::silent()).expect("it can be used");
    tokio::spawn(serve(One(Some(far)), 4, gate, Routes::default()));
    let endpoint = Endpoint::from_static("http://127.0.0.1:6669");
    DiagnosticsClient::new(endpoint.connect_with_connector(Near(Some(near))).await.expect("somebody is there"))
}

/// What a call is answered with that shows this token.
async fn ask(client: &mut DiagnosticsClient<Channel>, token: &str) -> Code {
    let mut request = Request::new(DescribeRequest {});
    let shown = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", shown);
    client.describe(request).await.map_or_else(|status| status.code(), |_| Code::Ok)
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_is_served_on_the_same_connection_once_it_shows_what_is_asked_for() {
    let mut client = come().await;
    assert_eq!(ask(&mut client, "of somebody else").await, Code::Unauthenticated);
    sleep(Duration::from_secs(4)).await;
    assert_eq!(ask(&mut client, "of somebody else").await, Code::Unauthenticated);
    assert_eq!(ask(&mut client, TOKEN).await, Code::Unimplemented);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ask(&mut client, "of somebody else").await, Code::Unauthenticated, "it is in, and stays");
    assert_eq!(ask(&mut client, TOKEN).await, Code::Unimplemented);
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_again_and_again_stays_at_the_door_and_has_to_leave() {
    let mut client = come().await;
    let mut refused = 0;
    while ask(&mut client, "of somebody else").await == Code::Unauthenticated {
        refused += 1;
        assert!(refused < 100, "it is still there");
        sleep(Duration::from_secs(1)).await;
    }
    assert!(refused > 1, "not at once");
}
