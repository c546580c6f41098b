//! The port, and the thread and the runtime that answer on it.

use crate::{
    Error,
    collect::{callsite, thread_state::hide},
    missing::Part,
    serve::{
        console, door,
        holdup::{self, report::Description},
        hub::{Command, Hub},
    },
    settings::Settings,
    stalls::record::Stalls,
};
use console_api::instrument::instrument_server::InstrumentServer;
use holdup_proto::v1::diagnostics_server::DiagnosticsServer;
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot},
};
use tonic::service::Routes;

/// Commands that may wait for the hub.
const COMMANDS: usize = 64;

/// What a call may say, in bytes: at most it names a task.
const ASKED: usize = 4 << 10;

/// After this long, whatever the service's threads were doing when the subscriber was installed is over.
const SETTLED: Duration = Duration::from_millis(100);

/// The thread that serves, for as long as this exists.
#[derive(Debug)]
pub(crate) struct Serving {
    address: Arc<OnceLock<SocketAddr>>,
    begin: Option<std::sync::mpsc::SyncSender<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where clients come.
#[derive(Debug)]
pub(crate) enum Listening {
    Bound(TcpListener),
    /// The address is taken: it is tried again.
    Later(SocketAddr),
}

/// How often a taken address is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Gets ready to serve: all that can fail is done by then, but for an address that is taken. It serves from [`Serving::begin`] on.
pub(crate) fn start(
    listening: Listening,
    settings: &Settings,
    description: Description,
    stalls: &Arc<Stalls>,
) -> Result<Serving, Error> {
    let address = Arc::new(OnceLock::new());
    if let Listening::Bound(listener) = &listening {
        let bound = listener.local_addr().map_err(Error::io("read the agent's address"))?;
        address.get_or_init(|| bound);
        listener.set_nonblocking(true).map_err(Error::io("prepare the agent's listener"))?;
    }
    let (theirs, missing) = (Arc::clone(&address), Arc::clone(&description.missing));
    let listen = async move || {
        let listener = match listening {
            Listening::Bound(listener) => tokio::net::TcpListener::from_std(listener).ok()?,
            Listening::Later(wanted) => listen_later(wanted).await,
        };
        if let Ok(address) = listener.local_addr() {
            theirs.get_or_init(|| address);
        }
        missing.found(Part::Address);
        Some(listener)
    };
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(Error::io("build the agent's runtime"))?;
    let (stop, stopped) = oneshot::channel();
    let (begin, go) = sync_channel(1);
    let (commands, asked) = mpsc::channel(COMMANDS);
    let hub = Hub::new(asked, settings, Arc::clone(stalls));
    let clients = settings.clients;
    let thread = thread::Builder::new()
        .name("holdup-agent".to_owned())
        .spawn(move || {
            hide();
            if go.recv().is_err() {
                return;
            }
            let routes = routes(commands, description);
            serve(&runtime, listen, hub, clients, routes, stopped);
        })
        .map_err(Error::io("start the agent's thread"))?;
    Ok(Serving { address, begin: Some(begin), stop: Some(stop), thread: Some(thread) })
}

fn serve(
    runtime: &Runtime,
    listen: impl AsyncFnOnce() -> Option<tokio::net::TcpListener>,
    hub: Hub,
    clients: usize,
    routes: Routes,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::spawn(hub.run());
        tokio::spawn(async {
            tokio::time::sleep(SETTLED).await;
            callsite::ask_again();
        });
        let serving = async {
            // One that was bound before fails only when the system is out of something; then there is nobody to tell.
            if let Some(listener) = listen().await {
                door::serve(listener, clients, routes).await;
            }
        };
        tokio::select! {
            () = serving => {}
            // Also when it is dropped.
            _ = stopped => {}
        }
    });
}

/// Listens on an address as soon as it is free.
async fn listen_later(address: SocketAddr) -> tokio::net::TcpListener {
    loop {
        tokio::time::sleep(AGAIN).await;
        if let Ok(listener) = tokio::net::TcpListener::bind(address).await {
            return listener;
        }
    }
}

/// The two services.
fn routes(commands: mpsc::Sender<Command>, description: Description) -> Routes {
    let instrument = InstrumentServer::new(console::service::Service(commands.clone()));
    let diagnostics = DiagnosticsServer::new(holdup::service::Service { hub: commands, description });
    Routes::new(instrument.max_decoding_message_size(ASKED))
        .add_service(diagnostics.max_decoding_message_size(ASKED))
        .prepare()
}

impl Serving {
    /// Where clients come; `None` while the address is taken.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
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
