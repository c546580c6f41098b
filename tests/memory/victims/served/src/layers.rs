//! Tower without a server: a limit that is reached, a buffer whose worker is a task, boxes.

use crate::{Store, frame, load, truth, wait};
use std::convert::Infallible;
use tower::{
    BoxError, Service, ServiceBuilder, ServiceExt, service_fn,
    util::{BoxCloneService, BoxService},
};

type Boxed = BoxCloneService<u64, u64, Infallible>;

pub fn spawn(store: Store) {
    let inner = service_fn(move |id| answers(store.clone(), id));
    let boxed: Boxed = BoxCloneService::new(inner);
    tokio::spawn(once(boxed.clone()));
    let limited = ServiceBuilder::new().concurrency_limit(1).service(boxed.clone());
    tokio::spawn(calls(limited.clone()));
    tokio::spawn(is_limited(limited));
    let buffered = ServiceBuilder::new().buffer(2).service(boxed.clone());
    tokio::spawn(is_buffered(buffered));
    tokio::spawn(several(BoxService::new(boxed)));
}

async fn answers(store: Store, id: u64) -> Result<u64, Infallible> {
    let mut at = frame!();
    wait!(at);
    Ok(load(&store, id).await)
}

async fn once(service: Boxed) {
    let mut at = frame!();
    wait!(at, truth::opaque());
    let _ = service.oneshot(31).await;
}

async fn calls(mut service: impl Service<u64, Response = u64, Error = Infallible>) {
    let mut at = frame!();
    let Ok(ready) = service.ready().await;
    let called = ready.call(32);
    wait!(at);
    let _ = called.await;
}

/// Waits for the one permit that there is.
async fn is_limited(mut service: impl Service<u64, Response = u64, Error = Infallible>) {
    let mut at = frame!();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    wait!(at, truth::opaque());
    let _ = service.ready().await;
}

/// What it calls is called by another task.
async fn is_buffered(mut service: impl Service<u64, Response = u64, Error = BoxError>) {
    let mut at = frame!();
    let Ok(ready) = service.ready().await else { return };
    let called = ready.call(33);
    wait!(at, truth::opaque());
    let _ = called.await;
}

async fn several(service: BoxService<u64, u64, Infallible>) {
    let mut at = frame!();
    wait!(at, truth::opaque());
    let _ = service.map_response(|n| n + 1).oneshot(34).await;
}
