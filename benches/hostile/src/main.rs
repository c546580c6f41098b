//! What hostile clients do to a service: a table, with what was measured without them and with them, side by side, on one command.
//!
//! ```text
//! cargo run --release -p holdup-hostile
//! cargo run --release -p holdup-hostile -- --attack idle,all --seconds 60
//! ```
//!
//! The service is a process of its own for each row: 5,000 short tasks with a span in each second, and a TCP echo, under a limit of 1,024 file descriptors. The attackers
//! and the one who measures are another. First nobody touches the agent's port; then the attackers do, at the port of another service like it; and then at this one's, for as
//! long each.
//!
//! - *Echo* is one connection's round trips, one each millisecond, in these three parts, and the last as a ratio to the one before, in which the machine has as much to do; *reached* counts new connections to it that were served, one each 100 ms.
//! - *Memory* is what is resident before the attackers are there, and in the end. *Agent* is the share of a core that its thread used, with the attackers there.
//! - *Polite* is how long another client took meanwhile to be told everything, connecting included: the longest of three.
#![forbid(unsafe_code)]

mod service;

use clap::{Parser, ValueEnum};
use hostile::{Attack, Attackers, Echo, Latencies, Usage, polite};
use service::Service;
use std::{process::ExitCode, time::Duration};
use tokio::time::{Instant, sleep};

#[derive(Debug, Parser)]
struct Arguments {
    /// Only these attacks.
    #[arg(long, value_enum, value_delimiter = ',')]
    attack: Vec<Attack>,

    /// For how many seconds each part is measured.
    #[arg(long, default_value_t = 15)]
    seconds: u64,

    /// How many connections say nothing, where that is the attack.
    #[arg(long, default_value_t = 3_000)]
    idle: usize,

    /// Is the service.
    #[arg(long, hide = true)]
    serve: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.serve {
        return match service::serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let attacks = match arguments.attack.as_slice() {
        [] => Attack::value_variants(),
        some => some,
    };
    println!(
        "{:<52}{:>30}{:>28}{:>10}{:>16}{:>9}{:>10}",
        "", "echo p99", "echo median", "reached", "memory (MiB)", "agent", "polite"
    );
    let mut all = ExitCode::SUCCESS;
    for attack in attacks {
        let row = measure(*attack, &arguments).unwrap_or_else(|error| {
            all = ExitCode::FAILURE;
            format!("  not measured: {error}")
        });
        println!("{:<52}{row}", attack.title());
    }
    all
}

fn measure(attack: Attack, arguments: &Arguments) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(row(attack, arguments))
}

async fn row(attack: Attack, arguments: &Arguments) -> Result<String, String> {
    let words = |error: std::io::Error| error.to_string();
    let service = Service::start().map_err(words)?;
    let lasting = Duration::from_secs(arguments.seconds);
    // What is made once is made.
    part(&service, Duration::from_secs(3)).await?;
    let without = part(&service, lasting).await?;
    let elsewhere = {
        let other = Service::start().map_err(words)?;
        let _attackers = Attackers::start(attack, other.agent, arguments.idle).map_err(words)?;
        part(&service, lasting).await?
    };
    let before = Usage::of(service.pid()).map_err(words)?;
    let attackers = Attackers::start(attack, service.agent, arguments.idle).map_err(words)?;
    let with = part(&service, lasting).await?;
    let after = Usage::of(service.pid()).map_err(words)?;
    drop(attackers);
    let micros = |taken: Duration| taken.as_secs_f64() * 1e6;
    let parts = |of: fn(&Latencies) -> Duration| {
        let [without, elsewhere, with] = [&without, &elsewhere, &with].map(|part| micros(of(&part.echo)));
        format!("{without:.0} / {elsewhere:.0} / {with:.0} µs ({:.2})", with / elsewhere)
    };
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(format!(
        "{:>30}{:>28}{:>10}{:>16}{:>9}{:>10}",
        parts(Latencies::p99),
        parts(Latencies::median),
        with.reached,
        format!("{:.1} → {:.1}", mebibytes(before.resident), mebibytes(after.resident)),
        format!("{:.1} %", after.share_since(&before) * 100.0),
        with.polite.map_or_else(|reason| reason, |taken| format!("{:.0} ms", taken.as_secs_f64() * 1e3)),
    ))
}

/// What was seen for some time.
struct Part {
    echo: Latencies,
    reached: String,
    polite: Result<Duration, String>,
}

async fn part(service: &Service, lasting: Duration) -> Result<Part, String> {
    let echo = Echo::new(service.echo);
    let all = tokio::join!(echo.measure(lasting), reaches(&echo, lasting), longest(service.agent, lasting));
    let (echo, reached, polite) = all;
    Ok(Part { echo: echo.map_err(|error| error.to_string())?, reached, polite })
}

/// How many of the connections to the echo were served that were made meanwhile.
async fn reaches(echo: &Echo, lasting: Duration) -> String {
    let (begun, mut all, mut served) = (Instant::now(), 0, 0);
    while begun.elapsed() < lasting {
        all += 1;
        served += u32::from(echo.connect().await.is_ok());
        sleep(Duration::from_millis(100)).await;
    }
    format!("{served}/{all}")
}

/// The longest that three polite clients took, spread over the time.
async fn longest(agent: std::net::SocketAddr, lasting: Duration) -> Result<Duration, String> {
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        sleep(lasting / 4).await;
        longest = longest.max(polite(agent, lasting / 8).await?);
    }
    Ok(longest)
}
