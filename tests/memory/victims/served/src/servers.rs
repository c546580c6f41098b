//! Servers: axum with layers, and hyper by itself, of HTTP/1 and 2.

use crate::{LONG, Store, frame, load, truth, wait};
use axum::{
    BoxError, Router,
    body::Body,
    error_handling::HandleErrorLayer,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, net::SocketAddr};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    (listener, at)
}

/// What a service has: handlers with arguments, behind functions in between, behind layers of tower.
pub fn routes(store: Store) -> Router {
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::SERVICE_UNAVAILABLE }))
        .timeout(LONG)
        .load_shed()
        .concurrency_limit(8)
        .into_inner();
    let buffered = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_: BoxError| async { StatusCode::SERVICE_UNAVAILABLE }))
        .buffer(4)
        .into_inner();
    Router::new()
        .route("/layers", get(layered).layer(layers))
        .route("/slow/{id}", get(slow))
        .route("/boxed", get(slow_boxed).layer(buffered))
        .route("/body", post(reads_body))
        .layer(from_fn(between))
        .with_state(store)
}

async fn layered(State(store): State<Store>) -> String {
    let mut at = frame!();
    wait!(at);
    load(&store, 1).await.to_string()
}

async fn slow(State(store): State<Store>, Path(id): Path<u64>) -> String {
    let mut at = frame!();
    wait!(at);
    load(&store, id).await.to_string()
}

async fn slow_boxed(State(store): State<Store>) -> String {
    let mut at = frame!();
    wait!(at);
    Box::pin(load(&store, 3)).await.to_string()
}

/// Waits for a body that its client never sends whole.
async fn reads_body(body: Body) -> StatusCode {
    let mut at = frame!();
    wait!(at, truth::opaque());
    match body.collect().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// A function between the router and its handlers.
async fn between(request: Request, next: Next) -> Response {
    let mut at = frame!();
    wait!(at, truth::opaque());
    next.run(request).await
}

pub async fn axum(routes: Router) -> SocketAddr {
    let (listener, at) = listener().await;
    tokio::spawn(serves(listener, routes));
    at
}

async fn serves(listener: TcpListener, routes: Router) {
    let mut at = frame!();
    wait!(at, truth::io(&listener, "read"));
    let _ = axum::serve(listener, routes).await;
}

async fn answer(store: Store) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let mut at = frame!();
    wait!(at, truth::opaque());
    let loaded = load(&store, 5).await;
    Ok(hyper::Response::new(Full::new(Bytes::from(loaded.to_string()))))
}

pub async fn http1(store: Store) -> SocketAddr {
    let (listener, at) = listener().await;
    tokio::spawn(async move {
        let mut at = frame!();
        loop {
            wait!(at, truth::io(&listener, "read"));
            let Ok((stream, _)) = listener.accept().await else { break };
            tokio::spawn(one(stream, store.clone()));
        }
    });
    at
}

/// One connection.
async fn one(stream: tokio::net::TcpStream, store: Store) {
    let mut at = frame!();
    let service = service_fn(move |_| answer(store.clone()));
    wait!(at, truth::opaque());
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

pub async fn http2(store: Store) -> SocketAddr {
    let (listener, at) = listener().await;
    tokio::spawn(async move {
        let mut at = frame!();
        loop {
            wait!(at, truth::io(&listener, "read"));
            let Ok((stream, _)) = listener.accept().await else { break };
            tokio::spawn(several(stream, store.clone()));
        }
    });
    at
}

/// One connection with many streams, each of which is a task.
async fn several(stream: tokio::net::TcpStream, store: Store) {
    let mut at = frame!();
    let service = service_fn(move |_| answer(store.clone()));
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    wait!(at, truth::opaque());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
