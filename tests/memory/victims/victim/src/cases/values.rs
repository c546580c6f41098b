//! What frames hold: variables of each kind, whose values the test knows. And bytes that are none of their type.

use super::{rest, spawn};
use std::{
    collections::HashMap,
    hint::black_box,
    mem::ManuallyDrop,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Get,
    Put,
}

#[allow(dead_code, reason = "read by who looks")]
#[derive(Debug, Clone)]
enum Body {
    Empty,
    Text(String),
    Part { from: u64, to: u64 },
}

#[allow(dead_code, reason = "read by who looks")]
#[derive(Debug, Clone)]
struct Request {
    id: u64,
    path: String,
    method: Method,
    retry: Option<u8>,
}

struct Node {
    n: u32,
    next: Option<Box<Node>>,
}

pub async fn run() {
    spawn(numbers(4711, -3, true, 'é', 0.25, u128::MAX));
    spawn(texts("Müller".into(), "/orders/17", b"GET / HTTP/1.1\r\n".to_vec(), "boxed".into(), "shared".into()));
    spawn(long("x".repeat(1000), vec![0xFF; 40], String::new(), "a\u{1b}[2J\u{202e}\"".into()));
    spawn(times(Duration::from_millis(1500), Instant::now() + super::LONG));
    spawn(addresses(
        "10.0.0.7:5432".parse().expect("one"),
        "[2001:db8::1]:443".parse().expect("one"),
        "127.0.0.1".parse().expect("one"),
    ));
    spawn(options(Some(7), None, Some("here".into()), Err("no".into()), Some(Box::new(9))));
    spawn(structures(request(), Method::Put, [Body::Empty, Body::Text("t".into()), Body::Part { from: 1, to: 2 }]));
    spawn(pointers(Box::new(request()), Arc::new(request())));
    spawn(lists(vec![1, 2, 3], (0..20).collect(), [1, 2], HashMap::from([(1, 2)])));
    let (number, name) = (12_u32, String::from("captured"));
    spawn(async move {
        rest().await;
        black_box((&number, &name));
    });
    spawn(moved("moved on".into(), 5));
    spawn(two_lives());
    spawn(shadowed(1));
    spawn(dead_argument(33, "dropped".into()));
    lies();
    tokio::spawn(ByHand { inner: Box::pin(rest()), polls: 3, name: "written".into(), method: Method::Put });
    let (of_the_root, name) = (4242_u32, String::from("root"));
    super::settle().await;
    rest().await;
    black_box((&of_the_root, &name));
}

/// A future that has another.
struct ByHand {
    inner: Pin<Box<dyn Future<Output = ()> + Send>>,
    polls: u32,
    name: String,
    method: Method,
}

impl Future for ByHand {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.polls += 1;
        self.inner.as_mut().poll(cx).map(|()| black_box(self.method) as usize + self.name.len())
    }
}

fn request() -> Request {
    Request { id: 17, path: "/orders".into(), method: Method::Get, retry: Some(2) }
}

async fn numbers(id: u64, small: i8, yes: bool, letter: char, ratio: f64, wide: u128) {
    rest().await;
    black_box((&id, &small, &yes, &letter, &ratio, &wide));
}

async fn texts(name: String, path: &'static str, body: Vec<u8>, boxed: Box<str>, shared: Arc<str>) {
    rest().await;
    black_box((&name, &path, &body, &boxed, &shared));
}

async fn long(text: String, bytes: Vec<u8>, empty: String, controls: String) {
    rest().await;
    black_box((&text, &bytes, &empty, &controls));
}

async fn times(timeout: Duration, due: Instant) {
    rest().await;
    black_box((&timeout, &due));
}

async fn addresses(peer: SocketAddr, other: SocketAddr, ip: IpAddr) {
    rest().await;
    black_box((&peer, &other, &ip));
}

async fn options(
    some: Option<u32>,
    none: Option<u32>,
    named: Option<String>,
    failed: Result<u8, String>,
    boxed: Option<Box<u32>>,
) {
    rest().await;
    black_box((&some, &none, &named, &failed, &boxed));
}

async fn structures(request: Request, method: Method, bodies: [Body; 3]) {
    rest().await;
    black_box((&request, &method, &bodies));
}

async fn pointers(boxed: Box<Request>, shared: Arc<Request>) {
    let by: &u64 = &boxed.id;
    rest().await;
    black_box((&boxed, &shared, by));
}

async fn lists(few: Vec<u32>, many: Vec<u32>, array: [u16; 2], map: HashMap<u32, u32>) {
    rest().await;
    black_box((&few, &many, &array, &map));
}

/// Its name is the other's by now.
async fn moved(name: String, times: u32) {
    has_it_now(name).await;
    black_box(&times);
}

async fn has_it_now(name: String) {
    rest().await;
    black_box(&name);
}

/// What lived at the first suspension is not told at the second, whose variables may have its bytes.
async fn two_lives() {
    {
        let first = black_box(1_111_111_u64);
        tokio::task::yield_now().await;
        black_box(&first);
    }
    let second = black_box(2_222_222_u64);
    rest().await;
    black_box(&second);
}

async fn shadowed(n: u32) {
    let n = n + 100;
    rest().await;
    black_box(&n);
}

/// Nothing of it is used again.
async fn dead_argument(id: u64, name: String) {
    drop(name);
    rest().await;
    black_box(id);
}

/// Bytes that are nothing of the type that they are taken for, however they came there.
fn lies() {
    spawn(async {
        let mut flag = false;
        let at = &raw mut flag;
        // SAFETY: the byte is there; it is never read as a `bool` again.
        unsafe { at.cast::<u8>().write_volatile(7) };
        rest().await;
        black_box(&raw const flag);
    });
    spawn(async {
        let mut method = Method::Get;
        let at = &raw mut method;
        // SAFETY: the byte is there; it is never read as a `Method` again.
        unsafe { at.cast::<u8>().write_volatile(99) };
        rest().await;
        black_box(&raw const method);
    });
    spawn(async {
        // SAFETY: never used as one.
        let huge = ManuallyDrop::new(unsafe { String::from_raw_parts(Box::leak(Box::new(b'a')), 1 << 60, 1 << 60) });
        rest().await;
        black_box(&raw const huge);
    });
    spawn(async {
        // SAFETY: never used as one.
        let broken = unsafe { String::from_utf8_unchecked(vec![0xFF, 0xFE, 0x00]) };
        rest().await;
        black_box(&raw const broken);
    });
    spawn(async {
        let mut ring = ManuallyDrop::new(Box::new(Node { n: 8, next: None }));
        let at: *mut Node = &raw mut **ring;
        // SAFETY: nobody drops it.
        ring.next = Some(unsafe { Box::from_raw(at) });
        rest().await;
        black_box(&raw const ring);
        black_box(ring.n);
    });
}
