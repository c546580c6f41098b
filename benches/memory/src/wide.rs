//! A program of as many different types as one likes: so many services, each with types, locks, channels and futures of its own, as a
//! large program has them. Its source is generated, and compiled once; what the compiler says of it is as it says it.

use crate::target::{Failure, cargo, root};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Services in one file: what is compiled as one should not grow with the program.
const IN_A_FILE: u64 = 25;

/// The program with so many services, built.
pub(crate) fn built(services: u64) -> Result<PathBuf, Failure> {
    let folder = root().join(format!("target/wide-{services}"));
    let source = folder.join("src");
    fs::create_dir_all(&source)?;
    put(&folder.join("Cargo.toml"), MANIFEST)?;
    if !folder.join("Cargo.lock").exists() {
        fs::copy(root().join("tests/memory/victims/Cargo.lock"), folder.join("Cargo.lock"))?;
    }
    let (mut main, mut starts) = (String::new(), String::new());
    for file in 0..services.div_ceil(IN_A_FILE) {
        let mut text = String::from(SHARED);
        for service in file * IN_A_FILE..((file + 1) * IN_A_FILE).min(services) {
            text.push_str(&SERVICE.replace('§', &service.to_string()));
            writeln!(starts, "    part{file}::start{service}();")?;
        }
        put(&source.join(format!("part{file}.rs")), &text)?;
        writeln!(main, "mod part{file};")?;
    }
    put(&source.join("main.rs"), &format!("{main}{}", MAIN.replace('§', &starts)))?;
    cargo(&folder, &["build", "--quiet", "--target-dir", "target"])?;
    Ok(folder.join("target/debug/wide"))
}

/// Writes a file, if that is not what it has: what did not change is not compiled again.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text)?;
    }
    Ok(())
}

const MANIFEST: &str = r#"[package]
name = "wide"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
tokio = { version = "1.54", features = ["full"] }

[profile.dev]
debug = 2
incremental = false

[workspace]
"#;

const MAIN: &str = r#"
#[tokio::main(worker_threads = 2)]
async fn main() {
§    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    println!("ready");
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
    std::process::exit(0);
}
"#;

const SHARED: &str = r"#![allow(dead_code)]
use std::{collections::{BTreeMap, HashMap, VecDeque}, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::{Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
";

/// One service; its number stands for the mark.
const SERVICE: &str = r#"
#[derive(Debug, Clone)]
pub struct Line§ { item: u64, count: u32, note: Option<String> }
#[derive(Debug, Clone)]
pub enum State§ { New, Paid { cents: u64 }, Sent(String, u32), Failed(Error§) }
#[derive(Debug, Clone)]
pub enum Error§ { Missing(u64), Refused { why: String }, Late(Duration) }
#[derive(Debug, Clone)]
pub struct Order§ { id: u64, lines: Vec<Line§>, state: State§, tags: BTreeMap<String, Line§> }
pub enum Request§ { Get(u64, oneshot::Sender<Result<Order§, Error§>>), Put(Order§) }
pub struct Store§ { orders: RwLock<HashMap<u64, Order§>>, recent: Mutex<VecDeque<Order§>>, room: Semaphore, changed: Notify }
type Boxed§<'a> = Pin<Box<dyn Future<Output = Result<Order§, Error§>> + Send + 'a>>;
pub trait Backend§: Send + Sync { fn fetch<'a>(&'a self, id: u64) -> Boxed§<'a>; }
pub struct Disk§ { store: Arc<Store§>, silent: Notify }
impl Backend§ for Disk§ {
    fn fetch<'a>(&'a self, id: u64) -> Boxed§<'a> {
        Box::pin(async move {
            let recent = self.store.recent.lock().await;
            if let Some(order) = recent.iter().find(|order| order.id == id) { return Ok(order.clone()); }
            drop(recent);
            self.silent.notified().await;
            Err(Error§::Missing(id))
        })
    }
}
async fn load§(store: &Store§, backend: &dyn Backend§, id: u64) -> Result<Order§, Error§> {
    let _room = store.room.acquire().await.map_err(|_| Error§::Refused { why: "closed".into() })?;
    if let Some(order) = store.orders.read().await.get(&id) { return Ok(order.clone()); }
    match tokio::time::timeout(Duration::from_secs(100_000), backend.fetch(id)).await {
        Ok(found) => found,
        Err(_) => Err(Error§::Late(Duration::from_secs(1))),
    }
}
async fn save§(store: &Store§, order: Order§) -> usize {
    let mut orders = store.orders.write().await;
    orders.insert(order.id, order.clone());
    drop(orders);
    store.recent.lock().await.push_back(order);
    store.changed.notify_waiters();
    store.recent.lock().await.len()
}
async fn serve§(store: Arc<Store§>, backend: Arc<dyn Backend§>, mut requests: mpsc::Receiver<Request§>, mut ends: watch::Receiver<State§>) -> usize {
    let mut served = 0;
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                Some(Request§::Get(id, answer)) => { let _ = answer.send(load§(&store, &*backend, id).await); }
                Some(Request§::Put(order)) => served += save§(&store, order).await,
                None => return served,
            },
            _ = ends.changed() => return served,
        }
    }
}
async fn ask§(requests: mpsc::Sender<Request§>, id: u64) -> Result<Order§, Error§> {
    let (answer, answered) = oneshot::channel();
    requests.send(Request§::Get(id, answer)).await.map_err(|_| Error§::Missing(id))?;
    answered.await.map_err(|_| Error§::Missing(id))?
}
async fn follow§(mut told: broadcast::Receiver<Line§>, store: Arc<Store§>) -> Option<Line§> {
    let (line, ()) = tokio::join!(async { told.recv().await.ok() }, async { store.changed.notified().await });
    line
}
pub fn start§() {
    let store = Arc::new(Store§ { orders: RwLock::default(), recent: Mutex::default(), room: Semaphore::new(4), changed: Notify::new() });
    let backend: Arc<dyn Backend§> = Arc::new(Disk§ { store: store.clone(), silent: Notify::new() });
    let (requests, received) = mpsc::channel(8);
    let (ends, ended) = watch::channel(State§::New);
    let (tell, told) = broadcast::channel(8);
    tokio::spawn(serve§(store.clone(), backend, received, ended));
    tokio::spawn(follow§(told, store));
    tokio::spawn(async move {
        let found = ask§(requests, 7).await;
        let _ = tell.send(Line§ { item: 1, count: 2, note: None });
        let _ = ends.send(State§::Paid { cents: 3 });
        found.is_ok()
    });
}
"#;
