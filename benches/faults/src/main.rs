//! A client of the demo server's agent behind a network that does harm, round after round, and whether it knows afterwards what it should.
//!
//! ```text
//! cargo run --release -p holdup-faults -- --seed 1 --rounds 100
//! cargo run --release -p holdup-faults -- --seed 1 --rounds 100 --tls
//! ```
//!
//! In a round the proxy delays, throttles, cuts or corrupts what passes, or several of these at once, for one to three seconds. Then it stops, and another client
//! attaches past it. The client that went through the faults must come to know each thing that lives as the fresh one does, with every number, and nothing else: each
//! row is compared at instants at which both have been told a whole update of the same time, until it was equal once, or moves all the time and was between what the other was told before and then.
//! Something that one of them lacks, or has for good, or has another number of, fails the round.
//!
//! With `--tls` the agent has a certificate and asks for a token, which both clients show. A byte that was changed must then end its connection by itself, and is never taken in; without TLS
//! nobody can tell it from others, so that the proxy ends such a connection with its round. In the end the client's own words are printed, for why it lost its connections.
//!
//! The faults are the seed's; what they meet is not, since it depends on when bytes come.

use clap::{FromArgMatches as _, Parser};
use demo_server::Listening;
use faults::{Changed, Child, Client, Fault, Key, Proxy, Rows, Secrets};
use holdup::update::Stamp;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Far above what it takes to attach again and be told everything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does meanwhile: it has locks that are held for good and for a while, tasks that come and go by the thousand and others that stay.
const SCENARIOS: &str = "healthy,deadlock,leaked-guard,lock-across-await,rwlock-across-await,nested-spans,nested-permits,two-runtimes,task-leak,churn";

#[derive(Debug, Parser)]
struct Arguments {
    /// What the faults are drawn by.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many there are.
    #[arg(long, default_value_t = 10)]
    rounds: u64,

    /// Goes by TLS, with a token.
    #[arg(long)]
    tls: bool,

    /// Is the server.
    #[arg(long, hide = true)]
    serve: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.serve { serve() } else { run(&arguments) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Is the demo server, until stdin ends.
fn serve() -> Result<(), String> {
    let words = ["demo-server", "--exit-with-stdin", "--echo-addr", "127.0.0.1:0", "--console-addr", "127.0.0.1:0"];
    let words = words.into_iter().chain([
        "--workers",
        "2",
        "--load",
        "20",
        "--scenario",
        SCENARIOS,
        "--settings",
        "environment",
    ]);
    let command = <demo_server::Args as clap::Args>::augment_args(clap::Command::new("demo-server"));
    let matches = command.try_get_matches_from(words).map_err(|error| error.to_string())?;
    let arguments = demo_server::Args::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    demo_server::run(arguments).map_err(|error| error.to_string())
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let secrets = arguments.tls.then(Secrets::make).transpose().map_err(|error| format!("no certificates: {error}"))?;
    // However slowly this was built: told less often, nothing might pass in a round.
    let mut environment = vec![("HOLDUP_CPU", "100%".into())];
    environment.extend(secrets.iter().flat_map(Secrets::environment));
    let mut server = Child::start_with(&["--serve"], &environment).map_err(|error| format!("no server: {error}"))?;
    let agent = server
        .says(|line| match line.parse() {
            Ok(Listening::Console(address)) => Some(address),
            _ => None,
        })
        .map_err(|error| format!("the server has no agent: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(rounds(arguments, Agent { address: agent, secrets }))
}

/// Where the agent is, and what is shown there.
struct Agent {
    address: SocketAddr,
    secrets: Option<Secrets>,
}

impl Agent {
    /// A client that comes by this address.
    fn attach(&self, by: SocketAddr) -> Client {
        match &self.secrets {
            None => Client::attach(by),
            Some(secrets) => Client::attach_by_tls(by, secrets.credentials()),
        }
    }
}

async fn rounds(arguments: &Arguments, agent: Agent) -> Result<(), String> {
    let changed = if arguments.tls { Changed::GoesOn } else { Changed::Ends };
    let proxy = Proxy::start(agent.address, arguments.seed, changed).await.map_err(|error| error.to_string())?;
    let mut client = agent.attach(proxy.address);
    told(&mut client).await?;
    let mut random = SmallRng::seed_from_u64(arguments.seed);
    for round in 1..=arguments.rounds {
        let (fault, lasting) = (Fault::draw(&mut random), Duration::from_millis(random.random_range(1_000..3_000)));
        let before = proxy.connections();
        proxy.set(fault);
        let over = tokio::time::sleep(lasting);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                update = client.update() => {
                    update.ok_or_else(|| format!("round {round}: the link has ended"))?;
                }
            }
        }
        proxy.set(Fault::default());
        let begun = Instant::now();
        let compared =
            agree(&mut client, &agent).await.map_err(|reason| format!("round {round}, {fault}: {reason}"))?;
        let (connected, took) = (proxy.connections() - before, begun.elapsed().as_secs_f64());
        println!("round {round}: {fault}; {connected} connections, {compared} rows equal after {took:.1} s");
    }
    client.reasons().for_each(|reason| println!("said: {reason}"));
    Ok(())
}

async fn told(client: &mut Client) -> Result<Stamp, String> {
    match timeout(PATIENCE, client.update()).await {
        Ok(Some(now)) => Ok(now),
        Ok(None) => Err("the link has ended".to_owned()),
        Err(_) => Err(format!("nothing was told within {PATIENCE:?}: {:?}", client.session().status().connection)),
    }
}

/// Compares what a client knows with what a fresh one is told: how many rows there were, each of which was equal.
async fn agree(client: &mut Client, agent: &Agent) -> Result<usize, String> {
    let begun = Instant::now();
    let mut fresh = agent.attach(agent.address);
    // The other is told all the time: it must not wait for this one.
    let mut now = (None, None);
    let mut open: Option<BTreeSet<Key>> = None;
    let mut before = (Rows::new(), Rows::new());
    let mut rows = 0;
    loop {
        tokio::select! {
            update = client.update() => now.0 = Some(update.ok_or("the link has ended")?),
            update = fresh.update() => now.1 = Some(update.ok_or("the link of the fresh client has ended")?),
            () = tokio::time::sleep(PATIENCE) => {}
        }
        if now.0.is_some() && now.0 == now.1 {
            let (known, should) = (client.rows(), fresh.rows());
            let all = || known.keys().chain(should.keys()).copied().collect();
            let left = open.get_or_insert_with(all);
            rows = rows.max(left.len());
            left.retain(|key| {
                let (Some(one), Some(other)) = (known.get(key), should.get(key)) else {
                    return known.contains_key(key) || should.contains_key(key);
                };
                !one.is_between(before.1.get(key), other) && !other.is_between(before.0.get(key), one)
            });
            if left.is_empty() {
                return Ok(rows);
            }
            before = (known, should);
        }
        if begun.elapsed() > PATIENCE {
            return Err(differences(&client.rows(), &fresh.rows(), open.as_ref(), now));
        }
    }
}

fn differences(
    known: &Rows,
    should: &Rows,
    open: Option<&BTreeSet<Key>>,
    now: (Option<Stamp>, Option<Stamp>),
) -> String {
    let Some(open) = open else { return format!("both were never told the same time: {now:?}") };
    let shown = open
        .iter()
        .take(10)
        .map(|key| format!("\n{key:?}\n  is     {:?}\n  should {:?}", known.get(key), should.get(key)));
    format!("{} rows differ for {PATIENCE:?}{}", open.len(), shown.collect::<String>())
}
