//! axum: users with passwords, prices as they change, and files, behind a limit and a timeout. It asks a service of its own by reqwest.

use crate::{Result, clients::Clients};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    error_handling::HandleErrorLayer,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{RwLock, Semaphore, broadcast, mpsc, watch},
    time::{interval, sleep},
};
use tokio_stream::wrappers::{BroadcastStream, ReceiverStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{BoxError, ServiceBuilder, limit::GlobalConcurrencyLimitLayer};

const TIMEOUT: Duration = Duration::from_secs(5);
/// How many passwords are hashed at once: as many as there are processors.
const HASHED_AT_ONCE: usize = 2;
const ROUNDS: usize = 4_000;
const CHUNKS: u8 = 32;

#[derive(Clone)]
struct App {
    users: Arc<RwLock<HashMap<String, Vec<u8>>>>,
    hashing: Arc<Semaphore>,
    prices: broadcast::Sender<u64>,
    latest: watch::Receiver<u64>,
    client: reqwest::Client,
    /// The service that knows the ratings of users.
    ratings: SocketAddr,
    requests: Arc<AtomicU64>,
    stop: CancellationToken,
}

#[derive(Debug, Serialize, Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Profile {
    name: String,
    hash_len: usize,
    rating: u64,
    price: u64,
}

pub(crate) async fn serve(listener: TcpListener, stop: CancellationToken) -> Result {
    let others = TcpListener::bind("127.0.0.1:0").await?;
    let ratings = others.local_addr()?;
    let (prices, _) = broadcast::channel(64);
    let (publish, latest) = watch::channel(0);
    let app = App {
        users: Arc::default(),
        hashing: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
        prices,
        latest,
        client: reqwest::Client::builder().timeout(TIMEOUT).build()?,
        ratings,
        requests: Arc::default(),
        stop: stop.clone(),
    };
    let tasks = TaskTracker::new();
    tasks.spawn(tick(app.prices.clone(), publish, stop.clone()));
    tasks.spawn(forget(app.users.clone(), stop.clone()));
    let ratings = Router::new().route("/ratings/{name}", get(rating));
    tasks.spawn(axum::serve(others, ratings).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future());
    axum::serve(listener, routes(app)).with_graceful_shutdown(stop.cancelled_owned()).await?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}

fn routes(app: App) -> Router {
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|error: BoxError| async move {
            let status = if error.is::<tower::timeout::error::Elapsed>() {
                StatusCode::REQUEST_TIMEOUT
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            (status, error.to_string())
        }))
        .layer(GlobalConcurrencyLimitLayer::new(16))
        .timeout(TIMEOUT);
    Router::new()
        .route("/users", post(register))
        .route("/users/{name}", get(profile))
        .route("/download/{chunks}", get(download))
        .layer(layers)
        .route("/prices", get(prices))
        .route("/health", get(|| async { "ok" }))
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let number = app.requests.fetch_add(1, Ordering::Relaxed);
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-request", number.into());
    response
}

/// Hashes on a thread for that: it takes some milliseconds.
async fn register(State(app): State<App>, Json(user): Json<Credentials>) -> Result<StatusCode, StatusCode> {
    let permit = app.hashing.acquire().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let Credentials { name, password } = user;
    let hash = tokio::task::spawn_blocking(move || {
        (0..ROUNDS).fold(password.into_bytes(), |hash, _| Sha256::digest(&hash).to_vec())
    });
    let hash = hash.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    drop(permit);
    app.users.write().await.insert(name, hash);
    Ok(StatusCode::CREATED)
}

async fn profile(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Profile>, StatusCode> {
    let rating = async {
        let url = format!("http://{}/ratings/{name}", app.ratings);
        app.client.get(url).send().await?.error_for_status()?.json::<u64>().await
    };
    let hash_len = async { app.users.read().await.get(&name).map(Vec::len) };
    let (rating, hash_len) = tokio::join!(rating, hash_len);
    let rating = rating.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let hash_len = hash_len.ok_or(StatusCode::NOT_FOUND)?;
    let price = *app.latest.borrow();
    Ok(Json(Profile { name, hash_len, rating, price }))
}

async fn rating(Path(name): Path<String>) -> impl IntoResponse {
    sleep(Duration::from_millis(3)).await;
    Json(name.len() as u64)
}

/// Every price from now on.
async fn prices(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Whoever is slow misses some.
    let prices = BroadcastStream::new(app.prices.subscribe()).filter_map(async |price| price.ok());
    let events = prices.map(|price| Ok(Event::default().event("price").data(price.to_string())));
    Sse::new(events.take_until(app.stop.cancelled_owned())).keep_alive(KeepAlive::default())
}

/// A body that is made while it is sent, no faster than its reader reads.
async fn download(Path(chunks): Path<u8>) -> Response {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(4);
    tokio::spawn(async move {
        for chunk in 0..chunks {
            // Nobody reads any more.
            if sender.send(Ok(Bytes::from(vec![chunk; 16 * 1024]))).await.is_err() {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receiver)).into_response()
}

async fn tick(prices: broadcast::Sender<u64>, latest: watch::Sender<u64>, stop: CancellationToken) {
    let mut ticks = interval(Duration::from_millis(100));
    let mut price = 100;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        price += 1;
        // Nobody listens now.
        let _ = prices.send(price);
        latest.send_replace(price);
    }
}

/// Forgets all users now and then, as a cache does.
async fn forget(users: Arc<RwLock<HashMap<String, Vec<u8>>>>, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(Duration::from_secs(5))).await.is_some() {
        let mut users = users.write().await;
        if users.len() > 1_000 {
            users.clear();
        }
    }
}

pub(crate) fn load(at: SocketAddr, clients: &mut Clients) {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().expect("a client");
    for user in 0..8 {
        let client = client.clone();
        clients.each(Duration::from_millis(400), move || visit(client.clone(), at, format!("user-{user}")));
    }
    for pause in [50, 700] {
        clients.each(Duration::from_millis(pause), move || listen(at));
    }
    clients.each(Duration::from_secs(1), move || read(at, Duration::ZERO));
    clients.each(Duration::from_secs(1), move || read(at, Duration::from_millis(40)));
    clients.each(Duration::from_millis(500), move || async move {
        // On a connection of its own, as a probe does.
        reqwest::get(format!("http://{at}/health")).await?.error_for_status()?;
        Ok(())
    });
}

async fn visit(client: reqwest::Client, at: SocketAddr, name: String) -> Result {
    let user = Credentials { name: name.clone(), password: "secret".to_owned() };
    client.post(format!("http://{at}/users")).json(&user).send().await?.error_for_status()?;
    let profile = client.get(format!("http://{at}/users/{name}")).send().await?.error_for_status()?;
    let profile: Profile = profile.json().await?;
    if profile.rating != name.len() as u64 || profile.hash_len != 32 {
        return Err(format!("an answer that is wrong: {profile:?}").into());
    }
    Ok(())
}

/// Some seconds of prices.
async fn listen(at: SocketAddr) -> Result {
    let prices = reqwest::get(format!("http://{at}/prices")).await?.error_for_status()?;
    let mut events = prices.bytes_stream().take(40);
    while let Some(event) = events.next().await {
        event?;
    }
    Ok(())
}

/// A file, with a pause after each piece of it.
async fn read(at: SocketAddr, pause: Duration) -> Result {
    let file = reqwest::get(format!("http://{at}/download/{CHUNKS}")).await?.error_for_status()?;
    let mut pieces = file.bytes_stream();
    let mut read = 0;
    while let Some(piece) = pieces.next().await {
        read += piece?.len();
        sleep(pause).await;
    }
    if read != usize::from(CHUNKS) * 16 * 1024 {
        return Err(format!("a file of {read} bytes").into());
    }
    Ok(())
}
