//! What is seen of a service meanwhile, from outside.

use holdup_proto::v1::{DescribeRequest, WatchRequest, diagnostics_client::DiagnosticsClient};
use std::{
    fs, io,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};
use tonic::transport::Endpoint;

/// What a process and its agent's thread have used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Time that the agent's thread was on a processor.
    pub agent: Duration,
    at: Instant,
}

impl Usage {
    /// As it is now.
    ///
    /// # Errors
    ///
    /// Where the process is gone, or has no agent.
    pub fn of(pid: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        let resident = resident.ok_or_else(|| io::Error::other("it tells no resident memory"))? << 10;
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = thread?.path();
            // A thread may have ended since.
            let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
            if name.trim() == "holdup-agent" {
                let told = fs::read_to_string(path.join("schedstat"))?;
                let nanos = told.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
                return Ok(Self { resident, agent: Duration::from_nanos(nanos), at: Instant::now() });
            }
        }
        Err(io::Error::other("there is no agent's thread"))
    }

    /// Which share of a core the agent's thread has used since.
    pub fn share_since(&self, before: &Self) -> f64 {
        self.agent.saturating_sub(before.agent).as_secs_f64() / (self.at - before.at).as_secs_f64()
    }
}

/// Round trips through an echo service.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
}

/// How long they took, ascending.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// The 99th of a hundred.
    pub fn p99(&self) -> Duration {
        self.0.get(self.0.len() * 99 / 100).copied().unwrap_or_default()
    }

    /// The middle one.
    pub fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

impl Echo {
    /// Of the service at this address.
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// A connection, a round trip and its end.
    ///
    /// # Errors
    ///
    /// Where it could not be reached, or did not answer within a few seconds.
    pub async fn connect(&self) -> io::Result<()> {
        let round = async { trip(&mut TcpStream::connect(self.address).await?).await };
        timeout(Duration::from_secs(5), round).await?
    }

    /// A round trip each millisecond for so long, on one connection.
    ///
    /// # Errors
    ///
    /// Where one of them failed.
    pub async fn measure(&self, lasting: Duration) -> io::Result<Latencies> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (begun, mut taken) = (Instant::now(), Vec::new());
        while begun.elapsed() < lasting {
            let before = Instant::now();
            trip(&mut stream).await?;
            taken.push(before.elapsed());
            sleep(Duration::from_millis(1)).await;
        }
        taken.sort_unstable();
        Ok(Latencies(taken))
    }
}

async fn trip(stream: &mut TcpStream) -> io::Result<()> {
    let (said, mut heard) = ([7; 64], [0; 64]);
    stream.write_all(&said).await?;
    stream.read_exact(&mut heard).await?;
    if heard == said { Ok(()) } else { Err(io::Error::other("the echo says something else")) }
}

/// Connects as any client does, asks who answers, and watches until the first update is whole: how long that took. Whoever is turned away comes again, as
/// clients do, for as long as `patience` lasts.
///
/// # Errors
///
/// The last reason for which it was not served.
pub async fn polite(address: SocketAddr, patience: Duration) -> Result<Duration, String> {
    let begun = Instant::now();
    loop {
        let served = async {
            let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| error.to_string())?;
            let channel = endpoint.connect().await.map_err(|error| format!("{error:?}"))?;
            let mut client = DiagnosticsClient::new(channel);
            client.describe(DescribeRequest {}).await.map_err(|status| status.to_string())?;
            let reports = client.watch(WatchRequest {}).await.map_err(|status| status.to_string())?;
            let mut reports = reports.into_inner();
            while reports.message().await.map_err(|status| status.to_string())?.is_some_and(|report| report.more) {}
            Ok(())
        };
        let left = patience.saturating_sub(begun.elapsed());
        match timeout(left, served).await {
            Ok(Ok(())) => return Ok(begun.elapsed()),
            Ok(Err(reason)) if begun.elapsed() >= patience => return Err(reason),
            Ok(Err(_)) => sleep(Duration::from_millis(50)).await,
            Err(_) => return Err(format!("no answer within {patience:?}")),
        }
    }
}
