//! Many targets told to Prometheus, or to a collector of OpenTelemetry, by one process: what `holdup export` does.
//!
//! ```text
//! serve          who asks, and for what
//! otlp           who is told without asking, and of findings as they begin and end
//!   keeping        all targets, a task for each, and a list of them that may change
//!     collector      one target: events go into its session, a page comes out
//!       places         how many places are told apart
//!       tasks, locks, findings    what is counted for as long as a process lives
//!       whose          who a target is
//!       words          what stands in labels
//! ```
//!
//! What metrics there are, how many series a target has and how they are written is the crate `holdup-metrics`'s; a source is watched as every session is.

mod collector;
mod findings;
mod keeping;
mod locks;
#[cfg(feature = "otlp")]
mod otlp;
mod places;
mod serve;
mod tasks;
#[cfg(test)]
mod tests;
mod whose;
mod words;

pub use keeping::Watching;
#[cfg(feature = "otlp")]
pub use otlp::{Compression, Endpoint, EndpointError, Headers, Plan as OtlpPlan};

use crate::source::{ListError, ListedTarget, Target, read_list};
use keeping::Keeping;
use std::{
    future::{Future, pending},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

/// How often a list of targets is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Who may reach the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine.
    Loopback,
    /// Whoever can.
    Anyone,
}

/// Where Prometheus asks.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// At which address.
    pub address: SocketAddr,
    /// Who may reach it.
    pub reach: Reach,
}

/// What to export, and where.
#[derive(Debug)]
pub struct Plan {
    /// Targets that stay, whatever the list says.
    pub targets: Vec<Target>,
    /// A file with a list of others.
    pub list: Option<PathBuf>,
    /// Where Prometheus asks, if it does.
    pub prometheus: Option<Listen>,
    /// Which collector is told, if one is.
    #[cfg(feature = "otlp")]
    pub otlp: Option<OtlpPlan>,
    /// How each target is watched.
    pub watching: Watching,
}

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The address is not one of this machine's own.
    #[error(
        "{0} can be reached from other machines, and nobody is asked who they are; choose an address such as 127.0.0.1:{port}, or, where \
         everybody who reaches it may read, add --insecure",
        port = .0.port()
    )]
    Exposed(SocketAddr),
    /// Nobody can listen there.
    #[error("cannot listen on {address}: {source}; if another program listens there, choose another address")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The list of targets is none.
    #[error("the list of targets {}: {source}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ListError,
    },
    /// No collector can be told there.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Otlp(#[from] EndpointError),
    /// What is over has no metrics.
    #[error(
        "{0} is of a process as it was, and metrics are of processes that go on; `holdup check` tells what is found in it"
    )]
    Over(Target),
}

/// Serves and tells metrics of all targets until `stop` completes. What somebody should know is told to `say`.
///
/// # Panics
///
/// Outside a tokio runtime of several threads with time and I/O enabled.
pub async fn run(plan: Plan, stop: impl Future<Output = ()>, say: impl Fn(&str)) -> Result<(), ExportError> {
    let Plan { targets, list, prometheus, watching, .. } = plan;
    let listed = match &list {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    let all = together(&targets, listed);
    still_going(&all)?;
    let listener = match prometheus {
        Some(place) => Some((bind(place, &all, &say).await?, place.reach)),
        None => None,
    };
    #[cfg_attr(not(feature = "otlp"), allow(unused_mut, reason = "nobody else is told"))]
    let mut keeping = Keeping::new(watching);
    #[cfg(feature = "otlp")]
    {
        keeping.otlp = plan.otlp.is_some().then(Arc::default);
    }
    let keeping = Arc::new(keeping);
    #[cfg(feature = "otlp")]
    let mut teller = otlp::Teller::begin(plan.otlp, &keeping, &say)?;
    keeping.set(all);
    let telling = async {
        #[cfg(feature = "otlp")]
        if let Some(teller) = &mut teller {
            teller.run().await;
        }
        pending::<()>().await;
    };
    let serving = async {
        if let Some((listener, reach)) = listener {
            serve::serve(listener, reach, Arc::clone(&keeping)).await;
        }
        pending::<()>().await;
    };
    tokio::select! {
        () = serving => {}
        () = telling => {}
        () = follow(list, &targets, &keeping, &say) => {}
        () = stop => {}
    }
    #[cfg(feature = "otlp")]
    if let Some(teller) = &mut teller {
        teller.finish().await;
    }
    Ok(())
}

async fn bind(listen: Listen, all: &[ListedTarget], say: &impl Fn(&str)) -> Result<TcpListener, ExportError> {
    let Listen { address, reach } = listen;
    if reach == Reach::Loopback && !address.ip().is_loopback() {
        return Err(ExportError::Exposed(address));
    }
    let failed = |source| ExportError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    say(&format!("metrics of {} targets are at http://{address}/metrics", all.len()));
    Ok(listener)
}

fn read(path: &Path) -> Result<Vec<ListedTarget>, ExportError> {
    read_list(path).map_err(|source| ExportError::List { path: path.to_owned(), source })
}

/// Those that stay, and then the listed ones. Of one that is both the labels hold.
fn together(targets: &[Target], listed: Vec<ListedTarget>) -> Vec<ListedTarget> {
    let mut all: Vec<ListedTarget> = Vec::new();
    let named = targets.iter().map(|target| ListedTarget { target: target.clone(), labels: Vec::new() });
    for one in named.chain(listed) {
        match all.iter_mut().find(|known| known.target == one.target) {
            Some(known) => known.labels = one.labels,
            None => all.push(one),
        }
    }
    all
}

fn still_going(all: &[ListedTarget]) -> Result<(), ExportError> {
    let is_over = |listed: &&ListedTarget| matches!(listed.target, Target::Core(_) | Target::Recording(_));
    all.iter().find(is_over).map_or(Ok(()), |listed| Err(ExportError::Over(listed.target.clone())))
}

/// Has the targets be those of the list, whenever it has changed. One that cannot be used changes nothing and is counted, once.
async fn follow(list: Option<PathBuf>, targets: &[Target], keeping: &Keeping, say: &impl Fn(&str)) {
    let Some(path) = list else { return pending().await };
    let mut seen = None;
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let file = path.clone();
        // A file may be far away.
        let Ok(now) = spawn_blocking(move || read(&file)).await else { continue };
        let now = now.map(|listed| together(targets, listed)).and_then(|all| still_going(&all).map(|()| all));
        let now = now.map_err(|error| error.to_string());
        if seen.as_ref() == Some(&now) {
            continue;
        }
        match &now {
            Ok(all) => {
                if seen.is_some() {
                    say(&format!("the list of targets has changed: there are {}", all.len()));
                }
                keeping.set(all.clone());
            }
            Err(error) => {
                say(&format!("{error}; the targets stay as they were"));
                keeping.note_list_error();
            }
        }
        seen = Some(now);
    }
}
