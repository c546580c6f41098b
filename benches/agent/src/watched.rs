//! Works that are measured from outside: this process is the client, and the service is a child of it.

use crate::{
    client::Client,
    mode::Mode,
    service::{Load, RATE},
    work::Work,
};
use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long the first state may take, and how late the last news of a flood may be.
const AT_MOST: Duration = Duration::from_secs(30);

/// Several times what anybody's publishing interval is: after so long without news there will be none.
const SILENCE: Duration = Duration::from_secs(4);

/// Measures one work in one mode: a cell of the table.
pub(crate) fn measure(work: Work, mode: Mode, load: &Load) -> Result<String, String> {
    if !work.is_for(mode) {
        return Ok("-".to_owned());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut service = Service::start(work, mode, load, 1).await?;
        match work {
            Work::Flood => flood(&mut service, load).await,
            Work::FirstState | Work::FirstStateConsole => first_state(&mut service, work, load).await,
            Work::Changing => changing(&mut service).await,
            Work::Churn => churn(&mut service, None).await,
            Work::ChurnWatched => {
                let client = Client::attach(service.address()?, work.reader(mode)).await?;
                churn(&mut service, Some(client)).await
            }
            _ => stalls(&mut service, work).await,
        }
    })
}

/// Times a work while somebody is attached; without, where nothing watches.
pub(crate) fn timed(work: Work, mode: Mode, load: &Load, scale: usize) -> Result<f64, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut service = Service::start(work, mode, load, scale).await?;
        let mut client = match service.address {
            Some(address) => Some(Client::attach(address, work.reader(mode)).await?),
            None => None,
        };
        if work != Work::SpawnUnread
            && let Some(client) = &mut client
        {
            client.listen(Duration::from_millis(500)).await?;
        }
        service.go().await?;
        let line = loop {
            let heard = async {
                match &mut client {
                    Some(client) if work != Work::SpawnUnread => client.hear().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                line = service.hear() => break line?,
                heard = heard => if let Err(reason) = heard {
                    eprintln!("the client of {} was cut off: {reason}", service.mode.name());
                    client = None;
                }
            }
        };
        line.parse().map_err(|_| line)
    })
}

/// Spawns at a known rate: what was lost, and how old the oldest was that arrived.
async fn flood(service: &mut Service, load: &Load) -> Result<String, String> {
    let mut client = Client::attach(service.address()?, service.mode.holdup_reads()).await?;
    client.listen(Duration::from_millis(1500)).await?;
    service.go().await?;
    let (mut failure, spawned) = (None, load.flood_seconds * RATE);
    let start = Instant::now();
    let mut said = None;
    while said.is_none() {
        tokio::select! {
            line = service.hear() => said = Some(line?),
            heard = client.hear(), if failure.is_none() => failure = heard.err(),
        }
    }
    let took = start.elapsed();
    let mut news = Instant::now();
    let over = Instant::now() + AT_MOST;
    while (client.seen.ended.len() as u64) < spawned
        && news.elapsed() < SILENCE
        && Instant::now() < over
        && failure.is_none()
    {
        let before = client.seen.ended.len();
        failure = client.listen(Duration::from_millis(300)).await.err();
        if client.seen.ended.len() > before {
            news = Instant::now();
        }
    }
    if let Some(reason) = failure {
        eprintln!("the client of {} was cut off: {reason}", service.mode.name());
    }
    let lost = spawned.saturating_sub(client.seen.ended.len() as u64);
    if took > Duration::from_secs(load.flood_seconds) + Duration::from_millis(500) {
        eprintln!(
            "{}: it took {:.1} s to spawn what was to take {}",
            service.mode.name(),
            took.as_secs_f64(),
            load.flood_seconds
        );
    }
    let seen = &client.seen;
    Ok(format!("{lost} ({} told), {:.2} s", seen.told_lost(), seen.oldest.as_secs_f64()))
}

/// From attaching to the last of the tasks that are idle.
async fn first_state(service: &mut Service, work: Work, load: &Load) -> Result<String, String> {
    let address = service.address()?;
    let start = Instant::now();
    let mut client = Client::attach(address, work.reader(service.mode)).await?;
    while client.seen.tasks.len() < load.idle_tasks {
        match timeout(AT_MOST.saturating_sub(start.elapsed()), client.hear()).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => {
                eprintln!("the client of {} was cut off: {reason}", service.mode.name());
                return Ok(format!("never ({})", client.seen.tasks.len()));
            }
            Err(_) => return Ok(format!("never ({})", client.seen.tasks.len())),
        }
    }
    Ok(format!("{:.2} s", start.elapsed().as_secs_f64()))
}

/// Spawning flat out: the memory in use at the end.
async fn churn(service: &mut Service, mut client: Option<Client>) -> Result<String, String> {
    service.go().await?;
    let line = loop {
        let heard = async {
            match &mut client {
                Some(client) => client.hear().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            line = service.hear() => break line?,
            heard = heard => if let Err(reason) = heard {
                eprintln!("the client of {} was cut off: {reason}", service.mode.name());
                client = None;
            }
        }
    };
    let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
    let (Some(bytes), Some(seconds)) = (numbers.next(), numbers.next()) else { return Err(line) };
    Ok(format!("{:.0} MiB ({seconds:.0} s)", bytes / f64::from(1 << 20)))
}

/// What it says of itself.
async fn changing(service: &mut Service) -> Result<String, String> {
    service.go().await?;
    let line = service.hear().await?;
    let mut numbers = line.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
    let (Some(share), Some(bytes)) = (numbers.next(), numbers.next()) else { return Err(line) };
    Ok(format!("{:.2} %, {:.1} MiB", share * 100.0, bytes / f64::from(1 << 20)))
}

/// From the threshold to the client: the median and the worst.
async fn stalls(service: &mut Service, work: Work) -> Result<String, String> {
    let mut client = Client::attach(service.address()?, work.reader(service.mode)).await?;
    client.listen(Duration::from_millis(500)).await?;
    service.go().await?;
    loop {
        tokio::select! {
            line = service.hear() => break line?,
            heard = client.hear() => heard?,
        };
    }
    .clear();
    client.listen(Duration::from_millis(700)).await?;
    let told = if work == Work::StallStack { &client.seen.stacks } else { &client.seen.stalls };
    let mut late: Vec<Duration> = told.values().copied().collect();
    late.sort();
    let (Some(worst), middle) = (late.last(), late[late.len() / 2]) else { return Ok("none told".to_owned()) };
    Ok(format!("{} / {} ms of {}", middle.as_millis(), worst.as_millis(), late.len()))
}

/// The service.
struct Service {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    address: Option<SocketAddr>,
    mode: Mode,
}

impl Service {
    /// Starts it, and waits until it is ready.
    async fn start(work: Work, mode: Mode, load: &Load, scale: usize) -> Result<Self, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        let Load { flood_seconds, idle_tasks, rss_seconds, rss_limit, stalls } = load;
        let mut child = Command::new(executable)
            .args(["--child", "--work", &work.name(), "--mode", &mode.name()])
            .args(["--flood-seconds", &flood_seconds.to_string(), "--idle-tasks", &idle_tasks.to_string()])
            .args(["--rss-seconds", &rss_seconds.to_string(), "--rss-limit", &rss_limit.to_string()])
            .args(["--stalls", &stalls.to_string(), "--scale", &scale.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("it has no stdin or stdout".to_owned());
        };
        let mut service = Self { child, stdin, stdout: BufReader::new(stdout).lines(), address: None, mode };
        service.address = service.hear().await?.parse().ok();
        service.hear().await?;
        Ok(service)
    }

    fn address(&self) -> Result<SocketAddr, String> {
        self.address.ok_or_else(|| "it is not watched".to_owned())
    }

    async fn go(&mut self) -> Result<(), String> {
        self.stdin.write_all(b"go\n").await.map_err(|error| error.to_string())
    }

    /// The next line that it says. May be given up at any time.
    async fn hear(&mut self) -> Result<String, String> {
        match self.stdout.next_line().await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(format!("it ended: {:?}", self.child.try_wait())),
            Err(error) => Err(error.to_string()),
        }
    }
}
