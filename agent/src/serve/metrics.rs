//! Where Prometheus asks: a listener of its own, on the thread that serves. Who may come is the [`gate`](super::gate)'s to say, as for clients.

use super::{
    door::{Arrived, Listen as _, descriptors},
    gate::{Gate, Turned, Visitor},
    listen::{self, Listener, Listening, Place},
    server::AGAIN,
};
use crate::{
    Error,
    access::Access,
    audit::Audit,
    metrics::Exporter,
    missing::{Missing, Part},
    process::Process,
    settings::Settings,
    stalls::record::Stalls,
};
use holdup_metrics::{
    Format, Target,
    http::{self, Answer, Answers, Refused},
};
use parking_lot::Mutex;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tonic::codegen::http::{HeaderMap, Uri};

/// After a connection could not be accepted, or was closed since the process has too few descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// A place where Prometheus asks, and who may.
#[derive(Debug)]
pub(crate) struct Opened {
    listener: Listener,
    address: SocketAddr,
    gate: Gate,
}

/// Listens where the settings say: what is set of clients that come by TCP holds here, too.
pub(crate) fn open(access: &Access, audit: &Audit) -> Result<Opened, Error> {
    let listener = listen::open(access, None).map_err(of_metrics)?;
    let place = listener.place().map_err(Error::io("read the address for metrics"))?;
    let gate = Gate::new(access, &place, audit.clone())?;
    listener.set_nonblocking().map_err(Error::io("prepare the listener for metrics"))?;
    match place {
        Place::Tcp(address) => Ok(Opened { listener, address, gate }),
        Place::Unix(_) => Err(Error::access("HOLDUP_METRICS", "Prometheus asks by TCP; set an address and a port")),
    }
}

/// Says which listener it is that cannot be had.
fn of_metrics(error: Error) -> Error {
    match error {
        Error::Bind { address, source } => Error::access(
            "HOLDUP_METRICS",
            &format!("cannot listen on {address}: {source}. If another service listens there, choose another address"),
        ),
        Error::Exposed { address } => Error::access(
            "HOLDUP_METRICS",
            &format!(
                "{address} can be reached from other machines, and nothing would keep anybody out. Set HOLDUP_TLS_CERT and HOLDUP_TLS_KEY, and \
                 HOLDUP_TOKEN_FILE or HOLDUP_TLS_CLIENT_CA; or, where everybody who reaches it may read, HOLDUP_METRICS={address},insecure"
            ),
        ),
        other => other,
    }
}

/// Where Prometheus asks.
#[derive(Debug)]
pub(crate) enum Door {
    Open(Box<Opened>),
    /// It cannot be opened now: that is tried again.
    Later(Box<Access>, Audit),
    /// It is not asked for, or must not be.
    Shut,
}

/// Whoever serves it, to be run where clients are served.
pub(crate) struct Server {
    door: Door,
    missing: Arc<Missing>,
    exporter: Exporter,
    address: Arc<OnceLock<SocketAddr>>,
}

impl Server {
    pub(crate) fn new(
        door: Door,
        settings: &Settings,
        process: &Process,
        stalls: &Arc<Stalls>,
        missing: &Arc<Missing>,
    ) -> Self {
        let address = Arc::new(OnceLock::new());
        if let Door::Open(opened) = &door {
            address.get_or_init(|| opened.address);
        }
        let exporter = Exporter::new(settings, process.clone(), stalls);
        Self { door, missing: Arc::clone(missing), exporter, address }
    }

    /// Where it listens, once it does.
    pub(crate) fn address(&self) -> Arc<OnceLock<SocketAddr>> {
        Arc::clone(&self.address)
    }

    /// Serves whoever asks, for as long as it is run.
    pub(crate) async fn run(self) {
        let Self { door, missing, exporter, address } = self;
        let opened = match door {
            Door::Open(opened) => *opened,
            Door::Later(access, audit) => open_later(&access, &audit, &missing).await,
            Door::Shut => return,
        };
        // One that is bound fails only when the system is out of something.
        let mut listener = match Listening::new(opened.listener) {
            Ok(listener) => listener,
            Err(error) => return missing.note(Part::Metrics, &Error::io("listen for who asks for metrics")(error)),
        };
        address.get_or_init(|| opened.address);
        missing.found(Part::Metrics);
        let (told, room) = (Arc::new((opened.gate, Mutex::new(exporter))), Arc::new(Semaphore::new(http::CONNECTIONS)));
        // It is never closed.
        while let Ok(place) = Arc::clone(&room).acquire_owned().await {
            match listener.accept().await {
                Ok(Arrived { io, descriptor, from }) if descriptors::are_left(descriptor) => {
                    let told = Arc::clone(&told);
                    tokio::spawn(async move {
                        let (gate, exporter) = &*told;
                        let conversation = async {
                            if let Ok((io, visitor)) = gate.enter(io, from).await {
                                http::converse(io, &Asked { gate, visitor: &visitor, exporter }).await;
                            }
                        };
                        // How it ends is the other side's business.
                        let _ = timeout(http::TIME, conversation).await;
                        drop(place);
                    });
                }
                arrived => {
                    // Its descriptor is the service's.
                    drop(arrived);
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Opens it as soon as that can be done.
async fn open_later(access: &Access, audit: &Audit, missing: &Missing) -> Opened {
    loop {
        sleep(AGAIN).await;
        match open(access, audit) {
            Ok(opened) => return opened,
            Err(error) => missing.note(Part::Metrics, &error),
        }
    }
}

/// One who asks.
struct Asked<'a> {
    gate: &'a Gate,
    visitor: &'a Visitor,
    exporter: &'a Mutex<Exporter>,
}

impl Answers for Asked<'_> {
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        self.gate.admit_to_metrics(self.visitor, uri, headers).map_err(|turned| match turned {
            Turned::ShowsNothing(said) => Refused::Unauthorized(said),
            Turned::MayNot(said) => Refused::Forbidden(said),
        })
    }

    fn answer(&self, path: &str, format: Format) -> Answer {
        if path != "/metrics" {
            return Answer::Nowhere;
        }
        let page = self.exporter.lock().page();
        Answer::Metrics(format, format.write(vec![Target { labels: Vec::new(), page }]).into())
    }
}
