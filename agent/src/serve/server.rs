//! The port, and the thread and the runtime that answer on it.

use crate::{
    Error,
    access::Access,
    audit::Audit,
    collect::{callsite, thread_state::hide},
    missing::{Missing, Part},
    serve::{
        console, door,
        gate::Gate,
        history::History,
        holdup::{self, report::Description},
        hub::{Command, Hub},
        listen::{self, Listener, Listening, Place, address_file::AddressFile},
        metrics,
    },
    settings::Settings,
    stalls::{record::Stalls, round::Rounds},
};
use console_api::instrument::instrument_server::InstrumentServer;
use holdup_proto::v1::diagnostics_server::DiagnosticsServer;
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, OnceLock, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot},
};
use tonic::service::Routes;
use tracing::subscriber::{NoSubscriber, with_default};

/// Commands that may wait for the hub.
const COMMANDS: usize = 64;

/// What a call may say, in bytes: at most it names a task.
const ASKED: usize = 4 << 10;

/// After this long, whatever the service's threads were doing when the subscriber was installed is over.
const SETTLED: Duration = Duration::from_millis(100);

/// The thread that serves, for as long as this exists.
#[derive(Debug)]
pub(crate) struct Serving {
    place: Arc<OnceLock<Place>>,
    /// Where Prometheus asks.
    metrics: Arc<OnceLock<SocketAddr>>,
    history: History,
    begin: Option<std::sync::mpsc::SyncSender<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A place where clients come, and who may.
#[derive(Debug)]
pub(crate) struct Opened {
    listener: Listener,
    place: Place,
    /// The same as a client is given it.
    target: String,
    gate: Gate,
    /// Where that stands, once it was written.
    file: Option<AddressFile>,
    audit: Audit,
}

impl Opened {
    /// Writes where clients come to this file, if there is to be one.
    pub(crate) fn write_to(&mut self, file: Option<&Path>) -> Result<(), Error> {
        self.file = file.map(|file| AddressFile::write(file, &self.target)).transpose()?;
        Ok(())
    }
}

/// Listens where the settings say, unless it is on a listener that there is already.
pub(crate) fn open(access: &Access, listener: Option<TcpListener>, audit: &Audit) -> Result<Opened, Error> {
    let listener = listen::open(access, listener)?;
    let place = listener.place().map_err(Error::io("read the agent's address"))?;
    let gate = Gate::new(access, &place, audit.clone())?;
    listener.set_nonblocking().map_err(Error::io("prepare the agent's listener"))?;
    let target = place.target(access);
    Ok(Opened { listener, place, target, gate, file: None, audit: audit.clone() })
}

/// Where clients come.
#[derive(Debug)]
pub(crate) enum Door {
    Open(Box<Opened>),
    /// It cannot be opened now: that is tried again.
    Later(Audit),
    /// It must not be.
    Shut,
}

/// How often that is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(5);

/// Gets ready to serve: all that can fail is done by then, but for an address that is taken. It serves from [`Serving::begin`] on.
pub(crate) fn start(
    (door, for_metrics): (Door, metrics::Door),
    settings: &Settings,
    description: Description,
    (stalls, rounds): (&Arc<Stalls>, Rounds),
) -> Result<Serving, Error> {
    let place = Arc::new(OnceLock::new());
    let address_file = settings.address_file.clone();
    let (theirs, access, missing) = (Arc::clone(&place), settings.access.clone(), Arc::clone(&description.missing));
    if let Door::Open(opened) = &door {
        place.get_or_init(|| opened.place.clone());
    }
    let come = async move || {
        let opened = match door {
            Door::Open(opened) => *opened,
            Door::Later(audit) => {
                let mut opened = open_later(&access, &audit, &missing).await;
                if let Err(error) = opened.write_to(address_file.as_deref()) {
                    missing.note(Part::AddressFile, &error);
                }
                opened
            }
            Door::Shut => return std::future::pending().await,
        };
        // One that is bound fails only when the system is out of something; then there is nobody to tell.
        let listener = Listening::new(opened.listener).ok()?;
        theirs.get_or_init(|| opened.place);
        missing.found(Part::Address);
        opened.audit.listens(opened.target);
        Some((listener, opened.gate, opened.file))
    };
    // What its parts tell of themselves, by `log` too, is not the service's.
    let build = || Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = with_default(NoSubscriber::new(), build).map_err(Error::io("build the agent's runtime"))?;
    let (stop, stopped) = oneshot::channel();
    let (begin, go) = sync_channel(1);
    let (commands, asked) = mpsc::channel(COMMANDS);
    let hub = Hub::new(asked, settings, Arc::clone(stalls), rounds.latest());
    let clients = settings.clients;
    let metrics = metrics::Server::new(for_metrics, settings, &description.process, stalls, &description.missing);
    let asked_at = metrics.address();
    let (history, keeper) = History::start(settings, &description);
    let told = history.clone();
    let thread = thread::Builder::new()
        .name("holdup-agent".to_owned())
        .spawn(move || {
            hide();
            if go.recv().is_err() {
                return;
            }
            let keeping = keeper.run(commands.clone());
            let routes = routes(commands, rounds, told, description);
            serve(&runtime, come, (hub, keeping, metrics), clients, routes, stopped);
        })
        .map_err(Error::io("start the agent's thread"))?;
    Ok(Serving { place, metrics: asked_at, history, begin: Some(begin), stop: Some(stop), thread: Some(thread) })
}

fn serve(
    runtime: &Runtime,
    come: impl AsyncFnOnce() -> Option<(Listening, Gate, Option<AddressFile>)>,
    (hub, keeping, metrics): (Hub, impl Future<Output = ()> + Send + 'static, metrics::Server),
    clients: usize,
    routes: Routes,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::spawn(hub.run());
        tokio::spawn(keeping);
        tokio::spawn(metrics.run());
        tokio::spawn(async {
            tokio::time::sleep(SETTLED).await;
            callsite::ask_again();
        });
        let serving = async {
            // The file stands for as long as clients can come.
            if let Some((listener, gate, _file)) = come().await {
                door::serve(listener, clients, gate, routes).await;
            }
        };
        tokio::select! {
            () = serving => {}
            // Also when it is dropped.
            _ = stopped => {}
        }
    });
}

/// Opens the place as soon as that can be done: once its address is free, and its certificate can be read.
async fn open_later(access: &Access, audit: &Audit, missing: &Missing) -> Opened {
    loop {
        tokio::time::sleep(AGAIN).await;
        match open(access, None, audit) {
            Ok(opened) => return opened,
            // What is wrong now need not be what was wrong before.
            Err(error) => missing.note(Part::Address, &error),
        }
    }
}

/// The two services.
fn routes(commands: mpsc::Sender<Command>, rounds: Rounds, history: History, description: Description) -> Routes {
    let instrument = InstrumentServer::new(console::service::Service(commands.clone()));
    let diagnostics = DiagnosticsServer::new(holdup::service::Service { hub: commands, rounds, history, description });
    Routes::new(instrument.max_decoding_message_size(ASKED))
        .add_service(diagnostics.max_decoding_message_size(ASKED))
        .prepare()
}

impl Serving {
    /// Where clients come; `None` while they cannot.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.get()
    }

    /// Where Prometheus asks; `None` while it cannot.
    pub(crate) fn metrics(&self) -> Option<SocketAddr> {
        self.metrics.get().copied()
    }

    /// The past that is kept.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Begins to serve. Not before the subscriber is installed: a callsite of tokio's that this thread met first while that is
    /// being done could be taken for one that nobody is interested in, for good, see [`callsite::ask_again`].
    pub(crate) fn begin(&mut self) {
        if let Some(begin) = self.begin.take() {
            // There is room for one, and the thread waits for it.
            let _ = begin.send(());
        }
    }

    /// Stops: streams that are open end, and the port is free when this returns.
    pub(crate) fn stop(&mut self) {
        drop((self.begin.take(), self.stop.take()));
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that would help anybody now.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}
