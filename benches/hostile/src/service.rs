//! The service that is attacked.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::Instrument as _;

/// Tasks in a hundredth of a second.
const TASKS: u32 = 50;

/// File descriptors that it may have.
const DESCRIPTORS: u32 = 1_024;

/// Is the service: says where its agent and its echo are, and ends with its stdin.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let agent = holdup_agent::builder().from_env().address(([127, 0, 0, 1], 0).into()).try_init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", agent.address().ok_or("the agent is off")?);
    println!("{}", listener.local_addr()?);
    runtime.spawn(accept(listener));
    runtime.spawn(work());
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => {
                tokio::spawn(async move {
                    // Whoever measures sees what is slow.
                    let _ = stream.set_nodelay(true);
                    let mut buffer = [0; 64];
                    while stream.read_exact(&mut buffer).await.is_ok() && stream.write_all(&buffer).await.is_ok() {}
                });
            }
            Err(error) => {
                eprintln!("the service's own accept failed: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn work() {
    let mut every = interval(Duration::from_millis(10));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        for number in 0..TASKS {
            let request = async { tokio::task::yield_now().await };
            tokio::spawn(request.instrument(tracing::info_span!("request", number)));
        }
    }
}

/// One that runs, in a process of its own, which ends with this.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) agent: SocketAddr,
    pub(crate) echo: SocketAddr,
    child: Child,
}

impl Service {
    pub(crate) fn start() -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -Sn {DESCRIPTORS} && exec \"$0\" --serve")])
            .arg(env::current_exe()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("it is piped"))?).lines();
        let mut address = || {
            let line = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
            line.parse().map_err(io::Error::other)
        };
        let (agent, echo) = (address()?, address()?);
        Ok(Self { agent, echo, child })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
