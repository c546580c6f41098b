//! More chains: wrappers, streams, futures written by hand.

use super::{LONG, asleep, chains::told, spawn as spawn_boxed};
use crate::{
    frame,
    truth::{of, opaque, timer},
    wait,
};
use futures::{
    FutureExt, StreamExt,
    future::{self, AbortHandle, Abortable, Either},
    stream,
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneService};
use tracing::Instrument;

pub fn spawn(notify: &Arc<Notify>) {
    tokio::spawn(spanned(notify.clone()));
    tokio::spawn(told(notify.clone()).instrument(tracing::info_span!("request", id = 7)));
    spawn_boxed(either(notify.clone(), Way::Left));
    spawn_boxed(either(notify.clone(), Way::Right));
    spawn_boxed(mapped(notify.clone()));
    spawn_boxed(fused(notify.clone()));
    tokio::spawn(abortable(notify.clone()));
    spawn_boxed(two(notify.clone()));
    spawn_boxed(shared(notify.clone()));
    let token = CancellationToken::new();
    spawn_boxed(cancelled(token.clone()));
    spawn_boxed(until_cancelled(token.clone(), notify.clone()));
    spawn_boxed(cancelled_owned(token));
    spawn_boxed(unfolded());
    spawn_boxed(then_stream(notify.clone()));
    spawn_boxed(for_each());
    spawn_boxed(by_trait(notify.clone()));
    spawn_boxed(by_hand(notify.clone()));
    tokio::spawn(ByHand { inner: Box::pin(told(notify.clone())), polls: 0 });
    spawn_boxed(polling(notify.clone()));
    spawn_boxed(pending());
    spawn_boxed(served(notify.clone()));
    spawn_boxed(served_boxed(notify.clone()));
    spawn_boxed(notify_in_loop(notify.clone()));
}

pub async fn poll_once<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx: &mut Context<'_>| {
        let _ = Pin::new(&mut *future).poll(cx);
        Poll::Ready(())
    })
    .await;
}

async fn spanned(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    told(notify).instrument(tracing::Span::none()).await;
}

enum Way {
    Left,
    Right,
}

async fn either(notify: Arc<Notify>, way: Way) {
    let mut at = frame!();
    let future = match way {
        Way::Left => Either::Left(told(notify)),
        Way::Right => Either::Right(asleep(2).map(drop)),
    };
    wait!(at);
    future.await;
}

async fn mapped(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    told(notify).map(|()| 3).then(|n| async move { n + 1 }).await;
}

async fn fused(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    told(notify).fuse().await;
}

async fn abortable(notify: Arc<Notify>) {
    let mut at = frame!();
    let (_handle, registration) = AbortHandle::new_pair();
    wait!(at);
    let _ = Abortable::new(told(notify), registration).await;
}

async fn two(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    future::select(Box::pin(told(notify)), Box::pin(asleep(1))).await;
}

/// One future, awaited by two.
async fn shared(notify: Arc<Notify>) {
    let mut at = frame!();
    let shared = told(notify).shared();
    wait!(at, opaque());
    future::join(shared.clone(), shared).await;
}

async fn cancelled(token: CancellationToken) {
    let mut at = frame!();
    wait!(at, opaque());
    token.cancelled().await;
}

async fn cancelled_owned(token: CancellationToken) {
    let mut at = frame!();
    wait!(at, opaque());
    token.cancelled_owned().await;
}

async fn until_cancelled(token: CancellationToken, notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at, opaque());
    token.run_until_cancelled(told(notify)).await;
}

async fn unfolded() {
    let mut at = frame!();
    let all = stream::unfold(0, |n| async move {
        let mut at = frame!();
        wait!(at);
        Some((asleep(n).await, n + 1))
    });
    tokio::pin!(all);
    wait!(at);
    while let Some(n) = all.next().await {
        std::hint::black_box(n);
    }
}

async fn then_stream(notify: Arc<Notify>) {
    let mut at = frame!();
    let mut all = stream::iter(0..3).then(|_| told(notify.clone())).boxed();
    wait!(at);
    all.next().await;
}

async fn for_each() {
    let mut at = frame!();
    wait!(at);
    stream::iter(0..3).for_each_concurrent(2, |n| asleep(n).map(drop)).await;
}

/// What `async_trait` makes of a trait with an async function.
trait Store: Send + Sync {
    fn load<'a>(&'a self, key: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>>;
}

struct Slow(Arc<Notify>);

impl Store for Slow {
    fn load<'a>(&'a self, key: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        Box::pin(async move {
            let mut at = frame!();
            wait!(at);
            told(self.0.clone()).await;
            key.len()
        })
    }
}

async fn by_trait(notify: Arc<Notify>) {
    let mut at = frame!();
    let store: Arc<dyn Store> = Arc::new(Slow(notify));
    wait!(at);
    store.load("key").await;
}

/// A future that has another.
struct ByHand {
    inner: Pin<Box<dyn Future<Output = ()> + Send>>,
    polls: u32,
}

impl Future for ByHand {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
        self.polls += 1;
        self.inner.as_mut().poll(cx).map(|()| self.polls)
    }
}

async fn by_hand(notify: Arc<Notify>) {
    let mut at = frame!();
    wait!(at);
    ByHand { inner: Box::pin(told(notify)), polls: 0 }.await;
}

async fn polling(notify: Arc<Notify>) {
    let mut at = frame!();
    let mut inner = Box::pin(told(notify));
    wait!(at);
    poll_fn(move |cx| inner.as_mut().poll(cx)).await;
}

/// Nobody will ever wake it.
async fn pending() {
    let mut at = frame!();
    wait!(at, opaque());
    future::pending::<()>().await;
}

async fn served(notify: Arc<Notify>) {
    let mut at = frame!();
    let mut service = ServiceBuilder::new().timeout(LONG).concurrency_limit(4).service(service_fn(move |n: u32| {
        let notify = notify.clone();
        async move {
            let mut at = frame!();
            wait!(at);
            told(notify).await;
            Ok::<_, std::convert::Infallible>(n)
        }
    }));
    let Ok(ready) = service.ready().await else { return };
    wait!(at, timer(Instant::now() + LONG));
    let _ = ready.call(1).await;
}

async fn served_boxed(notify: Arc<Notify>) {
    let mut at = frame!();
    let service = service_fn(move |n: u32| {
        let notify = notify.clone();
        async move {
            let mut at = frame!();
            wait!(at);
            told(notify).await;
            Ok::<_, std::convert::Infallible>(n)
        }
    });
    let service = BoxCloneService::new(service.map_response(|n| n + 1));
    wait!(at);
    let _ = service.oneshot(1).await;
}

/// Has slept before, in other places.
async fn notify_in_loop(notify: Arc<Notify>) {
    let mut at = frame!();
    for n in 0..5 {
        let due = Instant::now() + Duration::from_millis(5 + n);
        wait!(at, timer(due));
        tokio::time::sleep_until(due).await;
    }
    wait!(at, of("notify", &*notify));
    notify.notified().await;
}
