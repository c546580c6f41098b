//! A way to an address on which bytes are late, slow, changed, or lost with their connection.

use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};

/// As much is read at a time, so that a rate is one and no row of bursts.
const PIECE: usize = 1_024;

/// Pieces on their way. What has no room waits with the sender.
const ON_THEIR_WAY: usize = 256;

/// What is done to bytes, in both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fault {
    /// How much later they arrive.
    pub delay: Duration,
    /// How many pass in a second.
    pub bytes_per_second: Option<u32>,
    /// A connection ends after about so many.
    pub cut_after: Option<u64>,
    /// About one of so many is changed.
    pub corrupt_every: Option<u64>,
}

impl Fault {
    /// One of the kinds, or more of them at once.
    pub fn draw(random: &mut SmallRng) -> Self {
        let mut fault = Self::default();
        while fault == Self::default() {
            if random.random_bool(0.5) {
                fault.delay = Duration::from_millis(random.random_range(1..400));
            }
            if random.random_bool(0.4) {
                fault.bytes_per_second = Some(1 << random.random_range(11..18));
            }
            if random.random_bool(0.4) {
                fault.cut_after = Some(1 << random.random_range(6..17));
            }
            if random.random_bool(0.4) {
                fault.corrupt_every = Some(1 << random.random_range(8..15));
            }
        }
        fault
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delay {} ms", self.delay.as_millis())?;
        self.bytes_per_second.map_or(Ok(()), |bytes| write!(f, ", {bytes} B/s"))?;
        self.cut_after.map_or(Ok(()), |bytes| write!(f, ", cut after {bytes} B"))?;
        self.corrupt_every.map_or(Ok(()), |bytes| write!(f, ", a byte in {bytes} changed"))
    }
}

/// What becomes of a connection some of whose bytes were changed, once faults end. TCP hands on such a byte as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It ends then, where nobody can tell.
    Ends,
    /// It goes on, where it is for both sides to tell.
    GoesOn,
}

/// What listens in place of the address.
#[derive(Debug)]
pub struct Proxy {
    /// Where.
    pub address: SocketAddr,
    fault: watch::Sender<Fault>,
    connections: Arc<AtomicU64>,
    accepting: AbortHandle,
}

impl Proxy {
    /// One that passes on everything as it is.
    ///
    /// # Errors
    ///
    /// Where it cannot listen.
    pub async fn start(to: SocketAddr, seed: u64, changed: Changed) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (fault, faults) = watch::channel(Fault::default());
        let (address, connections) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let accepting = accept(listener, to, (seed, changed), faults, Arc::clone(&connections));
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { address, fault, connections, accepting })
    }

    /// From now on this is done.
    pub fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Connections that there were.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    (seed, changed): (u64, Changed),
    faults: watch::Receiver<Fault>,
    count: Arc<AtomicU64>,
) {
    // They end with this.
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        let number = count.fetch_add(1, Relaxed);
        let Ok(far) = TcpStream::connect(to).await else { continue };
        let random = SmallRng::seed_from_u64(seed.rotate_left(32) ^ number);
        connections.spawn(connection((near, far), random, faults.clone(), changed));
        while connections.try_join_next().is_some() {}
    }
}

/// Passes on what comes from both sides, until one of them is gone or it is cut.
async fn connection(
    (near, far): (TcpStream, TcpStream),
    mut random: SmallRng,
    mut faults: watch::Receiver<Fault>,
    then: Changed,
) {
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    let changed = Arc::new(AtomicBool::new(false));
    let mut way =
        || Way { random: SmallRng::from_rng(&mut random), faults: faults.clone(), changed: Arc::clone(&changed) };
    let (there, back) = (way().pass(near_read, far_write), way().pass(far_read, near_write));
    let ends_with_faults = async {
        while faults.changed().await.is_ok() {
            let is_over = *faults.borrow_and_update() == Fault::default();
            if is_over && then == Changed::Ends && changed.load(Relaxed) {
                return;
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
        () = ends_with_faults => {}
    }
}

/// One direction of a connection.
struct Way {
    random: SmallRng,
    faults: watch::Receiver<Fault>,
    /// Whether bytes of the connection were.
    changed: Arc<AtomicBool>,
}

impl Way {
    async fn pass(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (pieces, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THEIR_WAY);
        let arrive = async move {
            while let Some((arrives, piece)) = arriving.recv().await {
                sleep_until(arrives).await;
                if to.write_all(&piece).await.is_err() {
                    return;
                }
            }
        };
        let read = async move {
            let (mut free, mut buffer) = (Instant::now(), [0; PIECE]);
            while let Ok(read @ 1..) = from.read(&mut buffer).await {
                let fault = *self.faults.borrow();
                let mut piece = buffer[..read].to_vec();
                if self.is_cut(fault, read) {
                    return;
                }
                self.change(fault, &mut piece);
                free = free.max(Instant::now());
                if let Some(rate) = fault.bytes_per_second {
                    free += Duration::from_secs_f64(read as f64 / f64::from(rate));
                    self.wait(free).await;
                }
                if pieces.send((free + fault.delay, piece)).await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(arrive, read);
    }

    /// Until a time, or until other faults count.
    async fn wait(&mut self, until: Instant) {
        tokio::select! {
            () = sleep_until(until) => {}
            _ = self.faults.changed() => {}
        }
    }

    fn is_cut(&mut self, fault: Fault, read: usize) -> bool {
        fault.cut_after.is_some_and(|bytes| self.random.random_bool((read as f64 / bytes as f64).min(1.0)))
    }

    fn change(&mut self, fault: Fault, piece: &mut [u8]) {
        let Some(every) = fault.corrupt_every else { return };
        for byte in piece {
            if self.random.random_range(0..every) == 0 {
                *byte ^= 1 << self.random.random_range(0..8);
                self.changed.store(true, Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn said(proxy: &Proxy) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(proxy.address).await?;
        stream.write_all(&[7; 16_000]).await?;
        let mut heard = vec![0; 16_000];
        stream.read_exact(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn each_fault_is_what_it_says() {
        let proxy = Proxy::start(echo().await, 1, Changed::GoesOn).await.unwrap();
        assert_eq!(said(&proxy).await.unwrap(), [7; 16_000], "without a fault");
        let begun = Instant::now();
        proxy.set(Fault { delay: Duration::from_millis(50), bytes_per_second: Some(1 << 17), ..Fault::default() });
        assert_eq!(said(&proxy).await.unwrap(), [7; 16_000], "late and slow, but as they were");
        assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
        proxy.set(Fault { corrupt_every: Some(100), ..Fault::default() });
        assert_ne!(said(&proxy).await.unwrap(), [7; 16_000], "changed");
        proxy.set(Fault { cut_after: Some(2_000), ..Fault::default() });
        assert!(said(&proxy).await.is_err(), "cut");
        assert_eq!(proxy.connections(), 4);
    }

    #[tokio::test]
    async fn a_connection_whose_bytes_were_changed_ends_with_the_faults() {
        let proxy = Proxy::start(echo().await, 1, Changed::Ends).await.unwrap();
        let [mut changed, mut as_it_was] =
            [TcpStream::connect(proxy.address).await.unwrap(), TcpStream::connect(proxy.address).await.unwrap()];
        proxy.set(Fault { corrupt_every: Some(1), ..Fault::default() });
        let mut heard = [0; 64];
        changed.write_all(&[7; 64]).await.unwrap();
        changed.read_exact(&mut heard).await.unwrap();
        assert_ne!(heard, [7; 64]);
        proxy.set(Fault::default());
        assert!(changed.read_u8().await.is_err());
        as_it_was.write_all(&[7]).await.unwrap();
        assert_eq!(as_it_was.read_u8().await.unwrap(), 7);
    }
}
